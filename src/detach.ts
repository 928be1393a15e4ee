import { contextOf } from "./attach.js";
import type { DockerEngine } from "./guests/docker.js";
import type { LiveGuest } from "./guests/guest.js";
import { parseGuestReference } from "./guests/reference.js";
import type { Instance } from "./instance.js";
import { linksFrom } from "./kernel/observe.js";
import { findStray, guestAsks, memoryOf, peerOf, readGuest } from "./kernel/read-guest.js";
import { memoryBehind, readRecords, removeRecord } from "./kernel/record.js";
import { runPlan } from "./kernel/run-plan.js";
import { Transaction } from "./kernel/transaction.js";
import { isMark } from "./plan/context.js";
import { planDetach } from "./plan/detach.js";
import { dumpLinks } from "./plan/link-message.js";
import type { Memory } from "./plan/memory.js";
import type { DetachRequest } from "./plan/request.js";
import type { Plan } from "./plan/step.js";
import type { GuestView } from "./plan/view.js";
import { checkTimeout } from "./plan/wish.js";
import { sweep } from "./sweep.js";
import { invalid, PipeworkError } from "./values/error.js";
import { parseIfname } from "./values/ifname.js";

/** What a detach came to. An interface that was not there is success. */
export interface DetachOutcome {
  readonly guest: string;
  readonly ifname: string;
  readonly outcome: "detached" | "absent";
  readonly warnings: readonly string[];
}

function ifnameOf(request: DetachRequest): string {
  if (request.all === true && request.ifname !== undefined) throw invalid("detach either one interface or all of them");
  checkTimeout(request.timeoutMs);
  return parseIfname(request.ifname ?? "eth1", "interface name");
}

/** Names of everything of ours in a guest. */
async function ours(instance: Instance, guest: LiveGuest): Promise<string[]> {
  const { transaction, answers } = await Transaction.begin(
    instance.runner,
    [instance.host, guest.netns],
    [
      { netns: "guest", message: dumpLinks() },
      { netns: "host", message: dumpLinks() },
    ],
    undefined,
  );
  try {
    const where = { guestId: guest.id, netns: guest.netns.ino, recordDir: instance.recordDir };
    const names = new Set(readRecords(where.recordDir).flatMap((one) => (one.netns === where.netns ? one.ifname : [])));
    // The host's word: it holds whatever the guest has made of its end.
    for (const { alias } of linksFrom(answers[1], "the host's links")) {
      const memory = memoryBehind(alias, where.recordDir);
      if (memory?.netns === where.netns) names.add(memory.ifname);
    }
    for (const link of linksFrom(answers[0], "the guest's links")) {
      const peer = await peerOf(transaction, link);
      const memory = memoryOf(where, link, peer)?.memory;
      if (peer !== undefined && isMark(peer.group)) names.add(link.name);
      // Under another name than its own: set aside by a replacement that was killed.
      if (memory?.netns === where.netns && memory.guest === where.guestId) names.add(memory.ifname);
    }
    return [...names];
  } finally {
    await transaction.end();
  }
}

async function viewAndPlan(
  instance: Instance,
  guest: LiveGuest,
  ifname: string,
  request: DetachRequest,
  locked: boolean,
) {
  const context = contextOf(instance, guest);
  const families = ["inet", "inet6"] as const;
  const lock = locked ? instance.lockFor(request) : undefined;
  const { transaction, answers } = await Transaction.begin(
    instance.runner,
    [instance.host, guest.netns],
    guestAsks(context, ifname, families),
    lock,
  );
  try {
    const read = await readGuest(transaction, context, ifname, families, answers);
    const view = await findStray(transaction, context, ifname, read);
    return { transaction, view, plan: planDetach(ifname, view, context) };
  } catch (error) {
    await transaction.end();
    throw error;
  }
}

