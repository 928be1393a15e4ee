import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import type { Instance } from "../../src/instance.js";
import { uniqueMac } from "../../src/values/mac.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

describe("attached to a bridge that is not there", () => {
  let world: World;
  let guest: string;
  let instance: Instance;

  beforeAll(async () => {
    world = new World();
    guest = world.guest();
    instance = world.instance();
    await attach(instance, { guest: `netns:${guest}`, to: "br1", addresses: ["192.168.1.2/24"] });
  });

  test("the bridge is made, up, named as ours, and takes no router advertisements", () => {
    const bridge = world.link(world.host, "br1");
    expect(bridge.linkinfo.info_kind).toBe("bridge");
    expect(bridge.flags).toContain("UP");
    expect(bridge.ifalias).toBe("pipework:bridge");
    expect(bridge.group).toBe("default");
    expect(world.sysctl(world.host, "ipv6/conf/br1/accept_ra")).toBe("0");
  });

  test("its MAC stays when ports come and go", async () => {
    const before = world.link(world.host, "br1").address;
    world.ip(
      world.host,
      "link add low address 02:00:00:00:00:01 type veth peer name lowpeer",
      "link set low master br1",
    );
    expect(world.link(world.host, "br1").address).toBe(before);
    world.ip(world.host, "link del low");
    expect(world.link(world.host, "br1").address).toBe(before);
  });

  test("both ends are up, with one queue, and the host end is a port that says whose it is", () => {
    const inside = world.link(guest, "eth1");
    expect(inside.flags).toEqual(expect.arrayContaining(["UP", "LOWER_UP"]));
    expect(inside).toMatchObject({ num_tx_queues: 1, num_rx_queues: 1, mtu: 1500, group: "default", operstate: "UP" });
    const [outside] = world.json(world.host, "-d", "link", "show", "master", "br1");
    expect(outside).toMatchObject({ num_tx_queues: 1, num_rx_queues: 1, mtu: 1500, group: "default" });
    expect(outside.flags).toContain("UP");
    expect(outside.ifalias).toContain(`netns:${guest} eth1`);
    expect(inside.link_index).toBe(outside.ifindex);
  });

  test("a second guest is reached over it", async () => {
    const other = world.guest();
    await attach(instance, { guest: `netns:${other}`, to: "br1", addresses: ["192.168.1.3/24", "fd00:1::3/64"] });
    expect(world.shell(other, "ping -c 1 -W 5 192.168.1.2")).toContain("1 received");
    expect(world.shell(guest, "ping -c 1 -W 5 192.168.1.3")).toContain("1 received");
  });
});

describe("what is asked for is what is there", () => {
  test("the MTU follows the bridge, on both ends", async () => {
    const world = new World();
    const guest = world.guest();
    world.bridge("br1", 9000);
    const at = await attach(world.instance(), { guest: `netns:${guest}`, to: "br1" });
    expect(at.mtu).toBe(9000);
    expect(world.link(guest, "eth1").mtu).toBe(9000);
    expect(world.link(world.host, at.hostIfname as string).mtu).toBe(9000);
  });

  test("names, MAC of a text, MTU and queues", async () => {
    const world = new World();
    const guest = world.guest();
    world.bridge("br1");
    const request = {
      guest: `netns:${guest}`,
      to: "br1",
      ifname: "lan",
      hostIfname: "web1",
      mac: "U:web1",
      mtu: 1400,
      queues: 2,
    };
    const at = await attach(world.instance(), request);
    expect(at).toMatchObject({
      ifname: "lan",
      hostIfname: "web1",
      mac: uniqueMac("web1"),
      mtu: 1400,
      type: "bridge",
      to: "br1",
      outcome: "attached",
    });
    expect(world.link(guest, "lan")).toMatchObject({
      address: uniqueMac("web1"),
      mtu: 1400,
      num_tx_queues: 2,
      num_rx_queues: 2,
      ifindex: at.ifindex,
    });
    expect(world.link(world.host, "web1")).toMatchObject({ master: "br1", mtu: 1400, num_tx_queues: 2 });
  });

  test("a bridge that is there keeps its settings, its MAC and its router advertisements", async () => {
    const world = new World();
    const guest = world.guest();
    world.bridge("br1");
    world.ip(
      world.host,
      "link set br1 type bridge ageing_time 1234 forward_delay 500 mcast_snooping 0",
      "link set br1 alias mine",
    );
    const before = world.link(world.host, "br1");
    const ra = world.sysctl(world.host, "ipv6/conf/br1/accept_ra");
    await attach(world.instance(), { guest: `netns:${guest}`, to: "br1", addresses: ["192.168.1.2/24"] });
    const { linkinfo, address, ifalias } = world.link(world.host, "br1");
    const settings = (info: { info_data: Record<string, unknown> }) =>
      Object.fromEntries(
        Object.entries(info.info_data).filter(([key]) => !/timer$|_id$|^topology|^root|designated/.test(key)),
      );
    expect(settings(linkinfo)).toEqual(settings(before.linkinfo));
    expect({ address, ifalias }).toEqual({ address: before.address, ifalias: before.ifalias });
    expect(world.sysctl(world.host, "ipv6/conf/br1/accept_ra")).toBe(ra);
  });

  test("a bridge that is down is brought up", async () => {
    const world = new World();
    const guest = world.guest();
    world.ip(world.host, "link add br1 type bridge");
    await attach(world.instance(), { guest: `netns:${guest}`, to: "br1" });
    expect(world.link(world.host, "br1").flags).toContain("UP");
  });

  test("a namespace by its path is the same guest as by its name", async () => {
    const world = new World();
    const guest = world.guest();
    world.bridge("br1");
    const instance = world.instance();
    await attach(instance, { guest: `netns:/run/netns/${guest}`, to: "br1", addresses: ["192.168.1.2/24"] });
    const again = await attach(instance, { guest: `netns:${guest}`, to: "br1", addresses: ["192.168.1.2/24"] });
    expect(again).toMatchObject({ outcome: "unchanged", guestId: `netns:${guest}` });
  });

  test("0/0 is an interface without an address, up", async () => {
    const world = new World();
    const guest = world.guest({ ipv6: false });
    world.bridge("br1");
    const at = await attach(world.instance(), { guest: `netns:${guest}`, to: "br1", addresses: ["0/0"] });
    expect(at.addresses).toEqual([]);
    expect(world.link(guest, "eth1").addr_info).toEqual([]);
    expect(world.link(guest, "eth1").flags).toContain("UP");
  });
});
