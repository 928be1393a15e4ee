import { afterAll, describe, expect, test } from "vitest";
import type { Instance } from "../../src/instance.js";
import { planRouteOnly, route } from "../../src/route.js";
import { expectRefusal, refusalOf } from "./support/refusal.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

/** A guest with routes of many sorts. */
function scene(): { world: World; guest: string; ref: string; instance: Instance } {
  const world = new World();
  const guest = world.guest();
  world.foreign(guest, "eth1", ["192.168.1.2/24", "fd00:1::2/64"]);
  world.foreign(guest, "eth2", ["192.168.2.2/24", "fd00:2::2/64"]);
  world.ip(
    guest,
    "route add default via 192.168.1.1",
    "route add 10.0.0.0/8 via 192.168.1.1",
    "route append 10.0.0.0/8 via 192.168.1.4",
    "route append 10.0.0.0/8 via 192.168.1.5",
    "route add 10.0.0.0/8 via 192.168.2.1 metric 5 mtu 1400 src 192.168.2.2",
    "route add 10.1.0.0/16 nexthop via 192.168.1.1 weight 3 nexthop via 192.168.2.1",
    "route add 10.2.0.0/16 dev eth1 table 100 proto static realms 5",
    "route add unreachable 10.3.0.0/16 table 100",
    "route add 10.4.0.0/16 encap ip id 5 dst 1.2.3.4 dev eth1 table 100",
    "route add default via fd00:1::1",
    "route add 2001:db8:1::/48 via fd00:1::1",
    "route append 2001:db8:1::/48 via fd00:2::1",
    "route add 2001:db8:2::/48 dev eth1 metric 5 table 100 pref high",
    "route add 2001:db8:3::/48 from 2001:db8:4::/48 via fd00:1::1 table 100",
  );
  return { world, guest, ref: `netns:${guest}`, instance: world.instance() };
}

/** A line that the kernel refuses wherever it stands. */
const REFUSED = "add 10.99.0.0/16 via 9.9.9.9";