async function detachOne(
  instance: Instance,
  guest: LiveGuest,
  ifname: string,
  request: DetachRequest,
): Promise<{ outcome: DetachOutcome; view: GuestView }> {
  const { transaction, view, plan } = await viewAndPlan(instance, guest, ifname, request, true);
  const warnings = [...plan.warnings];
  if (plan.steps.length === 0) await transaction.end();
  else warnings.push(...(await runPlan(transaction, plan, {})).warnings);
  const outcome = plan.outcome === "absent" ? "absent" : "detached";
  return { outcome: { guest: request.guest, ifname, outcome, warnings }, view };
}

/** Whether a VLAN may have lost its last user: not by what has a host end, which is on a bridge. */
function mayLeaveVlan({ peer, stray, aside }: GuestView): boolean {
  return peer === undefined && stray === undefined && aside?.peer === undefined;
}

/** What was asked for has succeeded: VLANs that nothing uses any more go, and what is wrong with that is a warning. */
async function swept(
  instance: Instance,
  request: DetachRequest,
  outcomes: readonly DetachOutcome[],
  vlan: number | undefined,
): Promise<DetachOutcome[]> {
  const warnings = await sweep(instance, instance.lockFor(request), vlan);
  return outcomes.map((one, i) => (i === 0 ? { ...one, warnings: [...one.warnings, ...warnings] } : one));
}

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

/**
 * A guest that is gone took its interfaces along; what is left are records of kinds that leave nothing on the host.
 * @returns what was forgotten
 */
async function forgetGone(instance: Instance, request: DetachRequest, ifname: string): Promise<Memory[]> {
  const ids = await idsOf(instance, request.guest, request);
  const { recordDir } = instance;
  const mine = () =>
    readRecords(recordDir).filter((one) => ids.includes(one.guest) && (request.all === true || one.ifname === ifname));
  if (mine().length === 0) return [];
  const lock = instance.lockFor(request);
  const { transaction } = await Transaction.begin(instance.runner, [instance.host], [], lock);
  try {
    const records = mine();
    for (const one of records) removeRecord(recordDir, one);
    return records;
  } finally {
    await transaction.end();
  }
}

export async function detach(instance: Instance, request: DetachRequest): Promise<DetachOutcome[]> {
  const ifname = ifnameOf(request);
  let guest: LiveGuest;
  try {
    guest = await instance.resolve(request.guest, { timeoutMs: request.timeoutMs ?? 0, signal: request.signal });
  } catch (error) {
    const code = error instanceof PipeworkError ? error.code : undefined;
    if (code !== "guest-not-running" && code !== "guest-not-found") throw error;
    const forgotten = await forgetGone(instance, request, ifname);
    // A guest that nobody knows is a slip of the pen, unless we know it.
    if (code === "guest-not-found" && forgotten.length === 0) throw error;
    const names = request.all === true ? forgotten.map((one) => one.ifname) : [ifname];
    const outcomes = names.map(
      (name): DetachOutcome => ({ guest: request.guest, ifname: name, outcome: "absent", warnings: [] }),
    );
    return await swept(instance, request, outcomes, forgotten[0]?.vlan);
  }
  try {
    const names = request.all === true ? await ours(instance, guest) : [ifname];
    const done: Awaited<ReturnType<typeof detachOne>>[] = [];
    for (const name of names) done.push(await detachOne(instance, guest, name, request));
    const outcomes = done.map(({ outcome }) => outcome);
    if (!done.some(({ view }) => mayLeaveVlan(view))) return outcomes;
    return await swept(instance, request, outcomes, done.find(({ view }) => mayLeaveVlan(view))?.view.memory?.vlan);
  } finally {
    guest.close();
  }
}

/** The plans that detach would run now, one per interface. */
export async function planDetachOnly(instance: Instance, request: DetachRequest): Promise<Plan[]> {
  const ifname = ifnameOf(request);
  const guest = await instance.resolve(request.guest, { timeoutMs: request.timeoutMs, signal: request.signal });
  try {
    const plans: Plan[] = [];
    for (const name of request.all === true ? await ours(instance, guest) : [ifname]) {
      const { transaction, plan } = await viewAndPlan(instance, guest, name, request, false);
      await transaction.end();
      plans.push(plan);
    }
    return plans;
  } finally {
    guest.close();
  }
}
