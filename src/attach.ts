import { aliveFile, type LiveGuest } from "./guests/guest.js";
import type { Instance } from "./instance.js";
import { type AttachGuess, guessAttach, guessable } from "./kernel/guess.js";
import { bornLink, linkFrom } from "./kernel/observe.js";
import { type AttachReads, attachReads } from "./kernel/read-attach.js";
import { hasRecord } from "./kernel/record.js";
import { makeReady, outcomeOf, type PlanOutcome, type ReadyPlan, runPlan } from "./kernel/run-plan.js";
import { type Answer, type Begun, Transaction } from "./kernel/transaction.js";
import { drawMark } from "./mark.js";
import { onceHome } from "./nic-wait.js";
import { type AttachOptions, planAttach } from "./plan/attach.js";
import { type PlanContext, slots } from "./plan/context.js";
import { typeFor } from "./plan/kinds.js";
import type { Memory } from "./plan/memory.js";
import { vlanText } from "./plan/port-vlan.js";
import type { Attachment, AttachRequest, LinkType } from "./plan/request.js";
import { withHost } from "./plan/select-host.js";
import type { Plan } from "./plan/step.js";
import type { AttachView } from "./plan/view.js";
import { type AttachWish, parseWish } from "./plan/wish.js";
import { sweep } from "./sweep.js";
import { PipeworkError } from "./values/error.js";
import { SEED_DIGITS } from "./values/mac.js";
import { prefixText } from "./values/prefix.js";
import { tagText } from "./values/tag.js";

/** How often a plan is made anew when the kernel says that the view had become stale: another program was at work. */
const TRIES = 4;

/** Random hex digits; none of them is a secret. */
export function hexDigits(count: number): string {
  let digits = "";
  // Small integers: V8 prints larger ones by a slow path.
  while (digits.length < count) digits += ((Math.random() * 0x1000000) | 0x1000000).toString(16).slice(1);
  return digits.slice(0, count);
}

/** What a plan is made from besides request and view. Randomness is drawn here; none of it is a secret. */
export function contextOf(instance: Instance, guest: LiveGuest): PlanContext {
  const alive = aliveFile(guest);
  return {
    guest: guest.ref,
    guestId: guest.id,
    ...(guest.pid === undefined ? {} : { pid: guest.pid }),
    lasting: guest.kind === "docker" || guest.kind === "podman" || guest.kind === "lxc",
    netns: guest.netns.ino,
    ...(alive === undefined ? {} : { alive }),
    mark: drawMark(),
    seed: hexDigits(SEED_DIGITS),
    recordDir: instance.recordDir,
  };
}

/** The same for a guest that is gone, whose record tells who it was. */
export function contextOfGone(instance: Instance, ref: string, { guest, netns }: Memory): PlanContext {
  return {
    guest: ref,
    guestId: guest,
    lasting: false,
    netns,
    mark: drawMark(),
    seed: hexDigits(SEED_DIGITS),
    recordDir: instance.recordDir,
  };
}

function refuseAborted(signal: AbortSignal | undefined, ref: string): void {
  if (signal?.aborted !== true) return;
  throw new PipeworkError({
    code: "aborted",
    message: `attaching to ${ref} was aborted; nothing was changed`,
    guest: ref,
    cause: signal.reason,
  });
}

/** What to try otherwise after a refusal that says the view no longer held, or that this kernel does not rename live links. */
function nextTry(error: unknown, plan: Plan, options: AttachOptions): AttachOptions | undefined {
  if (!(error instanceof PipeworkError) || error.code !== "kernel-refused") return undefined;
  const failed = plan.steps.find((step) => step.label === error.step)?.id ?? "";
  if (error.errnoName === "EBUSY" && failed.startsWith("replace.aside") && options.detachFirst !== true)
    return { detachFirst: true };
  const creates = failed.endsWith(".create") || failed === "link.rename" || failed === "nic.move";
  return creates && error.errnoName === "EEXIST" ? options : undefined;
}

