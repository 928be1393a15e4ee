import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { list } from "../../src/list.js";
import { awaited, settled } from "../kernel/support/snapshot.js";
import { closeWorlds, run, World } from "../kernel/support/world.js";
import { needs } from "./support/needs.js";

needs("veth", "bridge", "macvlan");
afterAll(closeWorlds);

const toBridge = { to: "br1", addresses: ["192.168.1.2/24", "fd00:1::2/64"], gateway: ["192.168.1.1", "fd00:1::1"] };
const toNic = { ...toBridge, to: "nic0" };

/** A guest with an engine's eth0 and default route, a bridge, and a NIC whose wire ends elsewhere. */
function stage() {
  const world = new World();
  const guest = world.guest();
  const wire = world.namespace({ observed: false });
  world.bridge("br1");
  world.bridge("docker0");
  world.foreign(guest, "eth0", ["172.17.0.2/16"], "docker0");
  world.ip(guest, "route add default via 172.17.0.1");
  world.ip(world.host, `link add nic0 type veth peer name far netns ${wire}`, "link set nic0 up");
  world.shell(world.host, "echo 1 > /proc/sys/net/ipv6/conf/nic0/disable_ipv6");
  world.ip(wire, "link set far up", "address add 192.168.1.1/24 dev far", "address add fd00:1::1/64 dev far nodad");
  return { world, guest, ref: `netns:${guest}`, instance: world.instance() };
}

test("the kernel is the one that was asked for", () => {
  expect(run("uname", ["-r"])).toMatch(new RegExp(`^${process.env["PIPEWORK_VM"]}\\.`));
});

describe.each([
  ["a bridge", toBridge, "veth"],
  ["a NIC, by macvlan", toNic, "macvlan"],
])("on %s", (_, request, kind) => {
  test("an attachment is what was asked for, the same again is unchanged, and detach leaves all as it was", async () => {
    const { world, guest, ref, instance } = stage();
    const before = await settled(world);
    const at = await attach(instance, { guest: ref, ...request });
    expect(at.outcome).toBe("attached");
    expect(world.link(guest, "eth1")).toMatchObject({
      ifindex: at.ifindex,
      address: at.mac,
      group: "default",
      linkinfo: { info_kind: kind },
    });
    expect(world.link(guest, "eth1").flags).toContain("UP");
    expect(world.addresses(guest, "eth1").sort()).toEqual(request.addresses);
    for (const [family, gateway] of [
      ["-4", "192.168.1.1"],
      ["-6", "fd00:1::1"],
    ] as const)
      expect(world.json(guest, family, "route", "show", "default")).toMatchObject([{ dev: "eth1", gateway }]);
    expect(await list(instance)).toMatchObject([{ ifname: "eth1", to: request.to, state: "up" }]);

    const attached = await settled(world);
    expect((await attach(instance, { guest: ref, ...request })).outcome).toBe("unchanged");
    expect(await awaited(world, attached)).toEqual(attached);

    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(await awaited(world, before)).toEqual(before);
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "absent" }]);
  });

  test("another configuration replaces it, and the first default comes back in the end", async () => {
    const { world, guest, ref, instance } = stage();
    const before = await settled(world);
    await attach(instance, { guest: ref, ...request });
    const wanted = { ...request, addresses: ["192.168.1.7/24"], gateway: "192.168.1.254", mtu: 1400, replace: true };
    const at = await attach(instance, { guest: ref, ...wanted });
    expect(at).toMatchObject({ outcome: "replaced", addresses: wanted.addresses, mtu: 1400 });
    expect(world.json(guest, "link").map(({ ifname }) => ifname)).toEqual(["lo", "eth0", "eth1"]);
    expect(world.addresses(guest, "eth1")).toEqual(wanted.addresses);
    expect(world.json(guest, "-4", "route", "show", "default")).toMatchObject([
      { dev: "eth1", gateway: wanted.gateway },
    ]);
    expect(world.json(guest, "-6", "route", "show", "default")).toEqual([]);
    expect(await list(instance)).toHaveLength(1);
    await detach(instance, { guest: ref });
    expect(await awaited(world, before)).toEqual(before);
  });

  test("an interface of the host's by the name that the guest's is to have is no hindrance", async () => {
    const { world, guest, ref, instance } = stage();
    world.ip(world.host, "link add eth1 type bridge", "link set eth1 up");
    const before = await settled(world);
    await attach(instance, { guest: ref, ...request });
    expect(world.link(guest, "eth1")).toMatchObject({ group: "default", linkinfo: { info_kind: kind } });
    expect(world.link(world.host, "eth1").linkinfo.info_kind).toBe("bridge");
    await detach(instance, { guest: ref });
    expect(await awaited(world, before)).toEqual(before);
  });
});

test("kernels of these series do not make a link in another namespace by a name that their own has", () => {
  const { world, guest } = stage();
  world.ip(world.host, "link add eth1 type bridge");
  expect(() => world.ip(world.host, `link add link nic0 name eth1 netns ${guest} type macvlan`)).toThrow("File exists");
});

test("a link that is up is renamed by 6.12, and not by 6.1", () => {
  const { world, guest } = stage();
  const rename = () => world.ip(guest, "link set eth0 name other");
  if (process.env["PIPEWORK_VM"] === "6.1") expect(rename).toThrow("busy");
  else expect(rename).not.toThrow();
});

test("what is announced is heard on the wire", async () => {
  const { world, ref, instance } = stage();
  const wire = world.namespaces[2] as string;
  world.shell(wire, "ip -4 neigh flush all; echo 1 > /proc/sys/net/ipv4/conf/far/arp_accept");
  const at = await attach(instance, { guest: ref, ...toNic });
  await awaitedNeighbour(world, wire, at.mac);
});

/** The kernel at the far end has learned the address from the announcement alone. */
async function awaitedNeighbour(world: World, wire: string, mac: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const found = world.json(wire, "-4", "neigh", "show", "192.168.1.2");
    if (found.length > 0 || tries === 100) {
      expect(found).toMatchObject([{ lladdr: mac }]);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
