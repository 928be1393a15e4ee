import { attach, planOnly } from "../../../src/attach.js";
import { detach, planDetachOnly } from "../../../src/detach.js";
import type { Instance } from "../../../src/instance.js";
import type { AttachRequest, DetachRequest } from "../../../src/plan/request.js";
import type { Plan } from "../../../src/plan/step.js";

/** One command on a guest. */
export type Act = { readonly attach: Omit<AttachRequest, "guest"> } | { readonly detach: Omit<DetachRequest, "guest"> };

/** Carries it out on a namespace and says what it came to. */
export async function perform(instance: Instance, guest: string, act: Act): Promise<string> {
  if ("attach" in act) return (await attach(instance, { guest: `netns:${guest}`, ...act.attach })).outcome;
  return (await detach(instance, { guest: `netns:${guest}`, ...act.detach })).map(({ outcome }) => outcome).join();
}

/** The plan that it would run now. */
export async function planned(instance: Instance, guest: string, act: Act): Promise<Plan> {
  if ("attach" in act) return planOnly(instance, { guest: `netns:${guest}`, ...act.attach });
  const [plan] = await planDetachOnly(instance, { guest: `netns:${guest}`, ...act.detach });
  if (plan === undefined) throw new Error("there is nothing to detach");
  return plan;
}
