import { afterAll, describe, expect, test } from "vitest";
import type { Instance } from "../../src/instance.js";
import { planRuleOnly, rule } from "../../src/rule.js";
import { expectRefusal } from "./support/refusal.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

/** A guest with rules of many sorts, some of one priority. */
function scene(): { world: World; guest: string; ref: string; instance: Instance } {
  const world = new World();
  const guest = world.guest();
  world.ip(
    guest,
    "rule add pref 100 from 10.0.0.0/8 fwmark 7/15 table 100",
    "rule add pref 100 from 10.0.0.0/8 table 100",
    "rule add pref 100 from 11.0.0.0/8 table 101 proto static realms 5",
    "rule add pref 101 not to 12.0.0.0/8 iif lo oif eth9 uidrange 5-6 ipproto tcp sport 5-9 dport 80 table 1000",
    "rule add pref 102 goto 32766",
    "rule add pref 103 blackhole",
    "rule add pref 104 table main suppress_prefixlength 0 suppress_ifgroup 5",
    "rule add pref 105 l3mdev",
  );
  world.shell(
    guest,
    "ip -6 rule add pref 100 from fd00::/8 table 100; ip -6 rule add pref 100 from fd01::/16 table 101",
  );
  return { world, guest, ref: `netns:${guest}`, instance: world.instance() };
}

/** A line that the kernel refuses wherever it stands. */
const REFUSED = "del pref 999";

describe("lines are one transaction", () => {
  test("all of them hold", async () => {
    const { world, guest, ref, instance } = scene();
    await rule(instance, ref, [
      "flush table 1000",
      "add from 192.168.1.2 table 200",
      ["add", "from", "192.168.1.3", "table", "200"],
      "ip -6 rule del pref 100 from fd01::/16",
      "add from fd02::1 table 200 pref 7",
    ]);
    expect(world.json(guest, "rule", "show", "table", "200")).toMatchObject([
      { priority: 98, src: "192.168.1.3" },
      { priority: 99, src: "192.168.1.2" },
    ]);
    expect(world.json(guest, "rule", "show", "table", "1000")).toEqual([]);
    expect(world.json(guest, "-6", "rule").map(({ priority }) => priority)).toEqual([0, 7, 100, 32766]);
  });

  test.each([
    ["add", ["add from 13.0.0.0/8 table 100"]],
    ["add with the priority of others", ["add pref 100 from 13.0.0.0/8 table 100"]],
    ["add of one that says less than another", ["add pref 100 from 11.0.0.0/8 table 101"]],
    ["add of one that says more than another", ["add pref 100 from 10.0.0.0/8 iif lo table 100"]],
    ["delete of the only one", ["del pref 103"]],
    ["delete of the first", ["del from 10.0.0.0/8 fwmark 7/15"]],
    ["delete of one between", ["del pref 100 from 11.0.0.0/8"]],
    ["delete of whichever comes first", ["del pref 100"]],
    ["delete of all selectors", ["del pref 101"]],
    ["delete of a rule that others go to", ["del pref 32766"]],
    ["delete of the first of all", ["del pref 0"]],
    ["delete, IPv6", ["-6 del from fd00::/8"]],
    ["flush of a table", ["flush table 100"]],
    ["flush of a protocol", ["flush proto static"]],
    ["flush of all", ["flush"]],
    ["flush of both families", ["flush", "-6 flush"]],
    ["added, then deleted", ["add pref 50 from 13.0.0.0/8 table 100", "del pref 50"]],
    ["deleted, then added", ["del pref 103", "add pref 103 prohibit"]],
    ["flushed, then filled", ["flush", "add table main pref 5", "add from 10.0.0.0/8 table 7"]],
    ["added twice, as the kernel numbers them", ["add from 13.0.0.0/8 table 100", "add from 13.0.0.0/8 table 100"]],
    ["l3mdev", ["del l3mdev"]],
    ["suppressors", ["del pref 104"]],
  ])("%s is undone when a later line is refused", async (_, lines) => {
    const { world, ref, instance } = scene();
    await rule(instance, ref, lines);
    await world.close();
    const again = scene();
    const error = await expectRefusal(
      again.world,
      () => rule(again.instance, again.ref, [...lines, REFUSED]),
      "kernel-refused",
      `"rule ${REFUSED}"`,
      "ENOENT",
      "nothing was changed",
      "there is no such rule",
    );
    expect(error.undo.every(({ failure }) => failure === undefined)).toBe(true);
    expect(error.undo.length).toBeGreaterThan(0);
  });
});

test("words are refused by name and place, with the nearest known word", async () => {
  const { world, ref, instance } = scene();
  for (const [lines, ...words] of [
    [["add form 10.0.0.0/8 table 5"], 'word 2, "form"', "did you mean from?"],
    [["add from 10.0.0.0/8 lokup 5"], 'word 4, "lokup"', "did you mean lookup?"],
    [["add pref 5 table mian"], 'word 5, "mian"', "did you mean main?"],
    [["delte pref 5"], 'word 1, "delte"', "did you mean delete?"],
    [["add pref 5", "add pref"], 'line 2, word 2, "pref"', "missing behind it"],
    [["add"], 'word 1, "add"', "missing behind it"],
    [["add iif averyveryverylongname"], "at most 15 bytes"],
    [["ip route add 10.0.0.0/8"], 'word 2, "route"', "ip route has other words"],
  ] as const) {
    await expectRefusal(world, () => rule(instance, ref, lines), "invalid-request", ...words);
  }
});

test("the plan is what would run, and planning changes nothing", async () => {
  const { world, guest, ref, instance } = scene();
  const before = world.json(guest, "rule");
  const plan = await planRuleOnly(instance, ref, ["add from 13.0.0.0/8 table 7", "flush table 100"]);
  expect(world.json(guest, "rule")).toEqual(before);
  expect(plan).toMatchObject({ action: "rule", outcome: "changed", warnings: [] });
  expect(plan.steps.map(({ label }) => label)).toEqual([
    "rule add from 13.0.0.0/8 table 7",
    "rule flush table 100: 1 of 2",
    "rule flush table 100: 2 of 2",
  ]);
  // The priority that the kernel would choose, so that the undo finds this very rule.
  expect(plan.steps[0]).toMatchObject({ op: { message: { attributes: { priority: 99 } } } });
});
