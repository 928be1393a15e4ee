import { existsSync, readdirSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { list } from "../../src/list.js";
import { expectRefusal } from "./support/refusal.js";
import { awaited, settled } from "./support/snapshot.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

function engined(...routes: string[]): { world: World; guest: string; ref: string } {
  const world = new World();
  const guest = world.guest();
  world.bridge("br1");
  world.bridge("docker0");
  world.foreign(guest, "eth0", ["172.17.0.2/16", "fd17::2/64"], "docker0");
  world.ip(
    guest,
    ...(routes.length > 0 ? routes : ["route add default via 172.17.0.1", "route add default via fd17::1"]),
  );
  return { world, guest, ref: `netns:${guest}` };
}

const on = (n: number) => ({
  to: "br1",
  ifname: `eth${n}`,
  addresses: [`192.168.${n}.2/24`, `fd00:${n}::2/64`],
  gateway: [`192.168.${n}.1`, `fd00:${n}::1`],
});

function currentDefaults(world: World, guest: string): string[] {
  return [
    ...world.json(guest, "-4", "route", "show", "default"),
    ...world.json(guest, "-6", "route", "show", "default"),
  ].map(({ dev }) => dev as string);
}

describe("detach", () => {
  test("leaves everything as it was before the attach", async () => {
    const { world, ref } = engined();
    const instance = world.instance();
    const before = await settled(world);
    await attach(instance, { guest: ref, ...on(1) });
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(await awaited(world, before)).toEqual(before);
  });

  test("of what is not there is success", async () => {
    const { world, ref } = engined();
    const before = await settled(world);
    expect(await detach(world.instance(), { guest: ref, ifname: "eth7" })).toMatchObject([
      { ifname: "eth7", outcome: "absent" },
    ]);
    expect(await awaited(world, before)).toEqual(before);
  });

  test("of a link that is not ours is refused, naming it", async () => {
    const { world, guest, ref } = engined();
    await expectRefusal(
      world,
      () => detach(world.instance(), { guest: ref, ifname: "eth0" }),
      "interface-unsuitable",
      "eth0",
      guest,
      "172.17.0.2/16",
      "not made by pipework",
    );
  });

  test("--all takes what is ours and nothing else", async () => {
    const { world, guest, ref } = engined();
    const instance = world.instance();
    const before = await settled(world);
    for (const n of [1, 2, 3]) await attach(instance, { guest: ref, ...on(n) });
    expect((await detach(instance, { guest: ref, all: true })).map(({ ifname }) => ifname).sort()).toEqual([
      "eth1",
      "eth2",
      "eth3",
    ]);
    expect(await awaited(world, before)).toEqual(before);
    expect(world.link(guest, "eth0")).toBeDefined();
    expect(await list(instance)).toEqual([]);
  });

  test("the name is free at once", async () => {
    const { world, ref } = engined();
    const instance = world.instance();
    for (let round = 0; round < 20; round++) {
      await attach(instance, { guest: ref, ...on(1), hostIfname: "same" });
      await detach(instance, { guest: ref });
    }
    expect(world.link(world.host, "same")).toBeUndefined();
  });

  test("gives back the default although the one that took its place was lost", async () => {
    const { world, guest, ref } = engined();
    const instance = world.instance();
    const before = await settled(world);
    await attach(instance, { guest: ref, ...on(1) });
    world.ip(guest, "route del default", "route del default via fd00:1::1");
    await detach(instance, { guest: ref });
    expect(await awaited(world, before)).toEqual(before);
  });

  test("leaves a default that somebody else made meanwhile", async () => {
    const { world, guest, ref } = engined();
    const instance = world.instance();
    await attach(instance, { guest: ref, ...on(1) });
    world.ip(guest, "route replace default via 172.17.0.77");
    await detach(instance, { guest: ref });
    expect(world.json(guest, "-4", "route", "show", "default")).toMatchObject([{ gateway: "172.17.0.77" }]);
  });

  test("says so when the displaced default's interface is gone", async () => {
    const { world, guest, ref } = engined();
    const instance = world.instance();
    await attach(instance, { guest: ref, ...on(1) });
    world.ip(guest, "link del eth0");
    const [outcome] = await detach(instance, { guest: ref });
    expect(outcome?.outcome).toBe("detached");
    expect(outcome?.warnings.join()).toContain("eth0 is gone");
    expect(currentDefaults(world, guest)).toEqual([]);
  });
});

describe("a chain of three, detached in every order, ends where it began", () => {
  const orders = [
    [1, 2, 3],
    [1, 3, 2],
    [2, 1, 3],
    [2, 3, 1],
    [3, 1, 2],
    [3, 2, 1],
  ];
  test.each(orders)("%i, %i, %i", async (...order) => {
    const { world, guest, ref } = engined();
    const instance = world.instance();
    const before = await settled(world);
    for (const n of [1, 2, 3]) await attach(instance, { guest: ref, ...on(n) });
    const left = [0, 1, 2, 3];
    for (const n of order) {
      await detach(instance, { guest: ref, ifname: `eth${n}` });
      left.splice(left.indexOf(n), 1);
      // The default is always the youngest's that is left.
      expect(currentDefaults(world, guest)).toEqual([`eth${left.at(-1)}`, `eth${left.at(-1)}`]);
    }
    expect(await awaited(world, before)).toEqual(before);
  });

  test("one that took its default back is the youngest again", async () => {
    const { world, guest, ref } = engined();
    const instance = world.instance();
    const before = await settled(world);
    for (const n of [1, 2, 3]) await attach(instance, { guest: ref, ...on(n) });
    expect((await attach(instance, { guest: ref, ...on(1) })).outcome).toBe("completed");
    expect(currentDefaults(world, guest)).toEqual(["eth1", "eth1"]);
    await detach(instance, { guest: ref, ifname: "eth1" });
    expect(currentDefaults(world, guest)).toEqual(["eth3", "eth3"]);
    await detach(instance, { guest: ref, ifname: "eth3" });
    await detach(instance, { guest: ref, ifname: "eth2" });
    expect(await awaited(world, before)).toEqual(before);
  });
});

describe("defaults that an alias cannot hold are given back equal", () => {
  test.each([
    ["metrics", ["route add default via 172.17.0.1 mtu 1400 advmss 1200 initcwnd 20"]],
    [
      "a source address, a protocol",
      ["route add default via 172.17.0.1 src 172.17.0.2 proto dhcp", "route add default via fd17::1 proto static"],
    ],
    ["two next hops", ["route add default nexthop via 172.17.0.1 weight 1 nexthop via 172.17.0.3 weight 5"]],
    ["two IPv6 next hops", ["route add default nexthop via fd17::1 nexthop via fd17::3"]],
    ["onlink", ["route add default via 10.99.99.99 dev eth0 onlink"]],
    ["no gateway", ["route add default dev eth0 scope link"]],
    ["IPv6 metrics and preference", ["route add default via fd17::1 pref high hoplimit 9"]],
    ["unreachable", ["route add unreachable default"]],
  ])("%s", async (_, routes) => {
    const { world, guest, ref } = engined(...routes);
    const instance = world.instance();
    const before = await settled(world);
    await attach(instance, { guest: ref, ...on(1) });
    expect(currentDefaults(world, guest)).toContain("eth1");
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(await awaited(world, before)).toEqual(before);
  });
});

describe("records", () => {
  test("that were needed are gone after detach", async () => {
    const { world, ref } = engined("route add default via 172.17.0.1 mtu 1400");
    const instance = world.instance();
    await attach(instance, { guest: ref, ...on(1) });
    expect(existsSync(instance.recordDir)).toBe(true);
    expect(readdirSync(instance.recordDir)).toHaveLength(1);
    await detach(instance, { guest: ref });
    expect(readdirSync(instance.recordDir)).toEqual([]);
  });
});
