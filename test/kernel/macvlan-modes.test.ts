import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { list } from "../../src/list.js";
import type { MacvlanMode } from "../../src/plan/request.js";
import { expectRefusal } from "./support/refusal.js";
import { awaited, settled, snapshot } from "./support/snapshot.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

/** A NIC whose wire leads to another machine, and two guests. */
function wired() {
  const world = new World();
  const [blue, red] = [world.guest(), world.guest()];
  const wire = world.namespace({ observed: false });
  world.ip(world.host, `link add nic0 type veth peer name far netns ${wire}`, "link set nic0 up");
  world.shell(world.host, "echo 1 > /proc/sys/net/ipv6/conf/nic0/disable_ipv6");
  world.ip(wire, "link set far up", "address add 10.1.0.1/24 dev far");
  return { world, wire, instance: world.instance(), blue, red, b: `netns:${blue}`, r: `netns:${red}` };
}

const at2 = { to: "nic0", addresses: ["10.1.0.2/24"] };
const at3 = { to: "nic0", addresses: ["10.1.0.3/24"] };

function pings(world: World, from: string, to: string): boolean {
  return world.shell(from, `ping -c 1 -W 1 ${to} || true`).includes(" 1 received");
}

describe("the modes of a macvlan", () => {
  test.each([
    ["bridge", true],
    ["private", false],
    ["vepa", false],
  ] as const)("%s: the wire is reached, and another guest: %s", async (mode, each) => {
    const { world, instance, blue, red, b, r } = wired();
    expect(await attach(instance, { guest: b, ...at2, mode })).toMatchObject({ type: "macvlan", mode });
    await attach(instance, { guest: r, ...at3, mode });
    expect(world.link(blue, "eth1").linkinfo).toMatchObject({ info_kind: "macvlan", info_data: { mode } });
    expect(pings(world, blue, "10.1.0.1")).toBe(true);
    expect(pings(world, red, "10.1.0.1")).toBe(true);
    expect(pings(world, blue, "10.1.0.3")).toBe(each);
    expect(await list(instance)).toMatchObject([{ mode }, { mode }]);
    expect(await attach(instance, { guest: b, ...at2, mode })).toMatchObject({ outcome: "unchanged" });
  });

  test("passthru has the parent's MAC and the parent for itself", async () => {
    const { world, instance, blue, b, r } = wired();
    const before = await settled(world);
    const { address } = world.link(world.host, "nic0");
    const made = await attach(instance, { guest: b, ...at2, mode: "passthru" });
    expect(made).toMatchObject({ mode: "passthru", mac: address });
    expect(world.link(blue, "eth1")).toMatchObject({ address, linkinfo: { info_data: { mode: "passthru" } } });
    expect(pings(world, blue, "10.1.0.1")).toBe(true);
    for (const mode of ["bridge", "passthru"] as const)
      await expectRefusal(
        world,
        () => attach(instance, { guest: r, ...at3, mode }),
        "interface-unsuitable",
        "passthru",
        "for itself",
        `eth1 of ${b}`,
      );
    // What is not seen, the kernel refuses; the sentence says what it can be.
    await expectRefusal(
      world,
      () => attach(instance, { guest: r, ...at3, force: true }),
      "kernel-refused",
      "EINVAL",
      "passthru",
    );
    await detach(instance, { guest: b });
    expect(await awaited(world, before)).toEqual(before);
  });

  test("passthru takes no other MAC, and no other macvlan beside it", async () => {
    const { world, instance, b, r } = wired();
    await expectRefusal(
      world,
      () => attach(instance, { guest: b, ...at2, mode: "passthru", mac: "02:00:00:00:00:09" }),
      "interface-unsuitable",
      "MAC of its parent",
    );
    await attach(instance, { guest: b, ...at2 });
    await expectRefusal(
      world,
      () => attach(instance, { guest: r, ...at3, mode: "passthru" }),
      "interface-unsuitable",
      "for itself",
    );
  });

  test("source hears those it lists, and no others", async () => {
    const { world, wire, instance, blue, b } = wired();
    const other = "02:00:00:00:00:77";
    const { address } = world.link(wire, "far");
    const wish = { guest: b, ...at2, mode: "source" as const, sources: [other] };
    await attach(instance, wish);
    expect(world.link(blue, "eth1").linkinfo.info_data).toMatchObject({ mode: "source", macaddr_count: 1 });
    expect(pings(world, blue, "10.1.0.1")).toBe(false);
    expect(await attach(instance, wish)).toMatchObject({ outcome: "unchanged" });
    await expectRefusal(
      world,
      () => attach(instance, { ...wish, sources: [address, other] }),
      "name-taken",
      "source MACs",
    );
    await attach(instance, { ...wish, sources: [address.toUpperCase(), other], replace: true });
    expect(world.link(blue, "eth1").linkinfo.info_data.macaddr_count).toBe(2);
    expect(pings(world, blue, "10.1.0.1")).toBe(true);
  });

  test("a list of sources is for mode source", async () => {
    const { world, instance, b } = wired();
    const sources = ["02:00:00:00:00:77"];
    await expectRefusal(
      world,
      () => attach(instance, { guest: b, ...at2, sources }),
      "interface-unsuitable",
      "mode source",
    );
    await expectRefusal(
      world,
      () => attach(instance, { guest: b, ...at2, mode: "source", sources: ["01:00:00:00:00:77"] }),
      "invalid-request",
      "multicast",
    );
  });

  test("another mode is another configuration", async () => {
    const { world, instance, blue, b } = wired();
    await attach(instance, { guest: b, ...at2 });
    await expectRefusal(
      world,
      () => attach(instance, { guest: b, ...at2, mode: "private" }),
      "name-taken",
      "has mode bridge, not private",
      "--replace",
    );
    await attach(instance, { guest: b, ...at2, mode: "private", replace: true });
    expect(world.link(blue, "eth1").linkinfo.info_data.mode).toBe("private");
  });

  test.each(["bridge", "private", "vepa", "passthru", "source"] as MacvlanMode[])(
    "%s: detach leaves the host as it was",
    async (mode) => {
      const { world, instance, b } = wired();
      const before = await settled(world);
      await attach(instance, { guest: b, ...at2, mode });
      await detach(instance, { guest: b });
      expect(await awaited(world, before)).toEqual(before);
    },
  );

  test("modes of an ipvlan and words that are none are refused before anything is touched", async () => {
    const { world, instance, b } = wired();
    const before = snapshot(world);
    for (const [more, ...words] of [
      [{ type: "macvlan", mode: "l2" }, "mode l2 is for ipvlan"],
      [{ type: "ipvlan", mode: "vepa" }, "mode vepa is for macvlan"],
      [{ mode: "sideways" }, "no mode", "passthru"],
    ] as const)
      await expectRefusal(
        world,
        () => attach(instance, { guest: b, ...at2, ...(more as object) }),
        "invalid-request",
        ...words,
      );
    expect(snapshot(world)).toEqual(before);
  });
});
