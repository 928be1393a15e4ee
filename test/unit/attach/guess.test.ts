import { describe, expect, test } from "vitest";
import { PipeworkError } from "../../../src/values/error.js";
import { type Act, perform, performWith, planned } from "../../fake/act.js";
import { outcomeOf, prepared } from "../../fake/law.js";
import { type Scenario, scenarios } from "../../fake/scenario.js";
import { Scene } from "../../fake/scene.js";
import { snapshot } from "../../fake/snapshot.js";

describe("a process that has attached to the bridge before, and guesses what it will find", () => {
  const guesses = (scenarios["a fresh attachment"] ?? []).filter(
    ({ act }) => "attach" in act && act.attach.to === "br1",
  );

  /** A machine, and an instance that knows the bridge from another guest. */
  async function warmed(scenario: Scenario) {
    const machine = await prepared(scenario);
    const scene = new Scene(machine);
    scene.guest("green");
    const instance = machine.instance();
    const green: Act = { attach: { guest: "netns:green", to: "br1", ifname: "eth9" } };
    await perform(machine, green, instance);
    const { guesses } = machine;
    return { machine, instance, held: () => machine.guesses > guesses };
  }

  test("some of these are as guessed, and some are not", async () => {
    const held: boolean[] = [];
    for (const scenario of guesses) {
      const warm = await warmed(scenario);
      expect(outcomeOf(await perform(warm.machine, scenario.act, warm.instance)), scenario.name).toBe(scenario.outcome);
      held.push(warm.held());
    }
    expect(held).toContain(true);
    expect(held).toContain(false);
  });

  for (const scenario of guesses) {
    test(`${scenario.name}: the same state as without a guess, and each step refused leaves everything as it was`, async () => {
      const plan = await planned((await warmed(scenario)).machine, scenario.act);
      const cold = await warmed(scenario);
      await perform(cold.machine, scenario.act);
      const warm = await warmed(scenario);
      await perform(warm.machine, scenario.act, warm.instance);
      expect(snapshot(warm.machine, { acrossRuns: true })).toEqual(snapshot(cold.machine, { acrossRuns: true }));
      for (const [at, step] of plan.steps.entries()) {
        if (step.optional === true) continue;
        const { machine, instance } = await warmed(scenario);
        const before = snapshot(machine);
        const { error } = (await performWith(machine, scenario.act, { kind: "refuse", at }, instance)) as {
          error: PipeworkError;
        };
        expect(error, step.id).toBeInstanceOf(PipeworkError);
        expect(snapshot(machine), step.id).toEqual(before);
        expect(machine.kernel.openDescriptors, step.id).toBe(1);
      }
    });
  }
});
