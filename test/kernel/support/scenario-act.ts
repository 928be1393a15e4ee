import { attach, planOnly } from "../../../src/attach.js";
import { bridge, planBridgeOnly } from "../../../src/bridge.js";
import { detach, planDetachOnly } from "../../../src/detach.js";
import type { Instance } from "../../../src/instance.js";
import type { BridgeRequest } from "../../../src/plan/bridge-request.js";
import type { AttachRequest, DetachRequest } from "../../../src/plan/request.js";
import type { Plan } from "../../../src/plan/step.js";

/** One command on a guest, or on a bridge of the host. */
export type Act =
  | { readonly attach: Omit<AttachRequest, "guest"> }
  | { readonly detach: Omit<DetachRequest, "guest"> }
  | { readonly bridge: BridgeRequest };

/** Carries it out on a namespace and says what it came to. */
export async function perform(instance: Instance, guest: string, act: Act): Promise<string> {
  if ("attach" in act) return (await attach(instance, { guest: `netns:${guest}`, ...act.attach })).outcome;
  if ("bridge" in act) return (await bridge(instance, act.bridge)).outcome;
  return (await detach(instance, { guest: `netns:${guest}`, ...act.detach })).map(({ outcome }) => outcome).join();
}

/** The plan that it would run now. */
export async function planned(instance: Instance, guest: string, act: Act): Promise<Plan> {
  if ("attach" in act) return planOnly(instance, { guest: `netns:${guest}`, ...act.attach });
  if ("bridge" in act) return planBridgeOnly(instance, act.bridge);
  const [plan] = await planDetachOnly(instance, { guest: `netns:${guest}`, ...act.detach });
  if (plan === undefined) throw new Error("there is nothing to detach");
  return plan;
}

/** What a command comes to when it is repeated. */
export function repeated(act: Act): string {
  return "attach" in act || ("bridge" in act && act.bridge.release !== true) ? "unchanged" : "absent";
}
