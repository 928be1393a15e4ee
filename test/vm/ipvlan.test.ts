import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { list } from "../../src/list.js";
import { expectRefusal } from "../kernel/support/refusal.js";
import { refusedLaw } from "../kernel/support/refused-law.js";
import { nicked } from "../kernel/support/scenario.js";
import { awaited, settled } from "../kernel/support/snapshot.js";
import { closeWorlds, World } from "../kernel/support/world.js";
import { needs } from "./support/needs.js";

needs("veth", "bridge", "macvlan", "ipvlan");
afterAll(closeWorlds);

/** A NIC whose wire leads to another machine, and two guests. */
function wired() {
  const world = new World();
  const [blue, red] = [world.guest(), world.guest()];
  const wire = world.namespace({ observed: false });
  world.ip(world.host, `link add nic0 type veth peer name far netns ${wire}`, "link set nic0 up");
  world.shell(world.host, "echo 1 > /proc/sys/net/ipv6/conf/nic0/disable_ipv6");
  world.ip(wire, "link set far up", "address add 10.1.0.1/24 dev far", "address add fd01::1/64 dev far nodad");
  return { world, wire, instance: world.instance(), blue, red, b: `netns:${blue}`, r: `netns:${red}` };
}

const at2 = { to: "nic0", type: "ipvlan" as const, addresses: ["10.1.0.2/24", "fd01::2/64"] };
const at3 = { ...at2, addresses: ["10.1.0.3/24", "fd01::3/64"] };

function pings(world: World, from: string, to: string): boolean {
  return world.shell(from, `ping -c 1 -W 2 ${to} || true`).includes(" 1 received");
}

describe.each(["l2", "l3", "l3s"] as const)("an ipvlan of mode %s", (mode) => {
  test("has the parent's MAC, reaches another guest, repeats, and leaves the host as it was", async () => {
    const { world, instance, blue, b, r } = wired();
    const before = await settled(world);
    const { address } = world.link(world.host, "nic0");
    const made = await attach(instance, { guest: b, ...at2, ...(mode === "l2" ? {} : { mode }) });
    expect(made).toMatchObject({ type: "ipvlan", mode, mac: address, outcome: "attached" });
    expect(world.link(blue, "eth1")).toMatchObject({
      address,
      group: "default",
      linkinfo: { info_kind: "ipvlan", info_data: { mode } },
    });
    expect(world.addresses(blue, "eth1").sort()).toEqual(at2.addresses);
    await attach(instance, { guest: r, ...at3, mode });
    expect(pings(world, blue, "10.1.0.3")).toBe(true);
    expect(pings(world, blue, "fd01::3")).toBe(true);
    // In the modes of layer 3 there is no ARP: the wire is reached through a router that knows of them.
    if (mode === "l2") expect(pings(world, blue, "10.1.0.1")).toBe(true);
    expect(await list(instance)).toMatchObject([
      { type: "ipvlan", mode },
      { type: "ipvlan", mode },
    ]);
    expect(await attach(instance, { guest: b, ...at2, mode })).toMatchObject({ outcome: "unchanged" });
    for (const guest of [b, r]) await detach(instance, { guest });
    expect(await awaited(world, before)).toEqual(before);
  });
});

describe("an ipvlan", () => {
  test("is announced as it comes up, and its notify flags are as before", async () => {
    const { world, wire, instance, blue, b } = wired();
    world.shell(wire, "echo 1 > /proc/sys/net/ipv4/conf/far/arp_accept; ip -4 neigh flush dev far");
    const { mac } = await attach(instance, { guest: b, ...at2 });
    for (let tries = 0; tries < 100 && world.json(wire, "-4", "neigh", "show", "10.1.0.2").length === 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(world.json(wire, "-4", "neigh", "show", "10.1.0.2")).toMatchObject([{ lladdr: mac }]);
    expect(world.sysctl(blue, "ipv4/conf/eth1/arp_notify")).toBe("0");
    expect(world.sysctl(blue, "ipv6/conf/eth1/ndisc_notify")).toBe("0");
  });

  test("of another mode than those that are there is refused: the kernel would change them all", async () => {
    const { world, instance, blue, b, r } = wired();
    await attach(instance, { guest: b, ...at2 });
    await expectRefusal(
      world,
      () => attach(instance, { guest: r, ...at3, mode: "l3" }),
      "interface-unsuitable",
      "in mode l2",
      `eth1 of ${b}`,
    );
    world.ip(world.host, "link add link nic0 name own type ipvlan mode l2");
    await detach(instance, { guest: b });
    await expectRefusal(
      world,
      () => attach(instance, { guest: r, ...at3, mode: "l3" }),
      "interface-unsuitable",
      "interface own of the host",
    );
    await attach(instance, { guest: r, ...at3, mode: "l3", force: true });
    expect(world.link(world.host, "own").linkinfo.info_data.mode).toBe("l3");
    expect(blue).not.toBe("");
  });

  test("and a macvlan do not share a parent, whichever is seen first", async () => {
    const { world, instance, b, r } = wired();
    await attach(instance, { guest: b, ...at2 });
    const { type: _, ...macvlan } = at3;
    await expectRefusal(world, () => attach(instance, { guest: r, ...macvlan }), "interface-unsuitable", "an ipvlan");
    await expectRefusal(
      world,
      () => attach(instance, { guest: r, ...macvlan, force: true }),
      "kernel-refused",
      "EBUSY",
      "an ipvlan, a bridge or a bond has that parent",
    );
    await detach(instance, { guest: b });
    await attach(instance, { guest: b, ...macvlan });
    await expectRefusal(world, () => attach(instance, { guest: r, ...at2 }), "interface-unsuitable", "a macvlan");
  });

  test("takes no MAC of its own, and no address that another has", async () => {
    const { world, instance, b, r } = wired();
    await expectRefusal(
      world,
      () => attach(instance, { guest: b, ...at2, mac: "02:00:00:00:00:09" }),
      "interface-unsuitable",
      "MAC of its parent",
    );
    await attach(instance, { guest: b, ...at2 });
    await expectRefusal(
      world,
      () => attach(instance, { guest: r, ...at2 }),
      "kernel-refused",
      "10.1.0.2",
      "EADDRINUSE",
    );
  });

  test("replaces one of another mode, and a host interface of its name is no hindrance", async () => {
    const { world, instance, blue, b } = wired();
    world.ip(world.host, "link add eth1 type bridge");
    await attach(instance, { guest: b, ...at2 });
    await expectRefusal(world, () => attach(instance, { guest: b, ...at2, mode: "l3" }), "name-taken", "has mode l2");
    expect(await attach(instance, { guest: b, ...at2, mode: "l3", replace: true })).toMatchObject({
      outcome: "replaced",
    });
    expect(world.link(blue, "eth1").linkinfo.info_data.mode).toBe("l3");
    expect(world.json(blue, "link").map(({ ifname }) => ifname)).toEqual(["lo", "eth1"]);
  });
});

refusedLaw([
  {
    name: "ipvlan by a temporary name, parent down",
    world: () => {
      const world = nicked(false);
      world.ip(world.host, "link add eth1 type bridge");
      return world;
    },
    act: { attach: { ...at2, gateway: ["10.1.0.1", "fd01::1"] } },
    outcome: "attached",
  },
]);
