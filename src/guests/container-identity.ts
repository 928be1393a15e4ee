import { existsSync, readFileSync, type Stats, statSync } from "node:fs";
import type { NativeNetns } from "../kernel/native.js";
import { PipeworkError } from "../values/error.js";
import type { Container } from "./container.js";
import { callOptions, isLive, pauseUnlessAborted } from "./container-search.js";
import { procOf, type ResolveContext } from "./context.js";
import type { DockerEngine } from "./docker.js";

/**
 * Whether this namespace is the one the engine made for the container. "unknown" when the engine's bind mount is not seen
 * here: the container shares another's network, the engine is rootless, or this process has a mount namespace of its own.
 */
export function compareSandbox({ sandboxKey }: Container, netns: NativeNetns): "same" | "other" | "unknown" {
  if (!sandboxKey.startsWith("/")) return "unknown";
  let seen: Stats;
  try {
    seen = statSync(sandboxKey);
  } catch {
    return "unknown";
  }
  // Outside the engine's mount namespace the mount point is an empty plain file, on another device than nsfs.
  if (seen.dev !== netns.dev) return "unknown";
  return seen.ino === netns.ino ? "same" : "other";
}

/**
 * Makes sure, where the sandbox cannot tell, that the namespace was opened from a process of this container: the process
 * carries the container's id in its mounts or its cgroup, and the engine still names the same process of the same start.
 * Without the first, an engine on another machine would have its PIDs taken for those of strangers here.
 * @param ids full ids that may be in the process's mounts: its own, and its network's owner's, whose /etc/hosts it has
 * @throws PipeworkError "guest-gone" or "unsupported"
 */
export async function confirmProcess(
  ref: string,
  container: Container,
  ids: readonly string[],
  engine: DockerEngine,
  context: ResolveContext,
): Promise<void> {
  const carries = carriesId(container.state.pid, ids, context);
  const again = await engine.inspect(container.id, callOptions(context));
  if (again === null || !isSameStart(container, again)) throw gone(ref, container);
  if (!carries) await refuseMissingProcess(ref, container, engine, context);
}

/**
 * Refuses a container whose process is not among those seen here: it ended a moment ago, which the engine notices soon,
 * or the engine runs elsewhere.
 */
export async function refuseMissingProcess(
  ref: string,
  container: Container,
  engine: DockerEngine,
  context: ResolveContext,
): Promise<never> {
  for (let look = 0; look < 10; look++) {
    const again = await engine.inspect(container.id, callOptions(context));
    if (again === null || !isSameStart(container, again)) throw gone(ref, container);
    await pauseUnlessAborted(ref, 50, context);
  }
  const { pid } = container.state;
  const stranger = existsSync(`${procOf(context)}/${pid}`)
    ? "is a process of something else here"
    : "does not exist here";
  throw new PipeworkError({
    code: "unsupported",
    message:
      `guest ${ref}: the container ${container.name} is not on this machine: ` +
      `the engine at ${engine.address.text} names process ${pid}, which ${stranger}`,
    hint: "run pipework where the engine runs; inside a container it needs --pid=host",
    guest: ref,
  });
}

export function gone(ref: string, { name }: Container): PipeworkError {
  return new PipeworkError({
    code: "guest-gone",
    message: `guest ${ref}: the container ${name} ended or was restarted while its network was being opened`,
    hint: "nothing was changed; try again once it runs",
    guest: ref,
  });
}

function isSameStart(before: Container, { state }: Container): boolean {
  return isLive(state) && state.pid === before.state.pid && state.startedAt === before.state.startedAt;
}

/** Docker binds files of its directory for the container into it, and both engines name cgroups after the id. */
function carriesId(pid: number, ids: readonly string[], context: ResolveContext): boolean {
  return ["mountinfo", "cgroup"].some((file) => {
    let text: string;
    try {
      text = readFileSync(`${procOf(context)}/${pid}/${file}`, "utf8");
    } catch {
      // The process has ended, which asking the engine again will show.
      return false;
    }
    return ids.some((id) => text.includes(id));
  });
}
