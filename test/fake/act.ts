import { attach, planOnly } from "../../src/attach.js";
import { detach, planDetachOnly } from "../../src/detach.js";
import type { Instance } from "../../src/instance.js";
import { list } from "../../src/list.js";
import type { AttachRequest, DetachRequest } from "../../src/plan/request.js";
import type { Plan } from "../../src/plan/step.js";
import type { Fault } from "./fault.js";
import type { FakeMachine } from "./machine.js";

/** One command. */
export type Act = { readonly attach: AttachRequest } | { readonly detach: DetachRequest };

/** Runs something in a process of its own, or in one that is there. */
async function inProcess<T>(
  machine: FakeMachine,
  work: (instance: Instance) => Promise<T>,
  running?: Instance,
): Promise<T> {
  if (running !== undefined) return work(running);
  const instance = machine.instance();
  try {
    return await work(instance);
  } finally {
    await instance.close();
  }
}

export async function perform(machine: FakeMachine, act: Act, running?: Instance): Promise<unknown> {
  return inProcess(
    machine,
    async (instance): Promise<unknown> =>
      "attach" in act ? attach(instance, act.attach) : detach(instance, act.detach),
    running,
  );
}

export async function planned(machine: FakeMachine, act: Act): Promise<Plan> {
  return inProcess(machine, async (instance) => {
    if ("attach" in act) return planOnly(instance, act.attach);
    const [plan] = await planDetachOnly(instance, act.detach);
    if (plan === undefined) throw new Error("there is nothing to detach");
    return plan;
  });
}

export async function listed(machine: FakeMachine): Promise<unknown> {
  return inProcess(machine, (instance) => list(instance));
}

/** Runs with a fault and says how it ended; what only a fault can cause is not thrown. */
export async function performWith(
  machine: FakeMachine,
  act: Act,
  fault: Fault,
  running?: Instance,
): Promise<{ error: unknown } | { value: unknown }> {
  machine.fault = fault;
  try {
    return { value: await perform(machine, act, running) };
  } catch (error) {
    return { error };
  } finally {
    machine.fault = undefined;
  }
}

/** Lets the process die in front of the step of that id, which must be in the plan. */
export async function killedAt(machine: FakeMachine, act: Act, id: string): Promise<void> {
  const { steps } = await planned(machine, act);
  const at = steps.findIndex((step) => step.id === id);
  if (at < 0) throw new Error(`there is no step ${id} among ${steps.map((step) => step.id).join(", ")}`);
  const { deaths } = machine;
  await performWith(machine, act, { kind: "kill", at });
  if (machine.deaths !== deaths + 1) throw new Error("it was not killed");
}
