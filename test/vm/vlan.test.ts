import { readdirSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { list } from "../../src/list.js";
import { awaited, settled } from "../kernel/support/snapshot.js";
import { closeWorlds, World } from "../kernel/support/world.js";
import { needs } from "./support/needs.js";

needs("veth", "bridge", "macvlan", "ipvlan", "8021q", "bonding", "team", "team_mode_activebackup");
afterAll(closeWorlds);

/** A NIC whose wire ends in another machine, which is in VLANs 10 and 20 with the same address. */
function stage({ up = true, nic = "nic0" }: { up?: boolean; nic?: string } = {}) {
  const world = new World();
  const [guest, other] = [world.guest(), world.guest()];
  const wire = world.namespace({ observed: false });
  world.ip(world.host, `link add ${nic} type veth peer name far netns ${wire}`, ...(up ? [`link set ${nic} up`] : []));
  world.shell(world.host, `echo 1 > /proc/sys/net/ipv6/conf/${nic}/disable_ipv6`);
  world.ip(wire, "link set far up");
  for (const id of [10, 20])
    world.ip(wire, `link add link far name far.${id} type vlan id ${id}`, `link set far.${id} up`);
  world.ip(wire, "address add 10.0.10.1/24 dev far.10", "address add fd00:10::1/64 dev far.10 nodad");
  return { world, guest, other, wire, ref: `netns:${guest}`, otherRef: `netns:${other}`, instance: world.instance() };
}

const on10 = { to: "nic0", vlan: 10, addresses: ["10.0.10.2/24", "fd00:10::2/64"] };
const other10 = { to: "nic0", vlan: 10, addresses: ["10.0.10.3/24"] };

const reaches = (world: World, guest: string, address: string) =>
  world.shell(guest, `ping -c 1 -W 5 ${address} || true`).includes(" 1 received");
const names = (world: World) => world.json(world.host, "link").map(({ ifname }) => ifname);

describe("a macvlan on a VLAN of a NIC", () => {
  test("reaches who is in that VLAN, and the last detach removes the VLAN's link", async () => {
    const { world, guest, other, ref, otherRef, instance } = stage();
    const before = await settled(world);
    const at = await attach(instance, { guest: ref, ...on10 });
    expect(at).toMatchObject({ type: "macvlan", mode: "bridge", to: "nic0", vlan: 10, outcome: "attached" });
    expect(world.link(world.host, "nic0.10")).toMatchObject({
      ifalias: "pipework:vlan",
      group: "default",
      mtu: 1500,
      link: "nic0",
      linkinfo: { info_kind: "vlan", info_data: { id: 10, protocol: "802.1Q" } },
    });
    expect(world.link(world.host, "nic0.10").flags).toContain("UP");
    expect(world.sysctl(world.host, "ipv6/conf/nic0.10/accept_ra")).toBe("0");
    expect(world.link(guest, "eth1")).toMatchObject({ linkinfo: { info_kind: "macvlan" }, mtu: 1500 });
    await attach(instance, { guest: otherRef, ...other10 });
    expect(reaches(world, guest, "10.0.10.1")).toBe(true);
    expect(reaches(world, guest, "fd00:10::1")).toBe(true);
    expect(reaches(world, guest, "10.0.10.3")).toBe(true);
    expect(await list(instance)).toMatchObject([
      { to: "nic0", vlan: 10, type: "macvlan", state: "up" },
      { to: "nic0", vlan: 10, type: "macvlan", state: "up" },
    ]);
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(names(world)).toEqual(["lo", "nic0", "nic0.10"]);
    expect(reaches(world, other, "10.0.10.1")).toBe(true);
    expect(await detach(instance, { guest: otherRef })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(await awaited(world, before)).toEqual(before);
    expect(readdirSync(instance.recordDir)).toEqual([]);
  });
});
