import { afterAll, expect, test } from "vitest";
import { loadAddon } from "../../src/kernel/addon.js";
import { PipeworkError } from "../../src/values/error.js";
import { FaultyAddon, refused } from "./support/faulty-addon.js";
import { refusedLaw } from "./support/refused-law.js";
import { freshScenarios, furtherScenarios } from "./support/scenario.js";
import { perform, planned } from "./support/scenario-act.js";
import { awaited, settled } from "./support/snapshot.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

refusedLaw([...freshScenarios, ...furtherScenarios]);

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
