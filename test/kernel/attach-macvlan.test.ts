import { readdirSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { list } from "../../src/list.js";
import { expectRefusal } from "./support/refusal.js";
import { awaited, settled } from "./support/snapshot.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

/** A veth in the place of a NIC; what is at the far end of the wire is another machine. */
function wired({ up = true, mtu = 1500 }: { up?: boolean; mtu?: number } = {}) {
  const world = new World();
  const guest = world.guest();
  const wire = world.namespace({ observed: false });
  world.ip(
    world.host,
    `link add nic0 mtu ${mtu} type veth peer name far mtu ${mtu} netns ${wire}`,
    ...(up ? ["link set nic0 up"] : []),
  );
  world.shell(world.host, "echo 1 > /proc/sys/net/ipv6/conf/nic0/disable_ipv6");
  world.ip(wire, "link set far up", "address add 192.168.1.1/24 dev far", "address add fd00:1::1/64 dev far nodad");
  return { world, guest, wire, ref: `netns:${guest}` };
}

const both = { to: "nic0", addresses: ["192.168.1.2/24", "fd00:1::2/64"], gateway: ["192.168.1.1", "fd00:1::1"] };

describe("a macvlan", () => {
  test("in bridge mode, with the parent's MTU, reaches what is on the wire", async () => {
    const { world, guest, ref } = wired({ mtu: 4000 });
    const at = await attach(world.instance(), { guest: ref, ...both });
    expect(at).toMatchObject({ type: "macvlan", mode: "bridge", mtu: 4000, outcome: "attached" });
    expect(at).not.toHaveProperty("hostIfname");
    const link = world.link(guest, "eth1");
    expect(link).toMatchObject({
      ifindex: at.ifindex,
      address: at.mac,
      mtu: 4000,
      group: "default",
      linkinfo: { info_kind: "macvlan", info_data: { mode: "bridge" } },
    });
    expect(world.shell(guest, "ping -c 1 -W 5 192.168.1.1")).toContain("1 received");
    expect(world.shell(guest, "ping -6 -c 1 -W 5 fd00:1::1")).toContain("1 received");
  });

  test("two on one parent reach each other", async () => {
    const { world, guest, ref } = wired();
    const other = world.guest();
    const instance = world.instance();
    await attach(instance, { guest: ref, ...both });
    await attach(instance, { guest: `netns:${other}`, to: "nic0", addresses: ["192.168.1.3/24"] });
    expect(world.shell(guest, "ping -c 1 -W 5 192.168.1.3")).toContain("1 received");
  });

  test("by a name that the host has too", async () => {
    const { world, guest, ref } = wired();
    world.ip(world.host, "link add eth1 type veth peer name eth2", "link set eth1 up");
    await attach(world.instance(), { guest: ref, ...both });
    expect(world.link(guest, "eth1")).toMatchObject({ group: "default", linkinfo: { info_kind: "macvlan" } });
    expect(world.json(guest, "link").map(({ ifname }) => ifname)).toEqual(["lo", "eth1"]);
    expect(world.link(world.host, "eth1").linkinfo.info_kind).toBe("veth");
  });

  test("on the host interface of that very name", async () => {
    const world = new World();
    const guest = world.guest();
    world.ip(world.host, "link add eth1 type veth peer name far", "link set eth1 up", "link set far up");
    await attach(world.instance(), { guest: `netns:${guest}`, to: "eth1", addresses: ["192.168.1.2/24"] });
    expect(world.addresses(guest, "eth1")).toEqual(["192.168.1.2/24"]);
  });

  test("with a name for the host end that it has not: a warning", async () => {
    const { world, ref } = wired();
    const at = await attach(world.instance(), { guest: ref, ...both, hostIfname: "web1" });
    expect(at.warnings.join()).toContain("web1");
    expect(world.link(world.host, "web1")).toBeUndefined();
  });

  test("brings its parent up, and a failure takes it down again", async () => {
    const { world, ref } = wired({ up: false });
    const instance = world.instance();
    await settled(world);
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...both, routes: ["10.9.0.0/16 via 10.8.8.8"] }),
      "kernel-refused",
      "10.9.0.0/16",
    );
    await attach(instance, { guest: ref, ...both });
    expect(world.link(world.host, "nic0").flags).toContain("UP");
    await detach(instance, { guest: ref });
    expect(world.link(world.host, "nic0").flags).toContain("UP");
  });

  test("its record is written, listed, and goes with it", async () => {
    const { world, ref } = wired();
    const instance = world.instance();
    const before = await settled(world);
    await attach(instance, { guest: ref, ...both });
    expect(readdirSync(instance.recordDir)).toHaveLength(1);
    expect(await list(instance)).toMatchObject([
      {
        guestId: ref,
        ifname: "eth1",
        to: "nic0",
        type: "macvlan",
        mode: "bridge",
        state: "up",
        addresses: both.addresses,
        gateway: both.gateway,
      },
    ]);
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached" }]);
    expect(readdirSync(instance.recordDir)).toEqual([]);
    expect(await list(instance)).toEqual([]);
    expect(await awaited(world, before)).toEqual(before);
  });

  test("again is unchanged, and a stranger's macvlan is not ours", async () => {
    const { world, guest, ref } = wired();
    const instance = world.instance();
    await attach(instance, { guest: ref, ...both });
    expect((await attach(instance, { guest: ref, ...both })).outcome).toBe("unchanged");
    world.ip(world.host, `link add link nic0 name mine netns ${guest} type macvlan mode bridge`);
    await settled(world);
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...both, ifname: "mine" }),
      "name-taken",
      "mine",
      "macvlan",
    );
    await expectRefusal(world, () => detach(instance, { guest: ref, ifname: "mine" }), "interface-unsuitable", "mine");
  });
});

describe("refused", () => {
  test("a MAC that another macvlan on the parent has, in the kernel's words", async () => {
    const { world, ref } = wired();
    const other = world.guest();
    const instance = world.instance();
    await attach(instance, { guest: ref, ...both, mac: "02:00:00:00:00:07" });
    await settled(world);
    const error = await expectRefusal(
      world,
      () => attach(instance, { guest: `netns:${other}`, to: "nic0", mac: "02:00:00:00:00:07" }),
      "kernel-refused",
      "eth1",
      other,
      "EADDRINUSE",
      "MAC",
    );
    expect(error.netns).toBe("guest");
  });

  test("a parent that is a port of a bridge, with what to do instead", async () => {
    const { world, ref } = wired();
    world.ip(world.host, "link add brx type bridge", "link set nic0 master brx");
    await settled(world);
    await expectRefusal(
      world,
      () => attach(world.instance(), { guest: ref, ...both }),
      "interface-unsuitable",
      "nic0",
      "bridge",
      "attach to that bridge",
    );
  });

  test("a bridge that is asked to be one, and is not", async () => {
    const { world, ref } = wired();
    await expectRefusal(
      world,
      () => attach(world.instance(), { guest: ref, ...both, type: "bridge" }),
      "interface-unsuitable",
      "nic0",
      "not a bridge",
    );
  });

  test("the loopback interface, queues", async () => {
    const { world, ref } = wired();
    const instance = world.instance();
    await expectRefusal(world, () => attach(instance, { guest: ref, to: "lo" }), "interface-unsuitable", "loopback");
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...both, queues: 2 }),
      "interface-unsuitable",
      "queues",
    );
  });
});