function modeOf({ mode }: AttachWish, type: LinkType): Pick<Attachment, "mode"> {
  if (type === "macvlan") return { mode: mode ?? "bridge" };
  return type === "ipvlan" ? { mode: mode ?? "l2" } : {};
}

function vlanOf({ tag }: AttachWish): Pick<Attachment, "vlan"> {
  if (tag === undefined) return {};
  return { vlan: "vlan" in tag ? tag.vlan : "trunk" in tag ? vlanText(tag.trunk) : tagText(tag) };
}

function resultOf(
  guest: LiveGuest,
  wish: AttachWish,
  view: AttachView,
  plan: Plan,
  outcome: PlanOutcome | undefined,
): Attachment {
  const reply = (id: string) => {
    const bytes = outcome?.replies.get(id);
    return bytes === undefined ? undefined : linkFrom({ errno: 0, replies: bytes }, wish.ifname, bornLink);
  };
  const link = reply("link.find") ?? view.guest.link;
  const hostEnd =
    reply("veth.find-host") ??
    (plan.outcome === "replaced" || plan.outcome === "attached" ? undefined : view.guest.peer);
  const kept = plan.outcome === "unchanged" || plan.outcome === "completed" ? view.guest.addresses.map(prefixText) : [];
  const addresses = [...kept.filter((text) => !text.startsWith("fe80:")), ...wish.addresses.map(prefixText)];
  const gateways = Object.values(wish.gateways);
  const type = typeFor(wish, view.host.to);
  return {
    guest: wish.guest,
    guestId: guest.id,
    ifname: wish.ifname,
    to: wish.to,
    type,
    ...modeOf(wish, type),
    ...(hostEnd === undefined ? {} : { hostIfname: hostEnd.name }),
    ...vlanOf(wish),
    ifindex: link?.index ?? 0,
    addresses: [...new Set(addresses)],
    ...(gateways.length === 0 ? {} : { gateway: gateways.length === 1 ? (gateways[0] as string) : gateways }),
    mac: link?.address ?? "",
    mtu: link?.mtu ?? 0,
    outcome: plan.outcome as Attachment["outcome"],
    warnings: [...guest.warnings, ...plan.warnings, ...(outcome?.warnings ?? [])],
  };
}

/** What one attempt works with. */
interface Attempt {
  readonly instance: Instance;
  readonly guest: LiveGuest;
  readonly wish: AttachWish;
  readonly request: AttachRequest;
  readonly context: PlanContext;
  readonly reads: AttachReads;
}

function attemptOf(instance: Instance, guest: LiveGuest, wish: AttachWish, request: AttachRequest): Attempt {
  const context = contextOf(instance, guest);
  return { instance, guest, wish, request, context, reads: attachReads(wish, context) };
}

/** Asked for as the program needs them: most need no descriptor of the host's namespace. */
function slotsOf({ instance, guest }: Attempt): Readonly<Record<string, number>> {
  return {
    [slots.guestNetns]: guest.netns.fd,
    get [slots.hostNetns]() {
      return instance.hostNetns.fd;
    },
  };
}

/** From the first answers to a plan; the transaction is ended when there will be none. */
async function planFrom(
  attempt: Attempt,
  transaction: Transaction,
  answers: readonly Answer[],
  options: AttachOptions,
) {
  const { wish, request, context, reads } = attempt;
  try {
    const view = await reads.complete(transaction, answers);
    refuseAborted(request.signal, request.guest);
    const named = withHost(wish, view);
    return { wish: named, view, plan: planAttach(named, view, context, options) };
  } catch (error) {
    await transaction.end();
    throw error;
  }
}

