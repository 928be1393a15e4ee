import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { expectRefusal } from "../kernel/support/refusal.js";
import { awaited, settled } from "../kernel/support/snapshot.js";
import { closeWorlds, World } from "../kernel/support/world.js";
import { needs } from "./support/needs.js";

needs("veth", "bridge", "macvlan", "ipvlan", "bonding", "team");
afterAll(closeWorlds);

const wish = { to: "up0", addresses: ["10.1.0.2/24"] };

/** A NIC in a bond or a team whose wire leads to another machine. */
function aggregated(make: (world: World) => void, mtu = 1500) {
  const world = new World();
  const [blue, red] = [world.guest(), world.guest()];
  const wire = world.namespace({ observed: false });
  world.ip(world.host, `link add nic0 mtu ${mtu} type veth peer name far mtu ${mtu} netns ${wire}`);
  make(world);
  for (const name of ["nic0", "up0"]) world.shell(world.host, `echo 1 > /proc/sys/net/ipv6/conf/${name}/disable_ipv6`);
  world.ip(wire, "link set far up", "address add 10.1.0.1/24 dev far");
  return { world, instance: world.instance(), blue, red };
}

const bond = (world: World) =>
  world.ip(
    world.host,
    "link add up0 type bond mode active-backup miimon 100",
    "link set nic0 master up0",
    "link set up0 up",
  );

/** Without a teamd nothing is its active port, so it is made and enslaved, and carries no traffic. */
const team = (world: World) =>
  world.ip(world.host, "link add up0 type team", "link set nic0 master up0", "link set up0 up");

describe.each([
  ["a bond", bond],
  ["a team", team],
] as const)("on %s", (name, make) => {
  test.each(["macvlan", "ipvlan"] as const)("a %s has its MTU, and detach leaves it as it was", async (type) => {
    const { world, instance, blue } = aggregated(make, 2000);
    world.ip(world.host, "link set up0 mtu 2000");
    const before = await settled(world);
    await attach(instance, { guest: `netns:${blue}`, ...wish, type });
    expect(world.link(blue, "eth1")).toMatchObject({ mtu: 2000, linkinfo: { info_kind: type } });
    await detach(instance, { guest: `netns:${blue}` });
    expect(await awaited(world, before)).toEqual(before);
  });

  test("its ports are no parents", async () => {
    const { world, instance, blue } = aggregated(make);
    await expectRefusal(
      world,
      () => attach(instance, { guest: `netns:${blue}`, ...wish, to: "nic0" }),
      "interface-unsuitable",
      `enslaved to a ${name.split(" ")[1]}`,
    );
  });
});

test("two guests on a bond reach each other and the wire", async () => {
  const { world, instance, blue, red } = aggregated(bond);
  await attach(instance, { guest: `netns:${blue}`, ...wish });
  await attach(instance, { guest: `netns:${red}`, ...wish, addresses: ["10.1.0.3/24"] });
  expect(world.shell(blue, "ping -c 1 -W 5 10.1.0.3")).toContain("1 received");
  expect(world.shell(blue, "ping -c 5 -i 0.3 -W 5 10.1.0.1 || true")).toMatch(/[1-5] received/);
});
