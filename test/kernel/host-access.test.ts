import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { expectRefusal } from "./support/refusal.js";
import { refusedLaw } from "./support/refused-law.js";
import { awaited, settled } from "./support/snapshot.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

/** A host with an address on its NIC, a guest, another guest, and another machine on the wire. */
function lan() {
  const world = new World();
  const [blue, red] = [world.guest(), world.guest()];
  const wire = world.namespace({ observed: false });
  world.ip(
    world.host,
    `link add nic0 type veth peer name far netns ${wire}`,
    "link set nic0 up",
    "address add 10.1.0.5/24 dev nic0",
    "address add fd01::5/64 dev nic0 nodad",
  );
  world.ip(wire, "link set far up", "address add 10.1.0.1/24 dev far", "address add fd01::1/64 dev far nodad");
  world.shell(world.host, "until ip -o link show nic0 | grep -q LOWER_UP; do sleep 0.01; done");
  return { world, wire, instance: world.instance(), blue, red, b: `netns:${blue}`, r: `netns:${red}` };
}

const at2 = { to: "nic0", addresses: ["10.1.0.2/24", "fd01::2/64"], hostAccess: true };
const at3 = { ...at2, addresses: ["10.1.0.3/24", "fd01::3/64"] };

function pings(world: World, from: string, to: string): boolean {
  return world.shell(from, `ping -c 1 -W 2 ${to} || true`).includes(" 1 received");
}

function shims(world: World): { ifname: string; addr_info: unknown[] }[] {
  return world.json(world.host, "-d", "addr").filter(({ ifalias }) => ifalias === "pipework:shim");
}

describe("host access to a macvlan", () => {
  test("host and guest reach each other, both families, and the host's addresses stay where they are", async () => {
    const { world, instance, blue, b, r } = lan();
    const addresses = world.addresses(world.host, "nic0");
    await attach(instance, { guest: r, ...at3, hostAccess: false });
    expect(pings(world, world.host, "10.1.0.3")).toBe(false);
    expect(await attach(instance, { guest: b, ...at2 })).toMatchObject({ outcome: "attached", warnings: [] });
    expect(pings(world, world.host, "10.1.0.2")).toBe(true);
    expect(pings(world, world.host, "fd01::2")).toBe(true);
    expect(pings(world, blue, "10.1.0.5")).toBe(true);
    expect(pings(world, blue, "fd01::5")).toBe(true);
    expect(pings(world, blue, "10.1.0.1")).toBe(true);
    expect(world.addresses(world.host, "nic0")).toEqual(addresses);
    const [shim, ...more] = shims(world);
    expect(more).toEqual([]);
    // IPv6 answers solicitations for addresses of the interface that hears them only.
    expect(world.addresses(world.host, shim?.ifname as string)).toEqual(["fd01::5/128"]);
    expect(world.json(world.host, "route", "show", "10.1.0.2/32")).toMatchObject([
      { dev: shim?.ifname, prefsrc: "10.1.0.5" },
    ]);
    expect(world.sysctl(world.host, `ipv6/conf/${shim?.ifname}/accept_ra`)).toBe("0");
  });

  test("one way for all guests of a parent; it goes with the last, and the host is as it was", async () => {
    const { world, instance, b, r } = lan();
    const before = await settled(world);
    await attach(instance, { guest: b, ...at2 });
    await attach(instance, { guest: r, ...at3 });
    expect(shims(world)).toHaveLength(1);
    await detach(instance, { guest: b });
    expect(shims(world)).toHaveLength(1);
    expect(pings(world, world.host, "10.1.0.3")).toBe(true);
    expect(world.json(world.host, "route", "show", "10.1.0.2/32")).toEqual([]);
    expect(await detach(instance, { guest: r })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(await awaited(world, before)).toEqual(before);
  });

  test("repeated, it holds; asked for later, it is another configuration", async () => {
    const { world, instance, b } = lan();
    await attach(instance, { guest: b, ...at2, hostAccess: false });
    await expectRefusal(world, () => attach(instance, { guest: b, ...at2 }), "name-taken", "host's reach");
    await attach(instance, { guest: b, ...at2, replace: true });
    expect(pings(world, world.host, "10.1.0.2")).toBe(true);
    expect(await attach(instance, { guest: b, ...at2 })).toMatchObject({ outcome: "unchanged" });
    expect(await attach(instance, { guest: b, ...at2, hostAccess: false })).toMatchObject({ outcome: "unchanged" });
  });

  test("a route of the host's own to that address is named, and left alone", async () => {
    const { world, instance, b } = lan();
    world.ip(
      world.host,
      "link add other type veth peer name other2",
      "link set other up",
      "route add 10.1.0.2/32 dev other",
    );
    await expectRefusal(
      world,
      () => attach(instance, { guest: b, ...at2 }),
      "interface-unsuitable",
      "10.1.0.2/32",
      "on other",
    );
  });

  test("a stranger's interface of the name that the host's would have is left alone", async () => {
    const { world, instance, b } = lan();
    await attach(instance, { guest: b, ...at2 });
    const name = shims(world)[0]?.ifname as string;
    await detach(instance, { guest: b });
    world.ip(world.host, `link add ${name} type veth peer name x1`);
    await expectRefusal(world, () => attach(instance, { guest: b, ...at2 }), "name-taken", name, "did not make");
  });

  test("is for a macvlan of mode bridge", async () => {
    const { world, instance, b } = lan();
    world.bridge("br1");
    for (const [more, words] of [
      [{ mode: "private" as const }, "mode private"],
      [{ to: "br1" }, "type bridge"],
      [{ type: "ipvlan" as const }, "type ipvlan"],
    ] as const)
      await expectRefusal(world, () => attach(instance, { guest: b, ...at2, ...more }), "interface-unsuitable", words);
  });

  test("what somebody did to the host's way is no hindrance to a detach", async () => {
    const { world, instance, b, r } = lan();
    await attach(instance, { guest: b, ...at2 });
    await attach(instance, { guest: r, ...at3 });
    world.ip(world.host, "route del 10.1.0.2/32");
    expect(await detach(instance, { guest: b })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    world.ip(world.host, `link del ${shims(world)[0]?.ifname}`);
    expect(await detach(instance, { guest: r })).toMatchObject([{ outcome: "detached", warnings: [] }]);
  });
});

refusedLaw([
  { name: "a macvlan with host access", world: () => lan().world, act: { attach: at2 }, outcome: "attached" },
  {
    name: "detach of a macvlan with host access",
    world: () => lan().world,
    acts: [{ attach: at2 }],
    act: { detach: {} },
    outcome: "detached",
  },
]);
