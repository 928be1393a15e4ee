import type { DockerEngine } from "./guests/docker.js";
import { parseGuestReference } from "./guests/reference.js";
import type { Instance } from "./instance.js";
import { readRecords } from "./kernel/record.js";
import type { Memory } from "./plan/memory.js";
import type { DetachRequest } from "./plan/request.js";

/** Identities that a reference may stand for when its guest is not there to say: the record was written under one of them. */
async function idsOf(instance: Instance, ref: string, request: DetachRequest): Promise<string[]> {
  const reference = parseGuestReference(ref);
  const { docker, podman } = enginesOf(instance);
  switch (reference.form) {
    case "docker":
      return [ref, ...(await containerIds(docker, reference.name, request)).ids];
    case "podman":
      return [ref, ...(await containerIds(podman, reference.name, request)).ids];
    case "word": {
      const ids: string[] = [];
      for (const engine of [docker, podman]) {
        const one = await containerIds(engine, reference.name, request);
        ids.push(...one.ids);
        // The word is this engine's then, and whoever else goes by it may well be running.
        if (one.known) return ids;
      }
      return [...ids, `lxc:${reference.name}`];
    }
    default:
      // LXC's containers, processes and namespaces have no other names.
      return [ref];
  }
}

type EngineDoor = { readonly prefix: "docker" | "podman"; readonly open: () => DockerEngine };

function enginesOf(instance: Instance): { docker: EngineDoor; podman: EngineDoor } {
  return {
    docker: { prefix: "docker", open: () => instance.docker },
    podman: { prefix: "podman", open: () => instance.podman },
  };
}

/** The word itself may be the id that an engine which no longer knows it, or is not there any more, once gave. */
async function containerIds(
  { prefix, open }: EngineDoor,
  name: string,
  { timeoutMs, signal }: DetachRequest,
): Promise<{ ids: string[]; known: boolean }> {
  try {
    const engine = open();
    const container = await engine.inspect(name, { timeoutMs: timeoutMs || undefined, signal });
    const ids = [name, ...(container === null ? [] : [container.id])].map((id) => `${engine.kind.name}:${id}`);
    return { ids, known: container !== null };
  } catch {
    return { ids: [`${prefix}:${name}`], known: false };
  }
}

/** Records of a guest that is gone: of kinds that leave nothing on the host. */
export async function recordsOfGone(instance: Instance, request: DetachRequest, ifname: string): Promise<Memory[]> {
  const ids = await idsOf(instance, request.guest, request);
  return readRecords(instance.recordDir).filter(
    (one) => ids.includes(one.guest) && (request.all === true || one.ifname === ifname),
  );
}
