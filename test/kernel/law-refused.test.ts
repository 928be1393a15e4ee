import { afterAll, describe, expect, test } from "vitest";
import { loadAddon } from "../../src/kernel/addon.js";
import { PipeworkError } from "../../src/values/error.js";
import { FaultyAddon, refused } from "./support/faulty-addon.js";
import { freshScenarios, furtherScenarios, guestOf } from "./support/scenario.js";
import { perform, planned } from "./support/scenario-act.js";
import { awaited, settled } from "./support/snapshot.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

describe("each step refused by the kernel leaves everything as it was", () => {
  for (const scenario of [...freshScenarios, ...furtherScenarios]) {
    test(scenario.name, async () => {
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
      expect(await perform(instance, guest, scenario.act)).toBe("attach" in scenario.act ? "unchanged" : "absent");
    });
  }
});

test("each step refused in a process that guessed what it would find leaves everything as it was", async () => {
  const world = new World();
  const [guest, other] = [world.guest(), world.guest()];
  world.bridge("br1");
  const faulty = new FaultyAddon(loadAddon());
  const instance = world.instance(() => faulty.load());
  const act = {
    attach: { to: "br1", addresses: ["192.168.1.2/24", "fd00:1::2/64"], gateway: ["192.168.1.1", "fd00:1::1"] },
  };
  await perform(instance, other, { attach: { to: "br1" } });
  const { steps } = await planned(instance, guest, act);
  const before = await settled(world);
  for (const [at, step] of steps.entries()) {
    if (step.optional === true) continue;
    faulty.tamper = (program) => program.with(at, refused(program[at] as (typeof program)[number]));
    const error: unknown = await perform(instance, guest, act).catch((reason: unknown) => reason);
    expect(error, step.id).toBeInstanceOf(PipeworkError);
    expect(await awaited(world, before), step.id).toEqual(before);
  }
  expect(faulty.guesses).toBe(steps.filter(({ optional }) => optional !== true).length);
  expect(await perform(instance, guest, act)).toBe("attached");
});
