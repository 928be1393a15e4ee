import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { list } from "../../src/list.js";
import type { PipeworkError } from "../../src/values/error.js";
import { closeWorlds, run, World } from "./support/world.js";

afterEach(closeWorlds);
afterAll(closeWorlds);

const names = (world: World, namespace: string): string[] =>
  world.json(namespace, "link").map((link) => link.ifname as string);
const defaults = (world: World, guest: string, family = "-4"): unknown[] =>
  world
    .json(guest, family, "route", "show", "default")
    .map(({ gateway, dev, metric, nexthops, nhid }) => ({ gateway, dev, metric, nexthops, nhid }));
const refusal = (promise: Promise<unknown>): Promise<PipeworkError> =>
  promise.then(
    () => Promise.reject(new Error("not refused")),
    (error: PipeworkError) => error,
  );

describe("a guest that does as it likes with its end", () => {
  test("renamed inside: detach takes it all the same, and attach says so", async () => {
    const world = new World();
    const guest = world.guest();
    const ref = `netns:${guest}`;
    const instance = world.instance();
    await attach(instance, { guest: ref, to: "br1", addresses: ["192.0.2.1/24"] });
    world.ip(guest, "link set eth1 name foo0");
    expect(await refusal(attach(instance, { guest: ref, to: "br1", addresses: ["192.0.2.1/24"] }))).toMatchObject({
      code: "name-taken",
      hint: "detach it first, and attach it again",
    });
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached" }]);
    expect(names(world, guest)).toEqual(["lo"]);
    expect(names(world, world.host)).toEqual(["lo", "br1"]);
  });

  test("moved away: its port on the bridge goes with detach --all, and what it displaced comes back", async () => {
    const world = new World();
    const [guest, elsewhere] = [world.guest(), world.guest()];
    world.foreign(guest, "eth0", ["198.51.100.2/24"]);
    world.ip(guest, "route add default via 198.51.100.1");
    const before = defaults(world, guest);
    const instance = world.instance();
    await attach(instance, { guest: `netns:${guest}`, to: "br1", addresses: ["192.0.2.1/24"], gateway: "192.0.2.254" });
    world.ip(guest, `link set eth1 netns ${elsewhere}`);
    expect(await detach(instance, { guest: `netns:${guest}`, all: true })).toMatchObject([
      { ifname: "eth1", outcome: "detached" },
    ]);
    expect(names(world, world.host).filter((name) => name.startsWith("vpw"))).toEqual([]);
    expect(names(world, elsewhere)).toEqual(["lo"]);
    expect(defaults(world, guest)).toEqual(before);
  });

  test("a hundred thousand routes of its own are no obstacle", async () => {
    const world = new World();
    const guest = world.guest();
    world.foreign(guest, "eth0", ["10.0.0.2/8"]);
    // 100 000 host routes: those that no plan looks at never become JavaScript's.
    world.shell(
      guest,
      "seq 1 100000 | awk '{ printf \"route add 172.%d.%d.%d/32 dev eth0\\n\", 16 + $1 / 65536, $1 / 256 % 256, $1 % 256 }' | ip -batch -",
    );
    world.ip(guest, "route add default via 10.0.0.1");
    const instance = world.instance();
    const at = await attach(instance, {
      guest: `netns:${guest}`,
      to: "br1",
      addresses: ["192.0.2.1/24"],
      gateway: "192.0.2.254",
    });
    expect(at.outcome).toBe("attached");
    expect(await detach(instance, { guest: `netns:${guest}` })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(defaults(world, guest)).toMatchObject([{ gateway: "10.0.0.1", dev: "eth0" }]);
  });

  test("this process's own namespace is no guest, whatever the host side is", async () => {
    const world = new World();
    const instance = world.instance();
    for (const guest of [`pid:${process.pid}`, "netns:/proc/self/ns/net"]) {
      expect(await refusal(attach(instance, { guest, to: "br1", addresses: ["192.0.2.1/24"] }))).toMatchObject({
        code: "guest-host-network",
      });
    }
  });
});

describe("displaced defaults of every sort come back", () => {
  for (const [name, lines] of [
    [
      "several next hops, one without carrier",
      [
        "link add deada type veth peer name deadb",
        "link set deada up",
        "address add 198.51.101.2/24 dev deada",
        "route add default nexthop via 198.51.100.1 weight 2 nexthop via 198.51.101.1",
      ],
    ],
    ["a next hop object", ["nexthop add id 7 via 198.51.100.1 dev eth0", "route add default nhid 7"]],
    ["with metrics and a source", ["route add default via 198.51.100.1 src 198.51.100.2 mtu 1400 advmss 1360"]],
    ["a blackhole", ["route add blackhole default"]],
  ] as const) {
    test(name, async () => {
      const world = new World();
      const guest = world.guest();
      world.foreign(guest, "eth0", ["198.51.100.2/24"]);
      world.ip(guest, ...lines);
      const before = defaults(world, guest).map((route) => JSON.stringify(route).replace(/"(linkdown|dead)",?/g, ""));
      const instance = world.instance();
      await attach(instance, {
        guest: `netns:${guest}`,
        to: "br1",
        addresses: ["192.0.2.1/24"],
        gateway: "192.0.2.254",
      });
      // Another attachment beside it must not stumble over what the first one displaced.
      await attach(instance, { guest: `netns:${guest}`, to: "br1", ifname: "eth3", addresses: ["203.0.113.1/24"] });
      expect(
        await attach(instance, { guest: `netns:${guest}`, to: "br1", ifname: "eth3", addresses: ["203.0.113.1/24"] }),
      ).toMatchObject({ outcome: "unchanged" });
      await detach(instance, { guest: `netns:${guest}`, ifname: "eth3" });
      expect(await detach(instance, { guest: `netns:${guest}` })).toMatchObject([
        { outcome: "detached", warnings: [] },
      ]);
      expect(defaults(world, guest).map((route) => JSON.stringify(route).replace(/"(linkdown|dead)",?/g, ""))).toEqual(
        before,
      );
      expect(readdirSync(world.runDir, { recursive: true }).filter((file) => String(file).endsWith(".json"))).toEqual(
        [],
      );
    });
  }

  test("a record that was lost costs the old default, and nothing else", async () => {
    const world = new World();
    const guest = world.guest();
    world.foreign(guest, "eth0", ["198.51.100.2/24"]);
    world.ip(guest, "route add default via 198.51.100.1 mtu 1400");
    const instance = world.instance();
    await attach(instance, { guest: `netns:${guest}`, to: "br1", addresses: ["192.0.2.1/24"], gateway: "192.0.2.254" });
    for (const file of readdirSync(world.runDir, { recursive: true })) {
      if (String(file).endsWith(".json")) rmSync(`${world.runDir}/${String(file)}`);
    }
    expect(
      await attach(instance, {
        guest: `netns:${guest}`,
        to: "br1",
        addresses: ["192.0.2.1/24"],
        gateway: "192.0.2.254",
      }),
    ).toMatchObject({ outcome: "unchanged" });
    expect(await detach(instance, { guest: `netns:${guest}` })).toMatchObject([{ outcome: "detached" }]);
    expect(names(world, guest)).toEqual(["lo", "eth0"]);
  });

  test("one that lost its place by being down for a moment hands its memory on", async () => {
    const world = new World();
    const guest = world.guest();
    world.foreign(guest, "eth0", ["198.51.100.2/24"]);
    world.ip(guest, "route add default via 198.51.100.1");
    const before = defaults(world, guest);
    const instance = world.instance();
    const wish = (n: number) => ({
      guest: `netns:${guest}`,
      to: "br1",
      ifname: `eth${n}`,
      addresses: [`10.0.${n}.2/24`],
      gateway: `10.0.${n}.1`,
    });
    await attach(instance, wish(3));
    world.ip(guest, "link set eth3 down", "link set eth3 up");
    await attach(instance, wish(1));
    await detach(instance, { guest: `netns:${guest}`, ifname: "eth3" });
    await detach(instance, { guest: `netns:${guest}`, ifname: "eth1" });
    expect(defaults(world, guest)).toEqual(before);
  });

  test("by its metric, whatever other defaults the guest has added to the same interface", async () => {
    const world = new World();
    const guest = world.guest();
    world.foreign(guest, "eth0", ["198.51.100.2/24"]);
    world.ip(guest, "route add default via 198.51.100.1 metric 100");
    const instance = world.instance();
    await attach(instance, {
      guest: `netns:${guest}`,
      to: "br1",
      addresses: ["192.0.2.1/24"],
      gateway: "192.0.2.254",
      metric: 100,
    });
    world.ip(guest, "route add default via 192.0.2.253 metric 50");
    await detach(instance, { guest: `netns:${guest}` });
    expect(defaults(world, guest)).toMatchObject([{ gateway: "198.51.100.1", metric: 100 }]);
  });
});

test("a stated metric is compared, and a lost route to the gateway comes back", async () => {
  const world = new World();
  const guest = world.guest();
  const instance = world.instance();
  const wish = { guest: `netns:${guest}`, to: "br1", addresses: ["10.1.2.5/32"], gateway: "10.99.0.1" };
  await attach(instance, wish);
  expect(await refusal(attach(instance, { ...wish, metric: 100 }))).toMatchObject({ code: "name-taken" });
  world.ip(guest, "route del 10.99.0.1");
  expect(await attach(instance, wish)).toMatchObject({ outcome: "completed" });
  expect(world.json(guest, "route", "show", "10.99.0.1")).toHaveLength(1);
});

test("a default learned by router advertisement is not displaced by its own metric either", async () => {
  const world = new World();
  const guest = world.guest();
  world.foreign(guest, "eth0", ["2001:db8:9::2/64"]);
  world.ip(guest, "-6 route add default via fe80::1 dev eth0 proto ra metric 1024".replace("-6 ", ""));
  const instance = world.instance();
  const wish = { guest: `netns:${guest}`, to: "br1", addresses: ["2001:db8:1::2/64"], gateway: "2001:db8:1::1" };
  expect(await refusal(attach(instance, { ...wish, metric: 1024 }))).toMatchObject({ code: "invalid-request" });
  await attach(instance, wish);
  expect(defaults(world, guest, "-6")).toMatchObject([
    { dev: "eth1", metric: 512 },
    { dev: "eth0", metric: 1024 },
  ]);
  // Learned routes come and go; ours is there, and that is all that the request states.
  world.ip(guest, "route del default via fe80::1 dev eth0 proto ra metric 1024");
  expect(await attach(instance, wish)).toMatchObject({ outcome: "unchanged" });
});

test("records: of a guest named otherwise they are found, of one that is gone they can be forgotten", async () => {
  const world = new World();
  const guest = world.guest();
  world.ip(world.host, "link add par0 type veth peer name par1", "link set par0 up", "link set par1 up");
  const instance = world.instance();
  await attach(instance, { guest: `netns:${guest}`, to: "par0", addresses: ["192.0.2.1/24"] });
  const path = `netns:/proc/${process.pid}/root/run/netns/${guest}`;
  expect(await attach(instance, { guest: path, to: "par0", addresses: ["192.0.2.1/24"] })).toMatchObject({
    outcome: "unchanged",
  });
  // Taken back under the other name, its record goes as well.
  expect(await detach(instance, { guest: path })).toMatchObject([{ outcome: "detached" }]);
  expect(await list(instance)).toEqual([]);
  await attach(instance, { guest: `netns:${guest}`, to: "par0", addresses: ["192.0.2.1/24"] });
  run("ip", ["netns", "del", guest]);
  expect(await list(instance)).toMatchObject([{ state: "gone" }]);
  expect(await detach(instance, { guest: `netns:${guest}` })).toMatchObject([{ outcome: "absent" }]);
  expect(await list(instance)).toEqual([]);
  expect(await refusal(detach(instance, { guest: `netns:${guest}` }))).toMatchObject({ code: "guest-not-found" });
});

test("what keeps a plan from being prepared is told, and the lock is free", async () => {
  const world = new World();
  const guest = world.guest();
  world.ip(world.host, "link add par0 type veth peer name par1", "link set par0 up", "link set par1 up");
  const instance = world.instance();
  await attach(instance, { guest: `netns:${guest}`, to: "br1", ifname: "eth5" });
  writeFileSync(`${world.runDir}/${instance.home.ino}`, "in the way");
  const error = await refusal(attach(instance, { guest: `netns:${guest}`, to: "par0", addresses: ["192.0.2.1/24"] }));
  expect(error.name).toBe("PipeworkError");
  expect(error.message).toContain("nothing was changed");
  expect(await attach(instance, { guest: `netns:${guest}`, to: "br1", ifname: "eth6", timeoutMs: 200 })).toMatchObject({
    outcome: "attached",
  });
  expect(existsSync(`${world.runDir}/lock`)).toBe(true);
});

test("a replacement that had to detach first and fails makes the old one again, and says so", async () => {
  const world = new World();
  const guest = world.guest();
  world.ip(world.host, "link add par0 type veth peer name par1", "link set par0 up", "link set par1 up");
  world.foreign(guest, "eth0", ["198.51.100.2/24"]);
  world.ip(guest, "route add default via 198.51.100.1");
  const instance = world.instance();
  const wish = {
    guest: `netns:${guest}`,
    to: "par0",
    addresses: ["192.0.2.1/24", "2001:db8::1/64"],
    gateway: ["192.0.2.254", "2001:db8::ff"],
  };
  await attach(instance, wish);
  const seen = () => ({
    mac: world.link(guest, "eth1")?.address as string,
    mode: world.link(guest, "eth1")?.linkinfo.info_data.mode as string,
    addresses: world.addresses(guest, "eth1"),
    defaults: [...defaults(world, guest), ...defaults(world, guest, "-6")],
  });
  const before = seen();
  const error = await refusal(
    attach(instance, {
      ...wish,
      addresses: ["10.8.0.2/24"],
      gateway: undefined,
      mac: "02:00:00:00:00:77",
      routes: ["10.9.0.0/16 via 10.66.0.1"],
      replace: true,
    }),
  );
  expect(error).toMatchObject({ code: "kernel-refused", errnoName: "ENETUNREACH" });
  expect(error.message).toContain("the old eth1, removed before, was made again");
  expect(seen()).toEqual(before);
  expect(await attach(instance, wish)).toMatchObject({ outcome: "unchanged" });
  await detach(instance, { guest: `netns:${guest}` });
  expect(defaults(world, guest)).toMatchObject([{ gateway: "198.51.100.1", dev: "eth0" }]);
});

test("IPv6 on a link too narrow for it is refused before anything is touched", async () => {
  const world = new World();
  const guest = world.guest();
  const instance = world.instance();
  const error = await refusal(
    attach(instance, { guest: `netns:${guest}`, to: "br1", addresses: ["2001:db8::2/64"], mtu: 1000 }),
  );
  expect(error).toMatchObject({ code: "invalid-request" });
  expect(error.message).toContain("1280");
  expect(names(world, world.host)).toEqual(["lo"]);
});
