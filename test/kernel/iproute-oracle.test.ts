import { afterAll, describe, expect, test } from "vitest";
import { compareGroup, readOracle, stillDiffering } from "../oracle/ip-lines.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

describe.each(["route", "rule"])("the words of ip %s, as iproute2 takes them", (name) => {
  const oracle = readOracle(name);
  const { setup, groups } = oracle;
  test.each(groups.map((group) => [group.name, group] as const))("%s", { timeout: 120_000 }, async (_, group) => {
    const world = new World();
    const differing = await compareGroup(world, world.instance(), {
      ...group,
      setup: [...setup, ...(group.setup ?? [])],
    });
    expect(differing.join("\n\n")).toBe("");
    await world.close();
  });

  test("what differs on purpose, still does", async () => {
    const world = new World();
    expect(await stillDiffering(world, world.instance(), oracle)).toEqual([]);
    await world.close();
  });
});
