import { readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { attach, planOnly } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import type { Instance } from "../../src/instance.js";
import { list } from "../../src/list.js";
import { renderPlan } from "../../src/plan/render.js";
import { NIC_MAC, nicWorld } from "./support/nic.js";
import { expectRefusal } from "./support/refusal.js";
import { awaited, settled } from "./support/snapshot.js";
import { closeWorlds, type World } from "./support/world.js";

afterAll(closeWorlds);

const phys = { to: "nic0", directPhys: true, addresses: ["192.168.1.2/24"], gateway: "192.168.1.1" };

function stage(options: Parameters<typeof nicWorld>[0] = {}) {
  const world = nicWorld(options);
  const guest = world.namespaces[1] as string;
  return { world, guest, ref: `netns:${guest}`, instance: world.instance() };
}

/** What the one record says. */
function recordOf(instance: Instance): Record<string, unknown> {
  const [name] = readdirSync(instance.recordDir);
  return JSON.parse(readFileSync(`${instance.recordDir}/${name}`, "utf8"));
}

function rpFilter(world: World): string {
  return world.sysctl(world.host, "ipv4/conf/nic0/rp_filter");
}

describe("a NIC", () => {
  test("moves itself, and comes back as it was", async () => {
    const { world, guest, ref, instance } = stage();
    const before = await settled(world);
    const at = await attach(instance, { guest: ref, ...phys });
    expect(at).toMatchObject({ type: "phys", to: "nic0", mac: NIC_MAC, mtu: 1400, outcome: "attached" });
    expect(at.warnings.join()).toContain("it goes with the guest's namespace");
    expect(world.link(world.host, "nic0")).toBeUndefined();
    expect(world.link(guest, "eth1")).toMatchObject({ ifindex: at.ifindex, address: NIC_MAC, group: "default" });
    expect(world.link(guest, "eth1").altnames).toBeUndefined();
    expect(world.addresses(guest, "eth1")).toEqual(["192.168.1.2/24"]);
    expect(world.shell(guest, "ping -c 1 -W 5 192.168.1.1")).toContain("1 received");
    expect(await list(instance)).toMatchObject([{ ifname: "eth1", type: "phys", to: "nic0", state: "up" }]);
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(await awaited(world, before)).toEqual(before);
    expect(rpFilter(world)).toBe("2");
    expect(await list(instance)).toEqual([]);
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "absent" }]);
  });

  test("by type, as well as by directPhys", async () => {
    const { ref, instance } = stage();
    const { directPhys: _, ...rest } = phys;
    expect(await attach(instance, { guest: ref, ...rest, type: "phys" })).toMatchObject({ type: "phys" });
  });

  test("with a MAC and an MTU of its own for the guest, which do not stay with it", async () => {
    const { world, guest, ref, instance } = stage();
    const before = await settled(world);
    const wanted = { mac: "02:00:00:00:00:77", mtu: 1300 };
    expect(await attach(instance, { guest: ref, ...phys, ...wanted })).toMatchObject(wanted);
    expect(world.link(guest, "eth1")).toMatchObject({ address: wanted.mac, mtu: 1300 });
    await detach(instance, { guest: ref });
    expect(await awaited(world, before)).toEqual(before);
  });

  test("promiscuous on the host is not so in the guest, and what the guest made of it does not come home", async () => {
    const { world, guest, ref, instance } = stage();
    world.ip(world.host, "link set nic0 promisc on allmulticast on");
    const before = await settled(world);
    await attach(instance, { guest: ref, ...phys });
    expect(world.link(guest, "eth1").flags).not.toContain("PROMISC");
    expect(world.link(guest, "eth1").flags).not.toContain("ALLMULTI");
    await detach(instance, { guest: ref });
    expect(await awaited(world, before)).toEqual(before);
    world.ip(world.host, "link set nic0 promisc off allmulticast off");
    const plain = await settled(world);
    await attach(instance, { guest: ref, ...phys });
    world.ip(
      guest,
      "link set eth1 promisc on mtu 900 txqueuelen 7 alias mine group 9",
      "link property add dev eth1 altname nic0",
      "link add link eth1 name mv0 type macvlan",
    );
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(await awaited(world, plain)).toEqual(plain);
    expect(world.link(guest, "mv0")).toBeUndefined();
  });

  test("addresses with a lifetime come back with what is left of it, and not when it is over", async () => {
    const { world, ref, instance } = stage();
    world.ip(
      world.host,
      "address add 10.20.0.1/32 dev nic0 valid_lft 5000 preferred_lft 4000",
      "address add 10.20.0.2/32 dev nic0 valid_lft 1 preferred_lft 1",
    );
    await attach(instance, { guest: ref, ...phys });
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await detach(instance, { guest: ref });
    const infos = world.link(world.host, "nic0").addr_info as { local: string; valid_life_time: number }[];
    const long = infos.find(({ local }) => local === "10.20.0.1");
    expect(long?.valid_life_time).toBeLessThanOrEqual(4998);
    expect(long?.valid_life_time).toBeGreaterThan(4000);
    expect(infos.map(({ local }) => local)).not.toContain("10.20.0.2");
  });

  test("what cannot be given back is said when it is taken", async () => {
    const { world, ref, instance } = stage();
    world.ip(
      world.host,
      "link add nic1 type veth peer name far1",
      "link set nic1 up",
      "address add 10.30.0.1/24 dev nic1",
    );
    world.ip(world.host, "route add 10.40.0.0/16 nexthop via 10.0.0.9 nexthop via 10.30.0.9");
    world.shell(world.host, "tc qdisc add dev nic0 root tbf rate 1mbit burst 10k latency 50ms");
    const { warnings } = await attach(instance, { guest: ref, ...phys });
    expect(warnings.join()).toContain("10.40.0.0/16 of several next hops");
    expect(warnings.join()).toContain("queueing discipline tbf");
  });
});

