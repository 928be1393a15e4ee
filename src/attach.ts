import type { LiveGuest } from "./guests/guest.js";
import type { Instance } from "./instance.js";
import { attachReads } from "./kernel/read-attach.js";
import { bornLink, linkFrom } from "./kernel/observe.js";
import { type PlanOutcome, runPlan } from "./kernel/run-plan.js";
import { Transaction } from "./kernel/transaction.js";
import { type AttachOptions, planAttach } from "./plan/attach.js";
import { MARK_PREFIX, type PlanContext, slots } from "./plan/context.js";
import { chooseKind } from "./plan/kinds.js";
import type { Attachment, AttachRequest } from "./plan/request.js";
import type { Plan } from "./plan/step.js";
import type { AttachView } from "./plan/view.js";
import { type AttachWish, parseWish } from "./plan/wish.js";
import { PipeworkError } from "./values/error.js";
import { SEED_DIGITS } from "./values/mac.js";
import { prefixText } from "./values/prefix.js";

const LOCK_MS = 10_000;
/** How often a plan is made anew when the kernel says that the view had become stale: another program was at work. */
const TRIES = 4;

/** A file whose inode is that of the guest's namespace while it lives. */
function aliveFile({ id, pid }: LiveGuest): string | undefined {
  if (pid !== undefined) return `/proc/${pid}/ns/net`;
  const name = id.startsWith("netns:") ? id.slice(6) : undefined;
  return name === undefined ? undefined : name.startsWith("/") ? name : `/run/netns/${name}`;
}

function hexDigits(count: number): string {
  let digits = "";
  while (digits.length < count) digits += Math.floor(Math.random() * 2 ** 40).toString(16).padStart(10, "0");
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
    mark: (MARK_PREFIX | Math.floor(Math.random() * 0x10000)) >>> 0,
    seed: hexDigits(SEED_DIGITS),
    recordDir: instance.recordDir,
  };
}

function refuseAborted(signal: AbortSignal | undefined, ref: string): void {
  if (signal?.aborted !== true) return;
  throw new PipeworkError({ code: "aborted", message: `attaching to ${ref} was aborted; nothing was changed`, guest: ref, cause: signal.reason });
}

/** What to try otherwise after a refusal that says the view no longer held, or that this kernel does not rename live links. */
function nextTry(error: unknown, plan: Plan, options: AttachOptions): AttachOptions | undefined {
  if (!(error instanceof PipeworkError) || error.code !== "kernel-refused") return undefined;
  const failed = plan.steps.find((step) => step.label === error.step)?.id ?? "";
  if (error.errnoName === "EBUSY" && failed.startsWith("replace.aside") && options.detachFirst !== true) return { detachFirst: true };
  const creates = failed.endsWith(".create") || failed === "link.rename";
  return creates && error.errnoName === "EEXIST" ? options : undefined;
}

function resultOf(guest: LiveGuest, wish: AttachWish, view: AttachView, plan: Plan, outcome: PlanOutcome | undefined): Attachment {
  const reply = (id: string) => {
    const bytes = outcome?.replies.get(id);
    return bytes === undefined ? undefined : linkFrom({ errno: 0, replies: bytes }, wish.ifname, bornLink);
  };
  const link = reply("link.find") ?? view.guest.link;
  const hostEnd = reply("veth.find-host") ?? (plan.outcome === "replaced" || plan.outcome === "attached" ? undefined : view.guest.peer);
  const kept = plan.outcome === "unchanged" || plan.outcome === "completed" ? view.guest.addresses.map(prefixText) : [];
  const addresses = [...kept.filter((text) => !text.startsWith("fe80:")), ...wish.addresses.map(prefixText)];
  const gateways = Object.values(wish.gateways);
  const type = chooseKind(wish, view);
  return {
    guest: wish.guest,
    guestId: guest.id,
    ifname: wish.ifname,
    to: wish.to,
    type,
    ...(type === "macvlan" ? { mode: wish.mode ?? "bridge" } : {}),
    ...(hostEnd === undefined ? {} : { hostIfname: hostEnd.name }),
    ifindex: link?.index ?? 0,
    addresses: [...new Set(addresses)],
    ...(gateways.length === 0 ? {} : { gateway: gateways.length === 1 ? (gateways[0] as string) : gateways }),
    mac: link?.address ?? "",
    mtu: link?.mtu ?? 0,
    outcome: plan.outcome as Attachment["outcome"],
    warnings: [...guest.warnings, ...plan.warnings, ...(outcome?.warnings ?? [])],
  };
}

/** One view and the plan made from it; the transaction is still open. */
async function viewAndPlan(instance: Instance, guest: LiveGuest, wish: AttachWish, request: AttachRequest, options: AttachOptions, locked: boolean) {
  const context = contextOf(instance, guest);
  const reads = attachReads(wish, context);
  const lock = locked ? { runDir: instance.runDir, timeoutMs: request.timeoutMs ?? LOCK_MS } : undefined;
  const { transaction, answers } = await Transaction.begin(instance.runner, [instance.host, guest.netns], reads.asks, lock);
  try {
    const view = await reads.complete(transaction, answers);
    refuseAborted(request.signal, request.guest);
    return { transaction, view, plan: planAttach(wish, view, context, options) };
  } catch (error) {
    await transaction.end();
    throw error;
  }
}

export async function attach(instance: Instance, request: AttachRequest): Promise<Attachment> {
  const wish = parseWish(request);
  const guest = await instance.resolve(wish.guest, { timeoutMs: request.timeoutMs, signal: request.signal });
  try {
    let options: AttachOptions = {};
    for (let tries = 1; ; tries++) {
      const { transaction, view, plan } = await viewAndPlan(instance, guest, wish, request, options, true);
      if (plan.steps.length === 0) {
        await transaction.end();
        return resultOf(guest, wish, view, plan, undefined);
      }
      try {
        const outcome = await runPlan(transaction, plan, { [slots.guestNetns]: guest.netns.fd });
        return resultOf(guest, wish, view, plan, outcome);
      } catch (error) {
        const next = tries < TRIES ? nextTry(error, plan, options) : undefined;
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
    const { transaction, plan } = await viewAndPlan(instance, guest, wish, request, {}, false);
    await transaction.end();
    return plan;
  } finally {
    guest.close();
  }
}
