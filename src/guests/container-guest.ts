import type { NativeNetns } from "../kernel/native.js";
import type { Container } from "./container.js";
import { compareSandbox, confirmProcess, gone, refuseMissingProcess } from "./container-identity.js";
import { awaitLive, callOptions, findContainer, isLive } from "./container-search.js";
import type { ResolveContext } from "./context.js";
import type { DockerEngine } from "./docker.js";
import type { LiveGuest } from "./guest.js";
import { hostNetwork, refuseHome } from "./host-network.js";
import { openProcessNetns } from "./process-netns.js";
import { refuseRootless } from "./rootless-podman.js";

/**
 * docker:X, podman:X and plain words; null when the engine knows no such container.
 * @throws PipeworkError "unsupported" for one of a Podman that runs without root
 */
export async function resolveContainer(
  ref: string,
  name: string,
  engine: DockerEngine,
  context: ResolveContext,
): Promise<LiveGuest | null> {
  const found = await findContainer(ref, name, engine, context);
  if (found === null) return null;
  await refuseRootless(ref, found, engine, context);
  const what = `the container ${found.name}`;
  if (found.networkMode === "host") throw hostNetwork(ref, what);
  const container = await awaitLive(ref, found, engine, context);
  const netns = openProcessNetns(container.state.pid, ref, context);
  if (netns === null) return refuseMissingProcess(ref, container, engine, context);
  try {
    const { via, warnings } = await identify(ref, container, netns, engine, context);
    refuseHome(netns, ref, what, context);
    if (container.state.paused) warnings.push(`${what} is paused: it answers nobody until it is unpaused`);
    return {
      ref,
      id: `${engine.kind.name}:${via.id}`,
      kind: engine.kind.name,
      name: via.name,
      pid: via.state.pid,
      ...(via.hostname === "" ? {} : { hostname: via.hostname }),
      netns,
      warnings,
      close: () => netns.close(),
    };
  } catch (error) {
    netns.close();
    throw error;
  }
}

/** `via`: the container that owns this namespace, or else the one that was asked for. */
async function identify(
  ref: string,
  container: Container,
  netns: NativeNetns,
  engine: DockerEngine,
  context: ResolveContext,
): Promise<{ via: Container; warnings: string[] }> {
  const shared = /^container:(.+)$/.exec(container.networkMode)?.[1];
  if (shared === undefined) {
    const verdict = compareSandbox(container, netns);
    if (verdict === "other") throw gone(ref, container);
    if (verdict === "unknown") await confirmProcess(ref, container, [container.id], engine, context);
    return { via: container, warnings: [] };
  }
  const owner = await engine.inspect(shared, callOptions(context));
  const verdict = owner !== null && isLive(owner.state) ? compareSandbox(owner, netns) : "other";
  if (owner !== null && verdict === "same") return { via: owner, warnings: [through(container, owner)] };
  const ids = owner === null ? [container.id] : [container.id, owner.id];
  await confirmProcess(ref, container, ids, engine, context);
  if (owner !== null && verdict === "unknown" && livesIn(owner, netns, ref, context)) {
    return { via: owner, warnings: [through(container, owner)] };
  }
  // A restarted owner has a new namespace; the one that joined the old one stays there until it is restarted as well.
  const fate = owner === null ? "removed" : isLive(owner.state) ? "restarted" : "stopped";
  const owned = owner?.name ?? shared.slice(0, 12);
  return {
    via: container,
    warnings: [
      `the container ${owned}, whose network ${container.name} shares, was ${fate} since: only ${container.name} is attached`,
    ],
  };
}

function through(container: Container, owner: Container): string {
  return `the container ${container.name} shares the network of ${owner.name}: what is attached belongs to ${owner.name} and is seen by both`;
}

function livesIn(owner: Container, netns: NativeNetns, ref: string, context: ResolveContext): boolean {
  const other = openProcessNetns(owner.state.pid, ref, context);
  if (other === null) return false;
  other.close();
  return other.ino === netns.ino && other.dev === netns.dev;
}
