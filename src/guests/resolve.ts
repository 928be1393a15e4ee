import { existsSync } from "node:fs";
import { PipeworkError } from "../values/error.js";
import { resolveContainer } from "./container-guest.js";
import { netnsDirectoriesOf, procOf, type ResolveContext } from "./context.js";
import type { LiveGuest } from "./guest.js";
import { resolveNamedNetns, resolvePathNetns } from "./named-netns.js";
import { resolveProcess } from "./process-netns.js";
import { parseGuestReference } from "./reference.js";

/**
 * Finds a guest and opens its network namespace, or refuses before anything is touched. The caller closes what it gets.
 * @throws PipeworkError "invalid-request", "guest-not-found", "guest-ambiguous", "guest-not-running", "guest-host-network",
 * "guest-gone", "engine-unreachable", "not-permitted", "kernel-refused", "timeout", "aborted", "unsupported"
 */
export async function resolveGuest(ref: string, context: ResolveContext): Promise<LiveGuest> {
  const reference = parseGuestReference(ref);
  if (context.signal?.aborted) {
    const cause: unknown = context.signal.reason;
    throw new PipeworkError({ code: "aborted", message: `the search for guest ${ref} was aborted`, guest: ref, cause });
  }
  switch (reference.form) {
    case "pid":
      return resolveProcess(ref, reference.pid, context);
    case "netns":
      return resolveNamedNetns(ref, reference.name, context);
    case "path":
      return resolvePathNetns(ref, reference.path, context);
    case "docker":
      return (await resolveContainer(ref, reference.name, context)) ?? notFound(ref, reference.name, context, null);
    case "word":
      return resolveWord(ref, reference.name, context);
    default:
      throw new PipeworkError({
        code: "unsupported",
        message: `guest ${ref}: ${reference.form}: guests are not supported yet`,
        hint: "meanwhile name its process (pid:N) or its network namespace (netns:NAME, netns:/path)",
        guest: ref,
      });
  }
}

async function resolveWord(ref: string, name: string, context: ResolveContext): Promise<LiveGuest> {
  let guest: LiveGuest | null;
  try {
    guest = await resolveContainer(ref, name, context);
  } catch (error) {
    if (!(error instanceof PipeworkError) || error.code !== "engine-unreachable") throw error;
    const other = alternative(name, context) ?? "a guest without an engine is named pid:N, netns:NAME or netns:/path";
    throw new PipeworkError({
      code: error.code,
      message: `guest ${ref} cannot be looked up: ${error.message}`,
      hint: error.hint === undefined ? other : `${error.hint}; ${other}`,
      guest: ref,
      errnoName: error.errnoName,
      cause: error,
    });
  }
  return guest ?? notFound(ref, name, context, alternative(name, context));
}

function notFound(ref: string, name: string, context: ResolveContext, other: string | null): never {
  throw new PipeworkError({
    code: "guest-not-found",
    message: `guest ${ref}: there is no container ${name} at ${context.docker().address.text}`,
    hint: other ?? "docker ps -a lists those there are; other guests are named pid:N, netns:NAME or netns:/path",
    guest: ref,
  });
}

/** What else a plain word may have been meant for. */
function alternative(name: string, context: ResolveContext): string | null {
  if (netnsDirectoriesOf(context).some((directory) => existsSync(`${directory}/${name}`))) {
    return `did you mean netns:${name}?`;
  }
  if (/^[1-9][0-9]*$/.test(name) && existsSync(`${procOf(context)}/${name}`)) return `did you mean pid:${name}?`;
  return null;
}
