import { PipeworkError } from "../values/error.js";
import type { PlanBuilder } from "./builder.js";
import type { PlanContext } from "./context.js";
import { nicText } from "./nic.js";
import { awayError, forgetNic, homeSteps, isLost, lostWarning, type NicReturn } from "./nic-home.js";
import type { AttachView } from "./view.js";

/** Gives back what a NIC had that is on the host again, and forgets its attachment. */
export function settleNic(b: PlanBuilder, context: PlanContext, back: NicReturn, prefix: string): void {
  if (isLost(back)) b.warn(lostWarning(back));
  else homeSteps(b, back, prefix);
  forgetNic(b, context, back.memory, `${prefix}forget`, false);
}

/** Refuses, before anything else is looked at, while a NIC of this very attachment cannot be given back. */
export function checkNicBack(context: PlanContext, { guest }: AttachView): void {
  const { nic: own } = guest;
  if (own === undefined || own.host !== undefined || isLost(own)) return;
  if (own.guest === undefined) throw awayError(own, context);
  if (own.guest.link.index === guest.link?.index) return;
  throw new PipeworkError({
    code: "name-taken",
    message:
      `${own.memory.ifname} was attached to ${context.guest} before: it is ${nicText(own.memory.nic)}, ` +
      `which was renamed ${own.guest.link.name} inside it`,
    hint: "detach it first, and attach it again",
    guest: context.guest,
    ifname: own.memory.ifname,
  });
}

/**
 * A record of a NIC that this attachment, or another, had before is settled like a detach before it is written over: its
 * guest was started anew, or a run was killed. The view that remains.
 */
export function settle(b: PlanBuilder, context: PlanContext, view: AttachView): AttachView {
  const { nic: own, ...guest } = view.guest;
  const { former, ...nic } = view.host.nic ?? {};
  if (former !== undefined) settleNic(b, context, former, "former.");
  const host = view.host.nic === undefined ? view.host : { ...view.host, nic: nic as typeof view.host.nic };
  if (own === undefined || own.guest !== undefined) return { ...view, host };
  settleNic(b, context, own, "settle.");
  return { host, guest: { ...guest, record: false } };
}