/** A plan for what most attaches find, ready before anything is asked; undefined when there is nothing to go by. */
function guessFor(attempt: Attempt): { guess: AttachGuess; ready: ReadyPlan } | undefined {
  const { instance, wish, reads, context } = attempt;
  const bridge = instance.bridges.get(wish.to);
  // A record of a former link under that name is to be removed, which is no ordinary attach.
  if (bridge === undefined || hasRecord(context.recordDir, context.guestId, wish.ifname)) return undefined;
  const guess = guessAttach(wish, reads, bridge);
  if (guess === undefined) return undefined;
  return { guess, ready: makeReady(planAttach(wish, guess.view, context), slotsOf(attempt)) };
}

/** One attempt: the guess if there is one and it holds, else view, plan and run. */
async function attempt(
  one: Attempt,
  options: AttachOptions,
  failed: (error: unknown, plan: Plan) => void,
): Promise<Attachment> {
  const { instance, guest, wish, reads, request } = one;
  const sides = [instance.host, guest.netns];
  const guessed = guessFor(one);
  refuseAborted(request.signal, request.guest);
  const begun: Begun =
    guessed === undefined
      ? await Transaction.begin(instance.runner, sides, reads.asks, instance.lockFor(request))
      : await Transaction.attempt(instance.runner, sides, reads.asks, instance.lockFor(request), {
          expects: guessed.guess.expects,
          program: guessed.ready.program.instructions,
          slots: guessed.ready.slots,
        });
  if (guessed !== undefined && begun.report !== undefined) {
    const { plan } = guessed.ready;
    try {
      return resultOf(guest, wish, guessed.guess.view, plan, outcomeOf(guessed.ready, begun.report));
    } catch (error) {
      failed(error, plan);
      throw error;
    }
  }
  instance.bridges.delete(wish.to);
  const transaction = begun.transaction as Transaction;
  const { wish: named, view, plan } = await planFrom(one, transaction, begun.answers, options);
  if (plan.steps.length === 0) {
    await transaction.end();
    return resultOf(guest, named, view, plan, undefined);
  }
  try {
    const outcome = await runPlan(transaction, plan, slotsOf(one));
    const bridge = guessable(view, plan);
    if (bridge !== undefined) instance.bridges.set(named.to, bridge);
    return resultOf(guest, named, view, plan, outcome);
  } catch (error) {
    failed(error, plan);
    throw error;
  }
}

export async function attach(instance: Instance, request: AttachRequest): Promise<Attachment> {
  const wish = parseWish(request);
  const guest = await instance.resolve(wish.guest, { timeoutMs: request.timeoutMs, signal: request.signal });
  try {
    let options: AttachOptions = {};
    for (let tries = 1; ; tries++) {
      let next: AttachOptions | undefined;
      const again = (error: unknown, plan: Plan) => {
        next = tries < TRIES ? nextTry(error, plan, options) : undefined;
      };
      const { timeoutMs, signal } = request;
      try {
        const at = await onceHome(instance, { timeoutMs, signal }, () =>
          attempt(attemptOf(instance, guest, wish, request), options, again),
        );
        // What was replaced may have been the last on its VLAN; a killed run may have come just to here.
        if (wish.replace) at.warnings.push(...(await sweep(instance, instance.lockFor(request))));
        return at;
      } catch (error) {
        if (next === undefined) throw error;
        options = next;
      }
    }
  } finally {
    guest.close();
  }
}

/** The plan that attach would run now: reads, never writes, takes no lock. */
export async function planOnly(instance: Instance, request: AttachRequest): Promise<Plan> {
  const wish = parseWish(request);
  const guest = await instance.resolve(wish.guest, { timeoutMs: request.timeoutMs, signal: request.signal });
  try {
    const one = attemptOf(instance, guest, wish, request);
    const { transaction, answers } = await Transaction.begin(
      instance.runner,
      [instance.host, guest.netns],
      one.reads.asks,
      undefined,
    );
    const { plan } = await planFrom(one, transaction, answers, {});
    await transaction.end();
    return plan;
  } finally {
    guest.close();
  }
}
