import { describe, expect, test } from "vitest";
import { loadAddon } from "../../../src/kernel/addon.js";
import { PipeworkError } from "../../../src/values/error.js";
import { FaultyAddon, refused } from "./faulty-addon.js";
import { guestOf, type Scenario } from "./scenario.js";
import { perform, planned, repeated } from "./scenario-act.js";
import { awaited, settled } from "./snapshot.js";

/** Each message of a plan in turn is one that the kernel refuses: the state is as before, and the command then succeeds. */
export function refusedLaw(scenarios: readonly Scenario[]): void {
  describe("each step refused by the kernel leaves everything as it was", () => {
    for (const scenario of scenarios) {
      test(scenario.name, { timeout: 120_000 }, async () => {
        const world = scenario.world();
        const guest = guestOf(world);
        const faulty = new FaultyAddon(loadAddon());
        const instance = world.instance(() => faulty.load());
        for (const act of scenario.acts ?? []) await perform(instance, guest, act);
        const plan = await planned(instance, guest, scenario.act);
        const before = await settled(world);
        for (const [at, step] of plan.steps.entries()) {
          // What is announced or given back as best it can be does not fail a plan; behind a removal there is no way back.
          if (step.optional === true) continue;
          faulty.tamper = (program) => program.with(at, refused(program[at] as (typeof program)[number]));
          const error: unknown = await perform(instance, guest, scenario.act).catch((reason: unknown) => reason);
          expect(error, step.id).toBeInstanceOf(PipeworkError);
          const { undo, message } = error as PipeworkError;
          expect(
            undo.filter(({ failure }) => failure !== undefined),
            `${step.id}: ${message}`,
          ).toEqual([]);
          expect(await awaited(world, before), step.id).toEqual(before);
          if (step.id === "replace.detach") break;
        }
        const { outcome } = scenario;
        expect(await perform(instance, guest, scenario.act)).toBe(outcome);
        expect(await perform(instance, guest, scenario.act)).toBe(repeated(scenario.act));
      });
    }
  });
}