describe("a NIC that is there already", () => {
  test("by any of its names is unchanged, with further addresses completed", async () => {
    const { ref, instance } = stage();
    await attach(instance, { guest: ref, ...phys, to: "enp0s5" });
    expect(recordOf(instance)).toMatchObject({ to: "nic0", asked: "enp0s5", type: "phys" });
    for (const to of ["nic0", "enp0s5", "a-long-alternative-name", `mac:${NIC_MAC}`]) {
      expect(await attach(instance, { guest: ref, ...phys, to }), to).toMatchObject({
        outcome: "unchanged",
        to: "nic0",
      });
    }
    const more = { ...phys, addresses: [...phys.addresses, "192.168.2.2/24"] };
    expect(await attach(instance, { guest: ref, ...more })).toMatchObject({ outcome: "completed" });
  });

  test("another one is another configuration, which replaces it when asked to", async () => {
    const { world, guest, ref, instance } = stage();
    const wire = world.namespaces[2] as string;
    world.ip(world.host, `link add nic1 address 02:00:00:00:00:bb type veth peer name far1 netns ${wire}`);
    world.ip(wire, "link set far1 up");
    const before = await settled(world);
    await attach(instance, { guest: ref, ...phys });
    await settled(world);
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...phys, to: "nic1" }),
      "name-taken",
      "is nic0, not nic1",
    );
    await expectRefusal(world, () => attach(instance, { guest: ref, ...phys, mtu: 1300 }), "name-taken", "MTU 1400");
    await attach(instance, { guest: ref, ...phys, to: "nic1", replace: true });
    expect(world.link(guest, "eth1").address).toBe("02:00:00:00:00:bb");
    expect(world.link(world.host, "nic0").address).toBe(NIC_MAC);
    await detach(instance, { guest: ref });
    expect(await awaited(world, before)).toEqual(before);
  });

  test("in another guest is refused, naming it", async () => {
    const { world, ref, instance } = stage();
    const other = world.guest();
    await attach(instance, { guest: ref, ...phys });
    await settled(world);
    for (const to of ["nic0", `mac:${NIC_MAC}`])
      await expectRefusal(
        world,
        () => attach(instance, { guest: `netns:${other}`, ...phys, to }),
        "interface-unsuitable",
        `eth1 of ${ref}`,
        "detach",
      );
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...phys, ifname: "eth2" }),
      "interface-unsuitable",
      `eth1 of ${ref}`,
    );
  });

  test("renamed inside the guest, it is still found, and comes home", async () => {
    const { world, guest, ref, instance } = stage();
    const before = await settled(world);
    await attach(instance, { guest: ref, ...phys });
    world.ip(guest, "link set eth1 down", "link set eth1 name moved0", "link set moved0 up");
    await settled(world);
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...phys }),
      "name-taken",
      "renamed moved0",
      "detach",
    );
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(await awaited(world, before)).toEqual(before);
  });
});

describe("what the guest says does not count", () => {
  test("another link under the NIC's name there is not taken home", async () => {
    const { world, guest, ref, instance } = stage();
    const before = await settled(world);
    await attach(instance, { guest: ref, ...phys });
    world.ip(
      guest,
      "link set eth1 down",
      "link set eth1 name away0",
      "link add eth1 type veth peer name lure0",
      "link set eth1 alias pipework:1",
    );
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached" }]);
    expect(world.link(world.host, "nic0").address).toBe(NIC_MAC);
    expect(world.json(world.host, "link").map(({ ifname }) => ifname)).not.toContain("lure0");
    expect(world.link(guest, "eth1").linkinfo.info_kind).toBe("veth");
    world.ip(guest, "link del eth1");
    expect(await awaited(world, before)).toEqual(before);
  });
});

