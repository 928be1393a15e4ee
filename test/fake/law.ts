import { afterEach, describe, expect, test, vi } from "vitest";
import type { NativeInstruction } from "../../src/kernel/native.js";
import type { Plan, Step } from "../../src/plan/step.js";
import { PipeworkError } from "../../src/values/error.js";
import { type Act, listed, perform, performWith, planned } from "./act.js";
import { FakeMachine } from "./machine.js";
import { type Scenario, scenarios } from "./scenario.js";
import { Scene } from "./scene.js";
import { snapshot } from "./snapshot.js";

const machines: FakeMachine[] = [];

afterEach(() => {
  for (const machine of machines.splice(0)) machine.dispose();
  vi.restoreAllMocks();
});

/** A machine on which nothing of the act has happened yet. */
export async function prepared(scenario: Scenario): Promise<FakeMachine> {
  // What is drawn on the way there is drawn alike each time.
  let draws = 0;
  vi.spyOn(Math, "random").mockImplementation(() => (draws++ * 0.6180339887) % 1);
  const machine = new FakeMachine();
  machines.push(machine);
  await scenario.before(new Scene(machine), machine);
  machine.programs.length = 0;
  return machine;
}

/** Deletes what nobody wants back, debris and a link that is replaced first, so their loss outlives a failure. */
function isLoss(step: Step): boolean {
  if (step.id.startsWith("debris.")) return true;
  return (step.id === "replace.detach" || step.id === "replace.forget") && "none" in step.undo;
}

/** Behind the removal of a macvlan, undo has made it again: all is as before but its ifindex. */
function isReborn(steps: readonly Step[]): boolean {
  return steps.some((step) => step.id === "replace.detach" && "inverse" in step.undo);
}

/** What a failure in step `at` may leave: the state before, less what was removed for good. */
async function afterLosses(scenario: Scenario, plan: Plan, at: number, inclusive: boolean): Promise<unknown> {
  const machine = await prepared(scenario);
  const which = new Set(
    plan.steps.flatMap((step, i) => (isLoss(step) && (i < at || (inclusive && i === at)) ? [i] : [])),
  );
  // With a link goes what it had the place of, unless that was given back before.
  const last = Math.max(...which);
  for (const [i, step] of plan.steps.entries()) if (i < last && step.id.includes("release.")) which.add(i);
  if (which.size > 0) await performWith(machine, scenario.act, { kind: "only", which });
  return snapshot(machine);
}

const detachOf = (act: Act): Act => {
  if ("detach" in act) return act;
  const { guest, ifname } = act.attach;
  return { detach: { guest, ...(ifname === undefined ? {} : { ifname }) } };
};

export function outcomeOf(value: unknown): unknown {
  return Array.isArray(value) ? value.map((one) => one.outcome).join() : (value as { outcome: string }).outcome;
}

/** A list without what differs from run to run. */
async function steadyList(machine: FakeMachine): Promise<unknown> {
  const all = (await listed(machine)) as { ifindex: number; mac: string }[];
  return all.map(({ ifindex, mac, ...rest }) => ({
    ...rest,
    ifindex: ifindex > 0,
    mac: /^02:/.test(mac) ? "drawn" : mac,
  }));
}

