import { readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { attach, planOnly } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { list } from "../../src/list.js";
import { expectRefusal } from "./support/refusal.js";
import { settled } from "./support/snapshot.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

const LONG = "an-alternative-name-of-a-nic";

/** A veth in the place of a NIC, with alternative names of both lengths. */
function wired() {
  const world = new World();
  const guest = world.guest();
  const wire = world.namespace({ observed: false });
  world.ip(
    world.host,
    `link add nic0 address 02:00:00:00:00:aa type veth peer name far netns ${wire}`,
    `link property add dev nic0 altname ${LONG} altname short0`,
    "link set nic0 up",
  );
  world.ip(wire, "link set far up");
  world.shell(world.host, "echo 1 > /proc/sys/net/ipv6/conf/nic0/disable_ipv6");
  return { world, guest, ref: `netns:${guest}` };
}

describe("the host interface of a macvlan", () => {
  test.each(["mac:02:00:00:00:00:aa", "mac:02-00-00-00-00-AA", LONG, "short0", "nic0"])("by %s", async (to) => {
    const { world, guest, ref } = wired();
    const instance = world.instance();
    const request = { guest: ref, to, addresses: ["192.168.1.2/24"] };
    expect(await attach(instance, request)).toMatchObject({ to: "nic0", type: "macvlan", outcome: "attached" });
    expect(world.link(guest, "eth1").link_index).toBe(world.link(world.host, "nic0").ifindex);
    expect(await list(instance)).toMatchObject([{ to: "nic0" }]);
    if (to !== "nic0")
      expect(JSON.stringify(await planOnly(instance, { ...request, ifname: "eth2" }))).not.toContain(to);
    // By any of its names it is the same one.
    for (const other of ["nic0", "short0", LONG, "mac:02:00:00:00:00:aa"])
      expect((await attach(instance, { ...request, to: other })).outcome).toBe("unchanged");
    const [record] = readdirSync(instance.recordDir);
    expect(JSON.parse(readFileSync(`${instance.recordDir}/${record}`, "utf8"))).toMatchObject({ to: "nic0" });
    expect(await detach(instance, { guest: ref })).toMatchObject([{ outcome: "detached" }]);
  });
});

test("a bridge by its MAC and by an alternative name", async () => {
  const world = new World();
  const guest = world.guest();
  world.bridge("lan0");
  world.ip(world.host, "link property add dev lan0 altname br-of-the-long-name-lan");
  const instance = world.instance();
  expect(await attach(instance, { guest: `netns:${guest}`, to: "mac:06:00:00:00:00:01" })).toMatchObject({
    to: "lan0",
    type: "bridge",
  });
  expect(
    await attach(instance, { guest: `netns:${guest}`, to: "br-of-the-long-name-lan", ifname: "eth2" }),
  ).toMatchObject({ to: "lan0", type: "bridge" });
});

describe("refused, with nothing changed", () => {
  test("a MAC that several have, and one that none has", async () => {
    const { world, ref } = wired();
    const instance = world.instance();
    world.ip(world.host, "link add nic1 address 02:00:00:00:00:aa type veth peer name far1");
    await settled(world);
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, to: "mac:02:00:00:00:00:aa" }),
      "interface-ambiguous",
      "mac:02:00:00:00:00:aa",
      "nic0",
      "nic1",
    );
    for (const to of ["mac:02:00:00:00:00:bb", "pci:0000:00:1f.7", "br-no-such-alternative-name"])
      await expectRefusal(world, () => attach(instance, { guest: ref, to }), "interface-not-found", to);
  });
});
