import { hexDigits } from "./attach.js";
import type { Instance } from "./instance.js";
import { errnoName } from "./kernel/errno.js";
import type { NativeError } from "./kernel/native.js";
import { readUplink, uplinkAsks } from "./kernel/read-uplink.js";
import { runPlan } from "./kernel/run-plan.js";
import { fromNative, type LockOptions, Transaction } from "./kernel/transaction.js";
import { drawMark } from "./mark.js";
import type { BridgeOutcome, BridgeRequest } from "./plan/bridge-request.js";
import { type BridgeWish, parseBridgeWish, type UplinkWish } from "./plan/bridge-wish.js";
import type { Plan } from "./plan/step.js";
import { planUplink } from "./plan/uplink.js";
import type { BridgeContext } from "./plan/uplink-bridge.js";
import { planRelease } from "./plan/uplink-release.js";
import { linkOf, type UplinkView } from "./plan/uplink-view.js";
import { vlanLinkOf, vlanNameOf } from "./plan/uplink-vlan.js";
import { sweep } from "./sweep.js";
import { PipeworkError } from "./values/error.js";
import { SEED_DIGITS } from "./values/mac.js";

function contextOf(instance: Instance): BridgeContext {
  return { mark: drawMark(), seed: hexDigits(SEED_DIGITS), recordDir: instance.recordDir };
}

/** A value below /proc/sys/net of the host's namespace. Some kernels lack some; an unset secret cannot be read. */
async function readSetting(instance: Instance, key: string): Promise<string | undefined> {
  try {
    return await instance.runner.readSysctl(instance.host, `/proc/sys/net/${key}`);
  } catch (error) {
    const { errno } = error as NativeError;
    if (errno !== undefined && ["ENOENT", "EIO", "EACCES"].includes(errnoName(errno))) return undefined;
    throw fromNative(error, `reading ${key}`);
  }
}

/** Name of the link whose place the bridge takes. */
function portOf(wish: UplinkWish, view: Pick<UplinkView, "links">): string | undefined {
  const nic = linkOf(view, wish.uplink);
  return nic === undefined || wish.vlan === undefined ? nic?.name : vlanLinkOf(view, nic, wish.vlan)?.name;
}

function uplinkName(wish: BridgeWish, view: UplinkView): string | undefined {
  if (wish.kind !== "uplink") return view.record?.uplink;
  const nic = linkOf(view, wish.uplink);
  return nic === undefined || wish.vlan === undefined ? nic?.name : vlanNameOf(view, nic, wish.vlan);
}

interface Planned {
  readonly transaction: Transaction;
  readonly view: UplinkView;
  readonly plan: Plan;
}

async function viewAndPlan(
  instance: Instance,
  wish: BridgeWish,
  signal: AbortSignal | undefined,
  lock: LockOptions | undefined,
): Promise<Planned> {
  const { transaction, answers } = await Transaction.begin(instance.runner, [instance.host], uplinkAsks, lock);
  try {
    const context = contextOf(instance);
    const view = await readUplink(
      transaction,
      {
        bridge: wish.name,
        port: (links) => (wish.kind === "uplink" ? portOf(wish, links) : undefined),
        recordDir: context.recordDir,
        readSetting: (key) => readSetting(instance, key),
        ownMachine: instance.host === null,
      },
      answers[0],
    );
    if (signal?.aborted === true)
      throw new PipeworkError({
        code: "aborted",
        message: `bridge ${wish.name}: aborted; nothing was changed`,
        cause: signal.reason,
      });
    if (wish.kind === "vxlan")
      throw new PipeworkError({ code: "unsupported", message: "a VXLAN uplink is not in this version yet" });
    const plan = wish.kind === "uplink" ? planUplink(wish, view, context) : planRelease(wish, view, context);
    return { transaction, view, plan };
  } catch (error) {
    await transaction.end();
    throw error;
  }
}

/** Addresses that a plan puts on another link, in its order. */
function handedOver(plan: Plan): string[] {
  const prefix = "address.on.";
  return plan.steps.flatMap(({ id }) =>
    id.startsWith(prefix) && !id.startsWith(`${prefix}fe80:`) ? [id.slice(prefix.length)] : [],
  );
}

function resultOf(wish: BridgeWish, view: UplinkView, plan: Plan, warnings: readonly string[]): BridgeOutcome {
  const uplink = uplinkName(wish, view);
  return {
    bridge: wish.name,
    ...(uplink === undefined ? {} : { uplink }),
    addresses: handedOver(plan),
    outcome: plan.outcome as BridgeOutcome["outcome"],
    warnings: [...plan.warnings, ...warnings],
  };
}

/** Gives a bridge its uplink or takes it back, all or nothing. */
export async function bridge(instance: Instance, request: BridgeRequest): Promise<BridgeOutcome> {
  const wish = parseBridgeWish(request);
  const { transaction, view, plan } = await viewAndPlan(instance, wish, request.signal, instance.lockFor(request));
  const warnings: string[] = [];
  if (plan.steps.length === 0) await transaction.end();
  else warnings.push(...(await runPlan(transaction, plan, {})).warnings);
  // A VLAN link that was made for it goes once nothing uses it.
  if (wish.kind === "release") warnings.push(...(await sweep(instance, instance.lockFor(request))));
  return resultOf(wish, view, plan, warnings);
}

/** The plan that bridge would run now: reads, never writes, takes no lock. */
export async function planBridgeOnly(instance: Instance, request: BridgeRequest): Promise<Plan> {
  const wish = parseBridgeWish(request);
  const { transaction, plan } = await viewAndPlan(instance, wish, request.signal, undefined);
  await transaction.end();
  return plan;
}
