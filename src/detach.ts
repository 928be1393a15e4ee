import { contextOf, contextOfGone } from "./attach.js";
import { recordsOfGone } from "./gone-guest.js";
import type { LiveGuest } from "./guests/guest.js";
import type { Instance } from "./instance.js";
import { linksFrom } from "./kernel/observe.js";
import { findStray, guestAsks, memoryOf, peerOf, readGuest } from "./kernel/read-guest.js";
import { whereIsNic } from "./kernel/read-nic.js";
import { hasRecord, memoryBehind, readRecords, recordOf } from "./kernel/record.js";
import { runPlan } from "./kernel/run-plan.js";
import { Transaction } from "./kernel/transaction.js";
import { onceHome } from "./nic-wait.js";
import { isMark, type PlanContext, slots } from "./plan/context.js";
import { planDetach } from "./plan/detach.js";
import { dumpLinks } from "./plan/link-message.js";
import type { Memory } from "./plan/memory.js";
import { isPhys } from "./plan/nic.js";
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
    const names = new Set(
      readRecords(where.recordDir).flatMap((one) =>
        // A NIC outlives the namespace of a guest that was started anew, and waits to be given back.
        one.netns === where.netns || (isPhys(one) && one.guest === where.guestId) ? one.ifname : [],
      ),
    );
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

/** What a detach came to see and would do. */
interface Planned {
  readonly transaction: Transaction;
  readonly view: GuestView;
  readonly plan: Plan;
}

async function planned(
  begun: { transaction: Transaction },
  ifname: string,
  context: PlanContext,
  read: () => Promise<GuestView>,
): Promise<Planned> {
  try {
    const view = await read();
    return { transaction: begun.transaction, view, plan: planDetach(ifname, view, context) };
  } catch (error) {
    await begun.transaction.end();
    throw error;
  }
}

async function viewAndPlan(
  instance: Instance,
  guest: LiveGuest,
  ifname: string,
  request: DetachRequest,
  locked: boolean,
): Promise<Planned> {
  const context = contextOf(instance, guest);
  const families = ["inet", "inet6"] as const;
  const lock = locked ? instance.lockFor(request) : undefined;
  const begun = await Transaction.begin(
    instance.runner,
    [instance.host, guest.netns],
    guestAsks(context, ifname, families),
    lock,
  );
  return planned(begun, ifname, context, async () => {
    const read = await readGuest(begun.transaction, context, ifname, families, begun.answers);
    return findStray(begun.transaction, context, ifname, read);
  });
}

/** The same for a guest that is gone: it took its interfaces along, but for a NIC, which the kernel has put elsewhere. */
async function viewAndPlanGone(
  instance: Instance,
  memory: Memory,
  request: DetachRequest,
  locked: boolean,
): Promise<Planned> {
  const context = contextOfGone(instance, request.guest, memory);
  const lock = locked ? instance.lockFor(request) : undefined;
  const begun = await Transaction.begin(instance.runner, [instance.host], [], lock);
  const { guest, ifname } = memory;
  return planned(begun, ifname, context, async () => {
    // Read again, now that nobody can change it.
    const now = recordOf(context.recordDir, guest, ifname);
    const nic = isPhys(now) ? { nic: await whereIsNic(begun.transaction, now, undefined) } : {};
    const nothing = { addresses: [], routes: [], names: new Map<number, string>(), displacers: {} };
    return { ...nothing, record: hasRecord(context.recordDir, guest, ifname), ...nic };
  });
}

async function detachOne(
  instance: Instance,
  ifname: string,
  request: DetachRequest,
  look: () => Promise<Planned>,
): Promise<{ outcome: DetachOutcome; view: GuestView }> {
  const { timeoutMs, signal } = request;
  return onceHome(instance, { timeoutMs, signal }, async () => {
    const { transaction, view, plan } = await look();
    const warnings = [...plan.warnings];
    if (plan.steps.length === 0) await transaction.end();
    else {
      const known = {
        get [slots.hostNetns]() {
          return instance.hostNetns.fd;
        },
      };
      warnings.push(...(await runPlan(transaction, plan, known)).warnings);
    }
    const outcome = plan.outcome === "absent" ? "absent" : "detached";
    return { outcome: { guest: request.guest, ifname, outcome, warnings }, view };
  });
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

/** What is to be detached, and how each of it is looked at. */
interface Task {
  readonly ifname: string;
  /** The VLAN that it is on, of a guest that is gone. */
  readonly vlan?: number | undefined;
  readonly look: (locked: boolean) => Promise<Planned>;
}

/** Finds the guest, or what it left behind, and does the work with both at hand. */
async function withTasks<T>(
  instance: Instance,
  request: DetachRequest,
  work: (tasks: readonly Task[]) => Promise<T>,
): Promise<T> {
  const ifname = ifnameOf(request);
  let guest: LiveGuest;
  try {
    guest = await instance.resolve(request.guest, { timeoutMs: request.timeoutMs ?? 0, signal: request.signal });
  } catch (error) {
    const code = error instanceof PipeworkError ? error.code : undefined;
    if (code !== "guest-not-running" && code !== "guest-not-found") throw error;
    const records = await recordsOfGone(instance, request, ifname);
    // A guest that nobody knows is a slip of the pen, unless we know it.
    if (code === "guest-not-found" && records.length === 0) throw error;
    const known = records.length > 0 || request.all === true ? records : [nothingOf(request, ifname)];
    return work(
      known.map((memory) => ({
        ifname: memory.ifname,
        vlan: memory.vlan,
        look: (locked) => viewAndPlanGone(instance, memory, request, locked),
      })),
    );
  }
  try {
    const names = request.all === true ? await ours(instance, guest) : [ifname];
    return await work(
      names.map((name) => ({
        ifname: name,
        look: (locked) => viewAndPlan(instance, guest, name, request, locked),
      })),
    );
  } finally {
    guest.close();
  }
}

function nothingOf({ guest }: DetachRequest, ifname: string): Memory {
  return { guest, ifname, netns: 0, displaced: [] };
}

export function detach(instance: Instance, request: DetachRequest): Promise<DetachOutcome[]> {
  return withTasks(instance, request, async (tasks) => {
    const outcomes: DetachOutcome[] = [];
    let leaves: { readonly vlan: number | undefined } | undefined;
    for (const { ifname, vlan, look } of tasks) {
      const { outcome, view } = await detachOne(instance, ifname, request, () => look(true));
      outcomes.push(outcome);
      if (mayLeaveVlan(view)) leaves ??= { vlan: view.memory?.vlan ?? vlan };
    }
    return leaves === undefined ? outcomes : swept(instance, request, outcomes, leaves.vlan);
  });
}

/** The plans that detach would run now, one per interface. */
export function planDetachOnly(instance: Instance, request: DetachRequest): Promise<Plan[]> {
  return withTasks(instance, request, async (tasks) => {
    const plans: Plan[] = [];
    for (const { look } of tasks) {
      const { transaction, plan } = await look(false);
      await transaction.end();
      plans.push(plan);
    }
    return plans;
  });
}