describe("lines are one transaction", () => {
  test("all of them hold", async () => {
    const { world, guest, ref, instance } = scene();
    await route(instance, ref, [
      "flush table 100",
      "add default via 192.168.2.1 table 100",
      ["add", "10.5.0.0/16", "dev", "eth2", "table", "100"],
      "ip -6 route replace default via fd00:2::1",
      "del 10.0.0.0/8 metric 5",
    ]);
    expect(world.json(guest, "route", "show", "table", "100")).toMatchObject([
      { dst: "default", gateway: "192.168.2.1" },
      { dst: "10.5.0.0/16", dev: "eth2" },
    ]);
    expect(world.json(guest, "-6", "route", "show", "default")).toMatchObject([{ gateway: "fd00:2::1" }]);
    expect(world.json(guest, "route", "show", "10.0.0.0/8")).toHaveLength(3);
  });

  test.each([
    ["add", ["add 10.5.0.0/16 dev eth1"]],
    ["add beside others", ["add 10.0.0.0/8 via 192.168.1.9 metric 7"]],
    ["add of several next hops", ["add 10.5.0.0/16 nexthop via 192.168.1.1 nexthop via 192.168.2.1"]],
    ["append", ["append 10.0.0.0/8 via 192.168.1.9"]],
    ["append of a device", ["append 10.0.0.0/8 dev eth2"]],
    ["prepend", ["prepend 10.0.0.0/8 via 192.168.1.9"]],
    ["prepend of several next hops", ["prepend 10.0.0.0/8 nexthop via 192.168.1.9 nexthop via 192.168.2.9"]],
    ["replace of the only one", ["replace default via 192.168.2.1"]],
    ["replace of the first", ["replace 10.0.0.0/8 via 192.168.1.9"]],
    ["replace of several next hops", ["replace 10.1.0.0/16 dev eth1"]],
    ["replace of nothing", ["replace 10.5.0.0/16 dev eth1"]],
    ["change", ["change 10.0.0.0/8 dev eth1 metric 5"]],
    ["delete of the only one", ["del default"]],
    ["delete of the first", ["del 10.0.0.0/8"]],
    ["delete of one between", ["del 10.0.0.0/8 via 192.168.1.4"]],
    ["delete of the last", ["del 10.0.0.0/8 via 192.168.1.5"]],
    ["delete by metric", ["del 10.0.0.0/8 metric 5"]],
    ["delete of several next hops", ["del 10.1.0.0/16"]],
    ["delete of a route that the kernel made", ["del 192.168.1.0/24"]],
    ["delete of an encapsulation", ["del 10.4.0.0/16 table 100"]],
    ["flush of a table", ["flush table 100"]],
    ["flush of a device", ["flush dev eth1"]],
    ["flush of some of a place", ["flush root 10.0.0.0/8 via 192.168.1.4"]],
    ["flush of a prefix", ["flush root 10.0.0.0/8"]],
    ["IPv6: add", ["-6 route", "add 2001:db8:9::/48 dev eth1"].slice(1)],
    ["IPv6: add beside another metric", ["add 2001:db8:1::/48 dev eth1 metric 7"]],
    ["IPv6: append, which joins", ["append 2001:db8:1::/48 via fd00:1::9"]],
    ["IPv6: append to a single one", ["append default via fd00:2::1"]],
    ["IPv6: append of several", ["append 2001:db8:1::/48 nexthop via fd00:1::8 nexthop via fd00:2::9"]],
    ["IPv6: replace", ["-6 replace default via fd00:2::1"]],
    ["IPv6: replace of several", ["replace 2001:db8:1::/48 via fd00:2::9"]],
    ["IPv6: replace by several", ["-6 replace default nexthop via fd00:1::8 nexthop via fd00:2::9"]],
    ["IPv6: replace by a device", ["-6 replace default dev eth2"]],
    ["IPv6: delete", ["-6 del default"]],
    ["IPv6: delete of several", ["del 2001:db8:1::/48"]],
    ["IPv6: delete of one of several", ["del 2001:db8:1::/48 via fd00:2::1"]],
    ["IPv6: delete with a source", ["del 2001:db8:3::/48 from 2001:db8:4::/48 table 100"]],
    ["IPv6: flush of a table", ["-6 flush table 100"]],
    ["IPv6: flush of all but the kernel's", ["-6 flush proto boot"]],
    ["added, then deleted", ["add 10.5.0.0/16 dev eth1", "del 10.5.0.0/16"]],
    ["added, then replaced", ["add 10.5.0.0/16 dev eth1", "replace 10.5.0.0/16 dev eth2"]],
    ["deleted, then added", ["del default", "add default via 192.168.2.1"]],
    ["replaced twice", ["replace default via 192.168.2.1", "replace default via 192.168.1.9"]],
    ["appended twice", ["append 10.0.0.0/8 via 192.168.1.8", "append 10.0.0.0/8 via 192.168.1.9"]],
    [
      "flushed, then filled",
      ["flush table 100", "add 10.2.0.0/16 dev eth2 table 100", "add default dev eth1 table 100"],
    ],
    ["flushed, filled, flushed", ["flush table 100", "add 10.2.0.0/16 dev eth2 table 100", "flush table 100"]],
    ["filled, then flushed", ["add 10.5.0.0/16 dev eth1 table 101", "flush table 101"]],
    ["both families", ["del default", "-6 del default", "add 10.5.0.0/16 dev eth1", "add 2001:db8:9::/48 dev eth2"]],
  ])("%s is undone when a later line is refused", async (_, lines) => {
    const { world, ref, instance } = scene();
    // The lines themselves are taken: what is refused is the last.
    await route(instance, ref, lines);
    await world.close();
    const again = scene();
    const error = await expectRefusal(
      again.world,
      () => route(again.instance, again.ref, [...lines, REFUSED]),
      "kernel-refused",
      `"route ${REFUSED}"`,
      "invalid gateway",
      "nothing was changed",
    );
    expect(error.undo.every(({ failure }) => failure === undefined)).toBe(true);
    expect(error.undo.length).toBeGreaterThan(0);
  });

  test("what only the kernel can tell is refused rather than undone by guess", async () => {
    const { world, ref, instance } = scene();
    await expectRefusal(
      world,
      () => route(instance, ref, ["append 2001:db8:9::/48 via fd00:1::9", "-6 flush dev eth1"]),
      "invalid-request",
      "flush dev eth1",
      "in a call of its own",
    );
  });

  test("what is shown stands before or behind what is changed", async () => {
    const { world, guest, ref, instance } = scene();
    const { output, objects } = await route(instance, ref, [
      "show 10.5.0.0/16",
      "add 10.5.0.0/16 dev eth1",
      "add 10.6.0.0/16 dev eth1",
      "show 10.5.0.0/16",
      "-j get 10.6.0.1",
    ]);
    expect(output.split("\n")[0]).toBe("10.5.0.0/16 dev eth1 scope link ");
    expect(objects).toMatchObject([{ dst: "10.5.0.0/16", dev: "eth1" }, { dst: "10.6.0.1" }]);
    await expectRefusal(
      world,
      () => route(instance, ref, ["add 10.7.0.0/16 dev eth1", "show", "del 10.7.0.0/16"]),
      "invalid-request",
      "line 2",
    );
    expect(world.json(guest, "route", "show", "10.7.0.0/16")).toEqual([]);
  });
});