/** The law of plans on the fake kernel, for one group of scenarios. */
export function lawOfPlans(group: string): void {
  // Some are hundreds of runs each, on machines that may be busy.
  describe(group, { timeout: 60_000 }, () => {
    for (const scenario of scenarios[group] ?? []) {
      describe(scenario.name, () => {
        test("ends as it should, and leaves no descriptor open", async () => {
          const machine = await prepared(scenario);
          const value = await perform(machine, scenario.act);
          expect(outcomeOf(value)).toBe(scenario.outcome);
          expect(machine.kernel.openDescriptors).toBe(0);
        });

        test("each step refused in turn leaves everything as it was", async () => {
          const plan = await planned(await prepared(scenario), scenario.act);
          const undisturbed = await prepared(scenario);
          await perform(undisturbed, scenario.act);
          // What is as it was before serves for the next step too.
          let same: FakeMachine | undefined;
          for (const [at, step] of plan.steps.entries()) {
            const machine = same ?? (await prepared(scenario));
            const reborn = isReborn(plan.steps.slice(0, at));
            same = step.optional === true || reborn || plan.steps.slice(0, at).some(isLoss) ? undefined : machine;
            const before = snapshot(machine, { acrossRuns: reborn });
            const ended = await performWith(machine, scenario.act, { kind: "refuse", at });
            if (step.optional === true) {
              expect(ended, step.id).toHaveProperty("value");
              if (!step.id.startsWith("announce.")) continue;
              const flagless = { acrossRuns: true, withoutNotify: true };
              expect(snapshot(machine, flagless), step.id).toEqual(snapshot(undisturbed, flagless));
              if (step.id === "announce.end") await perform(machine, scenario.act);
              if (step.id === "announce.end")
                expect(snapshot(machine, { acrossRuns: true }), step.id).toEqual(
                  snapshot(undisturbed, { acrossRuns: true }),
                );
              continue;
            }
            const { error } = ended as { error: PipeworkError };
            expect(error, step.id).toBeInstanceOf(PipeworkError);
            expect(
              error.undo.filter(({ failure }) => failure !== undefined),
              step.id,
            ).toEqual([]);
            expect(snapshot(machine, { acrossRuns: reborn }), step.id).toEqual(
              plan.steps.slice(0, at).some(isLoss) ? await afterLosses(scenario, plan, at, false) : before,
            );
            expect(error.message).toContain(step.op.op === "identity" ? "died" : step.label);
            expect(machine.kernel.openDescriptors, step.id).toBe(0);
          }
        });

        test.each(["lose-ack", "lose-request"] as const)(
          "each step whose outcome is not known leaves everything as it was: %s",
          async (kind) => {
            const plan = await planned(await prepared(scenario), scenario.act);
            let same: FakeMachine | undefined;
            for (const [at, step] of plan.steps.entries()) {
              if (step.optional === true || step.op.op !== "netlink") continue;
              const machine = same ?? (await prepared(scenario));
              const reborn = isReborn(plan.steps.slice(0, kind === "lose-ack" ? at + 1 : at));
              const before = snapshot(machine, { acrossRuns: reborn });
              const { error } = (await performWith(machine, scenario.act, { kind, at })) as { error: PipeworkError };
              expect(error, step.id).toBeInstanceOf(PipeworkError);
              expect(
                error.undo.filter(({ failure }) => failure !== undefined),
                step.id,
              ).toEqual([]);
              const done = kind === "lose-ack";
              const lossy = plan.steps.slice(0, done ? at + 1 : at).some(isLoss);
              same = lossy || reborn ? undefined : machine;
              expect(snapshot(machine, { acrossRuns: reborn }), step.id).toEqual(
                lossy ? await afterLosses(scenario, plan, at, done) : before,
              );
            }
          },
        );

        test("killed in front of each step in turn, the same command finishes the job", async () => {
          const plan = await planned(await prepared(scenario), scenario.act);
          const undisturbed = await prepared(scenario);
          await perform(undisturbed, scenario.act);
          const attached = snapshot(undisturbed, { acrossRuns: true });
          const attachedList = await steadyList(undisturbed);
          await perform(undisturbed, detachOf(scenario.act));
          const detached = snapshot(undisturbed, { acrossRuns: true });
          for (let at = 0; at <= plan.steps.length; at++) {
            const where = `killed in front of ${plan.steps[at]?.id ?? "the end"}`;
            const machine = await prepared(scenario);
            await performWith(machine, scenario.act, { kind: "kill", at });
            expect(machine.deaths, where).toBeGreaterThan(0);
            await perform(machine, scenario.act);
            expect(snapshot(machine, { acrossRuns: true }), where).toEqual(attached);
            expect(await steadyList(machine), where).toEqual(attachedList);
            await perform(machine, detachOf(scenario.act));
            expect(snapshot(machine, { acrossRuns: true }), `${where}, then detached`).toEqual(detached);
          }
        });

        test("repeated, nothing is left to do", async () => {
          const machine = await prepared(scenario);
          await perform(machine, scenario.act);
          const before = snapshot(machine);
          machine.programs.length = 0;
          const again = await perform(machine, scenario.act);
          expect(outcomeOf(again)).toBe("attach" in scenario.act ? "unchanged" : "absent");
          // To be asked whether it is used is nothing to a VLAN that is.
          const asks = (program: readonly NativeInstruction[]) =>
            program.every((one) => one.optional === true || one.ifSlot !== undefined || one.capture !== undefined);
          expect(machine.programs.filter((program) => !asks(program))).toEqual([]);
          expect(snapshot(machine)).toEqual(before);
        });

        test("the plan is plain JSON, and making it changes nothing", async () => {
          const machine = await prepared(scenario);
          const before = snapshot(machine);
          const plan = await planned(machine, scenario.act);
          expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
          expect(snapshot(machine)).toEqual(before);
          expect(machine.programs).toEqual([]);
          for (const { id, undo } of plan.steps) expect(Object.keys(undo), id).toHaveLength(1);
        });

        if ("detach" in scenario.act || scenario.beyondDetach !== undefined) return;
        test("killed in front of each step in turn, a detach takes everything back", async () => {
          const { act } = scenario;
          const plan = await planned(await prepared(scenario), act);
          const undisturbed = await prepared(scenario);
          await perform(undisturbed, act);
          await perform(undisturbed, detachOf(act));
          const whole = snapshot(undisturbed, { acrossRuns: true }) as {
            namespaces: { path: string }[];
            files: object;
          };
          for (let at = 0; at <= plan.steps.length; at++) {
            const where = `killed in front of ${plan.steps[at]?.id ?? "the end"}`;
            const machine = await prepared(scenario);
            await performWith(machine, act, { kind: "kill", at });
            await perform(machine, detachOf(act));
            const left = snapshot(machine, { acrossRuns: true }) as typeof whole;
            // The bridge and the parent are as far as the killed run came: nothing that detach has to do with.
            const guests = (one: typeof whole) => one.namespaces.filter(({ path }) => path !== "/run/netns/host");
            expect(guests(left), where).toEqual(guests(whole));
            expect(left.files, where).toEqual(whole.files);
            expect(await steadyList(machine), where).toEqual(await steadyList(undisturbed));
          }
        });
      });
    }
  });
}
