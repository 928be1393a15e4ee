import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { expectRefusal } from "./support/refusal.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

function bridged(options: { ipv6?: boolean } = {}): { world: World; guest: string } {
  const world = new World();
  const guest = world.guest(options);
  world.bridge("br1");
  return { world, guest };
}

/** A guest that has a default route of each family on eth0. */
function engined(...defaults: string[]): { world: World; guest: string } {
  const { world, guest } = bridged();
  world.foreign(guest, "eth0", ["172.17.0.2/16", "fd17::2/64"]);
  world.ip(
    guest,
    ...(defaults.length > 0 ? defaults : ["route add default via 172.17.0.1", "route add default via fd17::1"]),
  );
  return { world, guest };
}

function defaults(world: World, guest: string, family: "-4" | "-6"): unknown[] {
  return world
    .json(guest, family, "route", "show", "default")
    .map(({ dev, gateway, metric }) => ({ dev, gateway, metric }));
}

const both = { to: "br1", addresses: ["192.168.1.2/24", "fd00:1::2/64"], gateway: ["192.168.1.1", "fd00:1::1"] };

describe("a gateway", () => {
  test("on the link, of each family", async () => {
    const { world, guest } = bridged();
    const at = await attach(world.instance(), { guest: `netns:${guest}`, ...both });
    expect(at.gateway).toEqual(["192.168.1.1", "fd00:1::1"]);
    expect(defaults(world, guest, "-4")).toEqual([{ dev: "eth1", gateway: "192.168.1.1", metric: undefined }]);
    expect(defaults(world, guest, "-6")).toEqual([{ dev: "eth1", gateway: "fd00:1::1", metric: 1024 }]);
  });

  test("off the link gets a host route", async () => {
    const { world, guest } = bridged();
    await attach(world.instance(), {
      guest: `netns:${guest}`,
      to: "br1",
      addresses: ["192.168.1.2/32", "fd00:1::2/128"],
      gateway: ["10.1.1.1", "fd99::1"],
    });
    expect(defaults(world, guest, "-4")).toMatchObject([{ dev: "eth1", gateway: "10.1.1.1" }]);
    expect(defaults(world, guest, "-6")).toMatchObject([{ dev: "eth1", gateway: "fd99::1" }]);
    expect(world.json(guest, "-4", "route", "show", "10.1.1.1")).toMatchObject([
      { dst: "10.1.1.1", dev: "eth1", scope: "link" },
    ]);
    expect(world.json(guest, "-6", "route", "show", "fd99::1")).toMatchObject([{ dst: "fd99::1", dev: "eth1" }]);
  });

  test("by its link-local address", async () => {
    const { world, guest } = bridged({ ipv6: false });
    await attach(world.instance(), {
      guest: `netns:${guest}`,
      to: "br1",
      addresses: ["fd00:1::2/128"],
      gateway: "fe80::1",
    });
    expect(defaults(world, guest, "-6")).toMatchObject([{ dev: "eth1", gateway: "fe80::1" }]);
  });

  test("without an address, for 0/0@gateway", async () => {
    const { world, guest } = bridged();
    await attach(world.instance(), { guest: `netns:${guest}`, to: "br1", addresses: ["0/0"], gateway: "10.1.1.1" });
    expect(defaults(world, guest, "-4")).toMatchObject([{ dev: "eth1", gateway: "10.1.1.1" }]);
    expect(world.addresses(guest, "eth1")).toEqual([]);
  });

  test("really is the way out", async () => {
    const { world, guest } = bridged();
    const router = world.guest();
    const instance = world.instance();
    await attach(instance, {
      guest: `netns:${router}`,
      to: "br1",
      addresses: ["192.168.1.1/24", "203.0.113.1/32", "fd00:1::1/64", "2001:db8::1/128"],
    });
    await attach(instance, { guest: `netns:${guest}`, ...both });
    expect(world.shell(guest, "ping -c 1 -W 5 203.0.113.1")).toContain("1 received");
    expect(world.shell(guest, "ping -6 -c 1 -W 5 2001:db8::1")).toContain("1 received");
  });
});

