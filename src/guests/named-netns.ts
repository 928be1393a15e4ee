import { normalize } from "node:path";
import type { NativeError, NativeNetns } from "../kernel/native.js";
import { PipeworkError } from "../values/error.js";
import { netnsDirectoriesOf, type ResolveContext } from "./context.js";
import type { LiveGuest } from "./guest.js";
import { refuseHome } from "./host-network.js";

/** netns:NAME, as `ip netns` keeps them. */
export function resolveNamedNetns(ref: string, name: string, context: ResolveContext): LiveGuest {
  const directories = netnsDirectoriesOf(context);
  for (const directory of directories) {
    const netns = open(ref, `${directory}/${name}`, context);
    if (netns !== null) return live(ref, `netns:${name}`, netns, context);
  }
  throw new PipeworkError({
    code: "guest-not-found",
    message: `guest ${ref}: there is no network namespace ${name} in ${directories.join(" or ")}`,
    hint: "`ip netns list` shows those there are; another place is named by its path, netns:/path",
    guest: ref,
  });
}

/** netns:/path. A path into the directory of named namespaces is the same guest as its name. */
export function resolvePathNetns(ref: string, given: string, context: ResolveContext): LiveGuest {
  const path = normalize(given);
  const netns = open(ref, path, context);
  if (netns === null) {
    throw new PipeworkError({
      code: "guest-not-found",
      message: `guest ${ref}: there is no ${path}`,
      hint: "a namespace path is a bind mount such as /run/netns/NAME, or /proc/PID/ns/net of a living process",
      guest: ref,
    });
  }
  const at = path.lastIndexOf("/");
  const named = netnsDirectoriesOf(context).includes(path.slice(0, at));
  return live(ref, named ? `netns:${path.slice(at + 1)}` : `netns:${path}`, netns, context);
}

function live(ref: string, id: string, netns: NativeNetns, context: ResolveContext): LiveGuest {
  refuseHome(netns, ref, id.slice("netns:".length), context);
  return { ref, id, kind: "netns", netns, warnings: [], close: () => netns.close() };
}

/** null when nothing is there. */
function open(ref: string, path: string, context: ResolveContext): NativeNetns | null {
  try {
    return context.openNetns(path);
  } catch (error) {
    const { errno, reason, message } = error as NativeError;
    if (errno === ENOENT || errno === ENOTDIR) return null;
    const refused = (code: "guest-not-found" | "not-permitted" | "kernel-refused", what: string, hint?: string) =>
      new PipeworkError({
        code,
        message: `guest ${ref}: ${path} ${what}`,
        hint,
        guest: ref,
        errno,
        kernelText: reason === undefined ? message : undefined,
        cause: error,
      });
    if (reason === "not-nsfs") {
      throw refused(
        "guest-not-found",
        "is no namespace but an ordinary file or directory",
        "its namespace was removed, or was mounted in another mount namespace that is not seen here",
      );
    }
    if (reason === "not-net") {
      throw refused(
        "guest-not-found",
        "is a namespace of another kind, not a network namespace",
        "the network one of a process is /proc/PID/ns/net",
      );
    }
    if (errno === EACCES || errno === EPERM)
      throw refused("not-permitted", `may not be opened: ${message}`, "run as root");
    throw refused("kernel-refused", `cannot be opened: ${message}`);
  }
}

const EPERM = 1;
const ENOENT = 2;
const EACCES = 13;
const ENOTDIR = 20;
