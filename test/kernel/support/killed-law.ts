import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { list } from "../../../src/list.js";
import { Children } from "./command-process.js";
import { guestOf, type Scenario } from "./scenario.js";
import { perform, planned, repeated } from "./scenario-act.js";
import { awaited, settled } from "./snapshot.js";
import { closeWorlds, type World } from "./world.js";

let children: Children;

/** A world in which nothing of the scenario's command has happened yet. */
async function prepared(scenario: Scenario): Promise<World> {
  const world = scenario.world();
  const instance = world.instance();
  for (const act of scenario.acts ?? []) await perform(instance, guestOf(world), act);
  return world;
}

const across = { acrossWorlds: true };

/** What is there once the command has run undisturbed, and how many instructions it takes. */
async function undisturbed(scenario: Scenario) {
  const world = await prepared(scenario);
  const instance = world.instance();
  const { steps } = await planned(instance, guestOf(world), scenario.act);
  expect(await perform(instance, guestOf(world), scenario.act)).toBe(scenario.outcome);
  const state = await settled(world, across);
  const listed = (await list(instance)).map(({ state, ifname }) => [ifname, state]);
  await world.close();
  return { steps, state, listed };
}

/** After a kill -9 at any point of a plan the same command finishes the job. */
export function killedLaw(scenarios: readonly Scenario[]): void {
  beforeAll(async () => {
    children = await Children.make();
  });

  afterAll(async () => {
    await closeWorlds();
    children.dispose();
  });

  describe("killed after any number of instructions, the same command finishes the job", () => {
    for (const scenario of scenarios) {
      test(scenario.name, async () => {
        const { steps, state, listed } = await undisturbed(scenario);
        const tasks = Array.from({ length: steps.length + 1 }, (_, at) => at);
        const work = async (): Promise<void> => {
          for (let at = tasks.shift(); at !== undefined; at = tasks.shift()) {
            const where = `killed in front of ${steps[at]?.id ?? "the end"}`;
            const world = await prepared(scenario);
            const guest = guestOf(world);
            expect((await children.run(world, guest, scenario.act, at)).signal, where).toBe("SIGKILL");
            const instance = world.instance();
            await perform(instance, guest, scenario.act);
            expect(await awaited(world, state, across), where).toEqual(state);
            expect(
              (await list(instance)).map(({ state, ifname }) => [ifname, state]),
              where,
            ).toEqual(listed);
            expect(await perform(instance, guest, scenario.act), where).toBe(repeated(scenario.act));
            await world.close();
          }
        };
        // Two at a time: most of each is the start of the child.
        await Promise.all([work(), work()]);
      });
    }
  });
}