describe("the default route that was there", () => {
  test("is displaced, one per family", async () => {
    const { world, guest } = engined();
    await attach(world.instance(), { guest: `netns:${guest}`, ...both });
    expect(defaults(world, guest, "-4")).toEqual([{ dev: "eth1", gateway: "192.168.1.1", metric: undefined }]);
    expect(defaults(world, guest, "-6")).toEqual([{ dev: "eth1", gateway: "fd00:1::1", metric: 1024 }]);
  });

  test("of the other family stays", async () => {
    const { world, guest } = engined();
    await attach(world.instance(), { guest: `netns:${guest}`, ...both, gateway: "192.168.1.1" });
    expect(defaults(world, guest, "-6")).toEqual([{ dev: "eth0", gateway: "fd17::1", metric: 1024 }]);
  });

  test("of another metric stays", async () => {
    const { world, guest } = engined(
      "route add default via 172.17.0.1 metric 100",
      "route add default via fd17::1 metric 100",
    );
    await attach(world.instance(), { guest: `netns:${guest}`, ...both });
    expect(defaults(world, guest, "-4")).toEqual([
      { dev: "eth1", gateway: "192.168.1.1", metric: undefined },
      { dev: "eth0", gateway: "172.17.0.1", metric: 100 },
    ]);
    expect(defaults(world, guest, "-6")).toEqual([
      { dev: "eth0", gateway: "fd17::1", metric: 100 },
      { dev: "eth1", gateway: "fd00:1::1", metric: 1024 },
    ]);
  });

  test("learned from a router stays, and ours goes before it", async () => {
    const { world, guest } = engined("route add default via fe80::99 dev eth0 proto ra metric 1024");
    await attach(world.instance(), { guest: `netns:${guest}`, ...both });
    expect(defaults(world, guest, "-6")).toEqual([
      { dev: "eth1", gateway: "fd00:1::1", metric: 512 },
      { dev: "eth0", gateway: "fe80::99", metric: 1024 },
    ]);
  });

  test("stays when ours has a metric of its own", async () => {
    const { world, guest } = engined();
    await attach(world.instance(), { guest: `netns:${guest}`, ...both, metric: 50 });
    expect(defaults(world, guest, "-4")).toEqual([
      { dev: "eth0", gateway: "172.17.0.1", metric: undefined },
      { dev: "eth1", gateway: "192.168.1.1", metric: 50 },
    ]);
  });
});

describe("further routes", () => {
  test("in whatever order they are given", async () => {
    const { world, guest } = bridged();
    const routes = [
      "10.5.0.0/16 via 10.4.0.1",
      "10.4.0.0/16",
      "fd05::/32 via fd04::1",
      "fd04::/32",
      "10.6.0.0/16@192.168.1.9",
    ];
    await attach(world.instance(), { guest: `netns:${guest}`, ...both, routes });
    expect(world.json(guest, "-4", "route", "show", "10.5.0.0/16")).toMatchObject([
      { gateway: "10.4.0.1", dev: "eth1" },
    ]);
    expect(world.json(guest, "-4", "route", "show", "10.4.0.0/16")).toMatchObject([{ dev: "eth1", scope: "link" }]);
    expect(world.json(guest, "-4", "route", "show", "10.6.0.0/16")).toMatchObject([
      { gateway: "192.168.1.9", dev: "eth1" },
    ]);
    expect(world.json(guest, "-6", "route", "show", "fd05::/32")).toMatchObject([{ gateway: "fd04::1", dev: "eth1" }]);
  });

  test("by a next hop that cannot be reached are refused in the kernel's words, and nothing stays", async () => {
    const { world, guest } = engined();
    const error = await expectRefusal(
      world,
      () => attach(world.instance(), { guest: `netns:${guest}`, ...both, routes: ["10.6.0.0/16 via 10.9.9.9"] }),
      "kernel-refused",
      "eth1",
      guest,
      "10.6.0.0/16 via 10.9.9.9",
      "ENETUNREACH",
      "nothing was changed",
    );
    expect(error).toMatchObject({
      errnoName: "ENETUNREACH",
      netns: "guest",
      kernelText: "Nexthop has invalid gateway",
    });
  });
});
