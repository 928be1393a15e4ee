import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { list } from "../../src/list.js";
import { expectRefusal } from "../kernel/support/refusal.js";
import { refusedLaw } from "../kernel/support/refused-law.js";
import { awaited, settled } from "../kernel/support/snapshot.js";
import { closeWorlds, run, World } from "../kernel/support/world.js";
import { needs } from "./support/needs.js";

needs("veth", "bridge", "8021q");
afterAll(closeWorlds);

function guests(count: number) {
  const world = new World();
  const names = Array.from({ length: count }, () => world.guest());
  return { world, names, instance: world.instance() };
}

/** VLANs of every port, as iproute2's `bridge` sees them. */
function vlans(world: World): Record<string, unknown> {
  const ports = JSON.parse(run("bridge", ["-n", world.host, "-j", "-compressvlans", "vlan", "show"])) as {
    ifname: string;
    vlans: unknown[];
  }[];
  return Object.fromEntries(ports.map(({ ifname, vlans: of }) => [ifname, of]));
}

function pings(world: World, from: string, to: string): boolean {
  return world.shell(from, `ping -c 1 -W 2 ${to} || true`).includes(" 1 received");
}

describe("VLANs on a Linux bridge", () => {
  test("guests of one VLAN reach each other and those of another do not; the bridge is made for it", async () => {
    const { world, names, instance } = guests(3);
    const [one, two, three] = names as [string, string, string];
    const ports: string[] = [];
    for (const [guest, address, vlan] of [
      [one, "10.5.0.1/24", 100],
      [two, "10.5.0.2/24", 100],
      [three, "10.5.0.3/24", 200],
    ] as const) {
      const at = await attach(instance, { guest: `netns:${guest}`, to: "br1", addresses: [address], vlan });
      expect(at).toMatchObject({ vlan, outcome: "attached" });
      ports.push(at.hostIfname as string);
    }
    expect(world.link(world.host, "br1").linkinfo.info_data.vlan_filtering).toBe(1);
    const seen = vlans(world);
    expect(ports.map((port) => seen[port])).toEqual(
      [100, 100, 200].map((vlan) => [{ vlan, flags: ["PVID", "Egress Untagged"] }]),
    );
    expect(pings(world, one, "10.5.0.2")).toBe(true);
    expect(pings(world, one, "10.5.0.3")).toBe(false);
    expect((await list(instance)).map(({ vlan }) => vlan).sort()).toEqual([100, 100, 200]);
    const again = { guest: `netns:${one}`, to: "br1", addresses: ["10.5.0.1/24"] };
    expect(await attach(instance, { ...again, vlan: 100 })).toMatchObject({ outcome: "unchanged" });
    expect(await attach(instance, again)).toMatchObject({ outcome: "unchanged" });
    await expectRefusal(
      world,
      () => attach(instance, { ...again, vlan: 200 }),
      "name-taken",
      "is in VLAN 100, not 200",
      "--replace",
    );
    expect(await attach(instance, { ...again, vlan: 200, replace: true })).toMatchObject({ outcome: "replaced" });
    expect(pings(world, one, "10.5.0.3")).toBe(true);
    expect(pings(world, one, "10.5.0.2")).toBe(false);
  });

  test("a trunk carries its VLANs tagged, and none else", async () => {
    const { world, names, instance } = guests(3);
    const [router, ten, forty] = names as [string, string, string];
    const trunk = await attach(instance, { guest: `netns:${router}`, to: "br1", vlan: "10,20-30" });
    expect(trunk).toMatchObject({ vlan: "10,20-30" });
    expect(vlans(world)[trunk.hostIfname as string]).toMatchObject([{ vlan: 10 }, { vlan: 20, vlanEnd: 30 }]);
    await attach(instance, { guest: `netns:${ten}`, to: "br1", addresses: ["10.5.10.2/24"], vlan: 10 });
    await attach(instance, { guest: `netns:${forty}`, to: "br1", addresses: ["10.5.40.2/24"], vlan: 40 });
    for (const id of [10, 40])
      world.ip(
        router,
        `link add link eth1 name eth1.${id} type vlan id ${id}`,
        `address add 10.5.${id}.1/24 dev eth1.${id}`,
        `link set eth1.${id} up`,
      );
    expect(pings(world, router, "10.5.10.2")).toBe(true);
    expect(pings(world, router, "10.5.40.2")).toBe(false);
    expect(await list(instance)).toContainEqual(expect.objectContaining({ vlan: "10,20-30" }));
    const again = { guest: `netns:${router}`, to: "br1", vlan: "20-30,10" };
    expect(await attach(instance, again)).toMatchObject({ outcome: "unchanged" });
  });

  test("a trunk with the bridge's default VLAN in it has that tagged too", async () => {
    const { world, names, instance } = guests(1);
    const { hostIfname } = await attach(instance, { guest: `netns:${names[0]}`, to: "br1", vlan: "1,10" });
    expect(vlans(world)[hostIfname as string]).toEqual([{ vlan: 1 }, { vlan: 10 }]);
  });

  test("a bridge of somebody else's that filters is used, its default VLAN whatever it is", async () => {
    const { world, names, instance } = guests(2);
    world.ip(world.host, "link add br1 up type bridge vlan_filtering 1 vlan_default_pvid 77");
    // A bridge keeps what its first port lets it offload; another's port has been there before ours.
    await attach(instance, { guest: `netns:${names[1]}`, to: "br1" });
    await detach(instance, { guest: `netns:${names[1]}` });
    const before = await settled(world);
    const at = await attach(instance, { guest: `netns:${names[0]}`, to: "br1", addresses: ["10.5.0.1/24"], vlan: 5 });
    expect(vlans(world)[at.hostIfname as string]).toEqual([{ vlan: 5, flags: ["PVID", "Egress Untagged"] }]);
    await detach(instance, { guest: `netns:${names[0]}` });
    expect(await awaited(world, before)).toEqual(before);
  });

  test("a plain bridge is refused with a hint, and left as it is", async () => {
    const { world, names, instance } = guests(1);
    world.bridge("br1");
    await expectRefusal(
      world,
      () => attach(instance, { guest: `netns:${names[0]}`, to: "br1", vlan: 5 }),
      "interface-unsuitable",
      "does not tell VLANs apart",
      "vlan_filtering 1",
    );
  });
});

refusedLaw([
  {
    name: "on a VLAN of a bridge to be made",
    world: () => {
      const world = new World();
      world.guest();
      return world;
    },
    act: { attach: { to: "br1", addresses: ["10.5.0.1/24"], vlan: 100 } },
    outcome: "attached",
  },
]);