describe("refusals", () => {
  test("words: by name and place, with the nearest known word", async () => {
    const { world, ref, instance } = scene();
    for (const [lines, ...words] of [
      [["add 10.5.0.0/16 deva eth1"], 'word 3, "deva"', "did you mean dev?"],
      [["add 10.5.0.0/16 dev eth1 mteric 5"], 'word 5, "mteric"', "did you mean metric?"],
      [["ad 10.5.0.0/16 dev eth1", "repalce default dev eth1"], 'line 2, word 1, "repalce"', "did you mean replace?"],
      [["add blakchole 10.5.0.0/16"], 'word 2, "blakchole"', "did you mean blackhole?"],
      [["add 10.5.0.0/16 dev eth1 table mian"], 'word 6, "mian"', "did you mean main?"],
      [["add 10.5.0.0/16 dev"], 'word 3, "dev"', "missing behind it"],
      [["show tabel 5"], 'word 2, "tabel"', "did you mean table?"],
      [["-nosuch show"], 'word 1, "-nosuch"', "no option"],
      [["ip rule add from 10.0.0.0/8"], 'word 2, "rule"', "ip rule has other words"],
      [["add 10.5.0.0/16 dev eth1", 'add "10.6.0.0/16'], "quote is not closed"],
    ] as const) {
      await expectRefusal(world, () => route(instance, ref, lines), "invalid-request", ...words);
    }
  });

  test("an interface that is not there: by word, before anything is changed", async () => {
    const { world, ref, instance } = scene();
    await expectRefusal(
      world,
      () => route(instance, ref, ["add 10.5.0.0/16 dev eth1", "add 10.6.0.0/16 dev eht2"]),
      "interface-not-found",
      'line 2, word 4, "eht2"',
      "did you mean eth2?",
    );
  });

  test("by the kernel: its own words, and what to do", async () => {
    const { world, ref, instance } = scene();
    await expectRefusal(
      world,
      () => route(instance, ref, "add default via 192.168.1.9"),
      "kernel-refused",
      "EEXIST",
      "replace it",
    );
    await expectRefusal(
      world,
      () => route(instance, ref, "del 10.77.0.0/16"),
      "kernel-refused",
      "ESRCH",
      "there is no such route",
    );
    await expectRefusal(
      world,
      () => route(instance, ref, "show table 99"),
      "kernel-refused",
      "FIB table does not exist",
    );
    await expectRefusal(
      world,
      () => route(instance, ref, "flush table 99"),
      "kernel-refused",
      "FIB table does not exist",
    );
  });
});

test("alternative names of interfaces are names", async () => {
  const { world, guest, ref, instance } = scene();
  world.ip(guest, "link property add dev eth1 altname the-first-of-all-interfaces");
  await route(instance, ref, "add 10.5.0.0/16 dev the-first-of-all-interfaces");
  expect(world.json(guest, "route", "show", "10.5.0.0/16")).toMatchObject([{ dev: "eth1" }]);
});

test("the plan is what would run, and planning changes nothing", async () => {
  const { world, guest, ref, instance } = scene();
  const before = world.json(guest, "route");
  const plan = await planRouteOnly(instance, ref, ["replace default via 192.168.2.1", "flush table 100"]);
  expect(world.json(guest, "route")).toEqual(before);
  expect(plan).toMatchObject({ action: "route", guest: ref, outcome: "changed", warnings: [] });
  expect(plan.steps.map(({ label }) => label)).toEqual([
    "route replace default via 192.168.2.1",
    "route flush table 100: 1 of 3",
    "route flush table 100: 2 of 3",
    "route flush table 100: 3 of 3",
  ]);
  expect(plan.steps.every(({ undo }) => "inverse" in undo)).toBe(true);
  expect((await planRouteOnly(instance, ref, "show")).steps).toEqual([]);
});

test("the host's own namespace is refused", async () => {
  const { world, instance } = scene();
  const error = await refusalOf(route(instance, `netns:${world.host}`, "add 10.5.0.0/16 dev lo"));
  expect(error.code).toBe("guest-host-network");
});