describe("home again", () => {
  test("under a free name while another interface has its own, with a warning", async () => {
    const { world, ref, instance } = stage();
    await attach(instance, { guest: ref, ...phys });
    world.ip(world.host, "link add nic0 type bridge");
    const [outcome] = await detach(instance, { guest: ref });
    expect(outcome).toMatchObject({ outcome: "detached" });
    expect(outcome?.warnings.join()).toContain("nic0_1");
    expect(world.link(world.host, "nic0_1")).toMatchObject({ address: NIC_MAC, mtu: 1400 });
    expect(world.addresses(world.host, "nic0_1")).toContain("10.0.0.1/24");
    expect(world.link(world.host, "nic0").linkinfo.info_kind).toBe("bridge");
  });

  test("while something else of it is taken: a warning for each, and the NIC all the same", async () => {
    const { world, ref, instance } = stage();
    await attach(instance, { guest: ref, ...phys });
    world.ip(world.host, "link add other type bridge", "link property add dev other altname enp0s5");
    const [outcome] = await detach(instance, { guest: ref });
    expect(outcome).toMatchObject({ outcome: "detached", warnings: [expect.stringContaining("enp0s5")] });
    expect(world.link(world.host, "nic0").altnames).toEqual(["a-long-alternative-name"]);
    expect(world.addresses(world.host, "nic0")).toContain("10.0.0.1/24");
  });
});

describe("refused, with nothing changed", () => {
  const refusals: [name: string, lines: string[], ...words: string[]][] = [
    ["a port of a bridge", ["link add brx type bridge", "link set nic0 master brx"], "nic0 is a port of brx"],
    ["one with a macvlan on it", ["link add link nic0 name mv0 type macvlan"], "macvlan mv0"],
    [
      "the one that carries the host's default route",
      ["route add default via 10.0.0.9 dev nic0"],
      "IPv4 default route of the host",
      "--force",
    ],
    ["the same of IPv6", ["route add default via fd00:aa::9 dev nic0 metric 3"], "IPv6 default route", "--force"],
  ];
  test.each(refusals)("%s", async (_, lines, ...words) => {
    const { world, ref, instance } = stage();
    world.ip(world.host, ...lines);
    await settled(world);
    await expectRefusal(world, () => attach(instance, { guest: ref, ...phys }), "interface-unsuitable", ...words);
  });

  test("the loopback interface, a bridge, none at all, queues, what a macvlan of ours is on", async () => {
    const { world, guest, ref, instance } = stage();
    world.bridge("brx");
    await settled(world);
    const refuse = (more: object, code: "interface-unsuitable" | "interface-not-found", ...words: string[]) =>
      expectRefusal(world, () => attach(instance, { guest: ref, ...phys, ...more }), code, ...words);
    await refuse({ to: "lo" }, "interface-unsuitable", "loopback");
    await refuse({ to: "brx" }, "interface-unsuitable", "brx is a bridge");
    await refuse({ to: "nic9" }, "interface-not-found", "nic9");
    await refuse({ queues: 2 }, "interface-unsuitable", "queues");
    await attach(instance, { guest: ref, to: "nic0", ifname: "eth7" });
    await settled(world);
    await refuse({}, "interface-unsuitable", `macvlan eth7 of netns:${guest}`);
  });

  test("with force, the default route goes along and comes back", async () => {
    const { world, ref, instance } = stage();
    world.ip(world.host, "route add default via 10.0.0.9 dev nic0");
    const before = await settled(world);
    await attach(instance, { guest: ref, ...phys, force: true });
    expect(world.json(world.host, "route", "show", "default")).toEqual([]);
    await detach(instance, { guest: ref });
    expect(await awaited(world, before)).toEqual(before);
  });

  test("an alternative name that the guest has is no obstacle", async () => {
    const { world, guest, ref, instance } = stage();
    world.ip(guest, "link add enp0s5 type bridge");
    const before = await settled(world);
    await attach(instance, { guest: ref, ...phys });
    await detach(instance, { guest: ref });
    expect(await awaited(world, before)).toEqual(before);
  });
});

test("the plan tells in the words of ip what will be moved, and what brings it back", async () => {
  const { ref, instance } = stage();
  const text = renderPlan(await planOnly(instance, { guest: ref, ...phys }));
  expect(text).toContain("netns GUEST name eth1");
  expect(text).toContain("netns HOST name nic0");
  expect(text).toContain("ip link property del dev #");
  expect(text).toContain("ip route append 10.6.0.0/16");
});
