import { existsSync } from "node:fs";
import type { NativeError, NativeNetns } from "../kernel/native.js";
import { PipeworkError } from "../values/error.js";
import { procOf, type ResolveContext } from "./context.js";
import type { LiveGuest } from "./guest.js";
import { refuseHome } from "./host-network.js";

/** Opens the namespace of a process; null when there is no such process (any more). */
export function openProcessNetns(pid: number, guest: string, context: ResolveContext): NativeNetns | null {
  const directory = `${procOf(context)}/${pid}`;
  try {
    return context.openNetns(`${directory}/ns/net`);
  } catch (error) {
    const { errno, message } = error as NativeError;
    if (errno === ENOENT || errno === ESRCH) return null;
    if (errno !== EACCES && errno !== EPERM) {
      throw new PipeworkError({
        code: "kernel-refused",
        message: `cannot open the network namespace of ${guest} (process ${pid}): ${message}`,
        guest,
        errno,
        kernelText: message,
        cause: error,
      });
    }
    // proc(5) answers EACCES as well when the process ends between the look-up of its directory and that of the link.
    if (!existsSync(directory)) return null;
    throw new PipeworkError({
      code: "not-permitted",
      message: `not permitted to open the network namespace of ${guest} (process ${pid}): ${message}`,
      hint:
        "run as root; a guest of a rootless engine or with user namespaces lives in a user namespace " +
        "in which the caller needs CAP_SYS_ADMIN, so an unprivileged user has to run pipework inside that user namespace",
      guest,
      errno,
      errnoName: errno === EACCES ? "EACCES" : "EPERM",
      kernelText: message,
      cause: error,
    });
  }
}

/** pid:N */
export function resolveProcess(ref: string, pid: number, context: ResolveContext): LiveGuest {
  const netns = openProcessNetns(pid, ref, context);
  if (netns === null) {
    throw new PipeworkError({
      code: "guest-not-found",
      message: `guest ${ref}: there is no process ${pid}`,
      hint: "in a container, pipework sees the host's processes only with --pid=host",
      guest: ref,
    });
  }
  refuseHome(netns, ref, `process ${pid}`, context);
  return { ref, id: `pid:${pid}`, kind: "pid", pid, netns, warnings: [], close: () => netns.close() };
}

const EPERM = 1;
const ENOENT = 2;
const ESRCH = 3;
const EACCES = 13;
