import { afterAll, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { list } from "../../src/list.js";
import { expectRefusal } from "../kernel/support/refusal.js";
import { refusedLaw } from "../kernel/support/refused-law.js";
import { engined, guestOf } from "../kernel/support/scenario.js";
import { awaited, settled } from "../kernel/support/snapshot.js";
import { closeWorlds } from "../kernel/support/world.js";
import { needs } from "./support/needs.js";

needs("veth", "bridge", "macvlan", "dummy");
afterAll(closeWorlds);

const wish = { to: "dummy", type: "dummy" as const, addresses: ["192.168.21.101/24", "fd21::1/64"] };

test("a dummy has its address, its MAC and its MTU, repeats, and leaves everything as it was", async () => {
  const world = engined();
  const guest = guestOf(world);
  const instance = world.instance();
  const before = await settled(world);
  const request = { guest: `netns:${guest}`, ...wish, gateway: "192.168.21.1", mac: "02:00:00:00:00:21", mtu: 1400 };
  expect(await attach(instance, request)).toMatchObject({ type: "dummy", to: "dummy", outcome: "attached" });
  expect(world.link(guest, "eth1")).toMatchObject({
    address: "02:00:00:00:00:21",
    mtu: 1400,
    group: "default",
    linkinfo: { info_kind: "dummy" },
  });
  expect(world.link(guest, "eth1").flags).toContain("UP");
  expect(world.addresses(guest, "eth1").sort()).toEqual(wish.addresses);
  expect(world.json(guest, "-4", "route", "show", "default")).toMatchObject([{ dev: "eth1", gateway: "192.168.21.1" }]);
  expect(await list(instance)).toMatchObject([{ type: "dummy", to: "dummy", state: "up" }]);
  expect(await attach(instance, request)).toMatchObject({ outcome: "unchanged" });
  await detach(instance, { guest: request.guest });
  expect(await awaited(world, before)).toEqual(before);
});

test("what is no dummy's is refused: a VLAN, queues", async () => {
  const world = engined();
  const instance = world.instance();
  const guest = `netns:${guestOf(world)}`;
  await expectRefusal(world, () => attach(instance, { guest, ...wish, vlan: 5 }), "interface-unsuitable", "no VLAN");
  await expectRefusal(world, () => attach(instance, { guest, ...wish, queues: 2 }), "interface-unsuitable", "queues");
});

test("a host interface called dummy0 is the parent of a macvlan, as words of the shell script have it", async () => {
  const world = engined();
  world.ip(world.host, "link add dummy0 type dummy", "link set dummy0 up");
  const guest = guestOf(world);
  const { type: _, ...rest } = wish;
  await attach(world.instance(), { guest: `netns:${guest}`, ...rest, to: "dummy0" });
  expect(world.link(guest, "eth1").linkinfo.info_kind).toBe("macvlan");
});

refusedLaw([
  {
    name: "dummy by a temporary name, displacing both defaults",
    world: () => {
      const world = engined();
      world.ip(world.host, "link add eth1 type bridge");
      return world;
    },
    act: { attach: { ...wish, gateway: ["192.168.21.1", "fd21::2"] } },
    outcome: "attached",
  },
]);
