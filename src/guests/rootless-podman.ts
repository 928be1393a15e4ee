import { lstatSync, readdirSync, statSync } from "node:fs";
import { PipeworkError } from "../values/error.js";
import type { Container } from "./container.js";
import { isLive } from "./container-search.js";
import type { ResolveContext } from "./context.js";
import { DockerEngine } from "./docker.js";
import { PODMAN } from "./engine-kind.js";

/** Milliseconds for a user's service, which may be started by our asking, or may be anybody's that never answers. */
const PATIENCE_MS = 2000;

/** A socket of one user's own Podman. */
export interface RootlessSocket {
  readonly uid: number;
  readonly path: string;
}

/** Sockets of users' own Podman services, where systemd puts them. */
export function rootlessSockets({ userDirectories = "/run/user" }: ResolveContext): RootlessSocket[] {
  let names: string[];
  try {
    names = readdirSync(userDirectories);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const path = `${userDirectories}/${name}/podman/podman.sock`;
    return /^[1-9][0-9]*$/.test(name) && isSocket(path) ? [{ uid: Number(name), path }] : [];
  });
}

/**
 * Refuses a container of a Podman that runs without root. Its network namespace belongs to a user namespace, its names are that
 * user's to give, and where it has a network at all a program of that user's stands between it and the host.
 * @throws PipeworkError "unsupported"
 */
export async function refuseRootless(
  ref: string,
  found: Container,
  engine: DockerEngine,
  context: ResolveContext,
): Promise<void> {
  if (engine.kind.name !== "podman" || engine.address.kind !== "unix") return;
  const owner = ownerOf(engine.address.path);
  // A socket of root's is rootful Podman's; another owner may have been given it for convenience: it is asked.
  if (owner === null || owner === 0) return;
  if (await engine.rootless({ timeoutMs: context.timeoutMs || undefined, signal: context.signal })) {
    throw explanation(ref, found, owner, engine.address.text);
  }
}

/** Why a name that nobody knows is nobody's: a user's own Podman has it. null when none has. */
export async function explainRootless(
  ref: string,
  name: string,
  context: ResolveContext,
): Promise<PipeworkError | null> {
  const answers = await Promise.all(
    rootlessSockets(context).map(async ({ uid, path }) => {
      const engine = new DockerEngine({ host: path, kind: PODMAN, env: {}, oneShot: true });
      const found = await engine.inspect(name, { timeoutMs: PATIENCE_MS, signal: context.signal }).catch(() => null);
      return found === null ? [] : [explanation(ref, found, uid, engine.address.text)];
    }),
  );
  return answers.flat()[0] ?? null;
}

function explanation(ref: string, { name, state }: Container, uid: number, address: string): PipeworkError {
  const process = isLive(state) ? `pid:${state.pid}` : "pid:N";
  return new PipeworkError({
    code: "unsupported",
    message:
      `guest ${ref}: the container ${name} belongs to the rootless Podman of user ${uid} (${address}), ` +
      "whose containers live in a user namespace of that user and are not attached",
    hint:
      `run it with Podman as root (sudo podman run); or, if you trust what that user's Podman says, ` +
      `name its process as root: ${process}`,
    guest: ref,
  });
}

function ownerOf(path: string): number | null {
  try {
    return statSync(path).uid;
  } catch {
    return null;
  }
}

/** Not a link: it is the user who may put one there. */
function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}
