import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Children } from "./support/command-process.js";
import { killedLaw } from "./support/killed-law.js";
import { guestOf, type Scenario } from "./support/scenario.js";
import { perform, planned } from "./support/scenario-act.js";
import { awaited, settled } from "./support/snapshot.js";
import { uplinkScenarios } from "./support/uplink-scenario.js";

vi.setConfig({ testTimeout: 120_000 });
killedLaw(uplinkScenarios);

let children: Children;

beforeAll(async () => {
  children = await Children.make();
});
afterAll(() => children.dispose());

const release = { bridge: { name: "br0", release: true } };

// A NIC that was down stays up, as the parent of a macvlan does.
const takes = uplinkScenarios.filter(({ acts, name }) => acts === undefined && !name.includes("down"));

test.each(takes)(
  "killed after any number of instructions, --release puts everything back: $name",
  async (scenario: Scenario) => {
    const first = scenario.world();
    const { steps } = await planned(first.instance(), guestOf(first), scenario.act);
    await first.close();
    const tasks = Array.from({ length: steps.length + 1 }, (_, at) => at);
    const work = async (): Promise<void> => {
      for (let at = tasks.shift(); at !== undefined; at = tasks.shift()) {
        const where = `killed in front of ${steps[at]?.id ?? "the end"}`;
        const world = scenario.world();
        const before = await settled(world);
        expect((await children.run(world, guestOf(world), scenario.act, at)).signal, where).toBe("SIGKILL");
        const instance = world.instance();
        await perform(instance, guestOf(world), release);
        const now = await awaited(world, before);
        expect(now, where).toEqual(before);
        expect(await perform(instance, guestOf(world), release), where).toBe("absent");
        await world.close();
      }
    };
    await Promise.all([work(), work()]);
  },
);
