import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import type { Instance } from "../../src/instance.js";
import { expectRefusal } from "./support/refusal.js";
import { settled } from "./support/snapshot.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

let world: World;
let guest: string;
let ref: string;
let instance: Instance;

beforeAll(async () => {
  world = new World();
  guest = world.guest();
  ref = `netns:${guest}`;
  world.bridge("br1");
  world.foreign(guest, "eth0", ["172.17.0.2/16"]);
  world.ip(guest, "route add default via 172.17.0.1");
  world.ip(world.host, "link add nic0 type veth peer name nic0far", "link set nic0 up", "link set nic0far up");
  instance = world.instance();
  await settled(world);
});

const v4 = { to: "br1", addresses: ["192.168.1.2/24"] };

describe("names", () => {
  test.each([
    ["averyveryverylongname", "15"],
    ["a/b", "slash"],
    ["a b", "white space"],
    ["eth1:1", "colon"],
    ["eth%d", "percent"],
    ["..", ".."],
    ["", "empty"],
  ])("inside the guest: %j", async (ifname, why) => {
    await expectRefusal(world, () => attach(instance, { guest: ref, ...v4, ifname }), "invalid-request", why);
  });

  test.each([["averyveryverylongname"], ["a/b"], ["v%d"]])("of the host end: %j", async (hostIfname) => {
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...v4, hostIfname }),
      "invalid-request",
      hostIfname,
    );
  });

  test("taken by a link of somebody else's, which is left alone", async () => {
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...v4, ifname: "eth0" }),
      "name-taken",
      "eth0",
      guest,
      "172.17.0.2/16",
      "not made by pipework",
    );
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...v4, ifname: "eth0", replace: true }),
      "name-taken",
      "eth0",
    );
  });

  test("of the host end, taken by a link of somebody else's, up or down, which is left alone", async () => {
    world.ip(world.host, "link add taken type veth peer name takenpeer");
    try {
      await expectRefusal(
        world,
        () => attach(instance, { guest: ref, ...v4, hostIfname: "taken" }),
        "name-taken",
        "taken",
        "veth",
        "not made by pipework",
      );
      await expectRefusal(
        world,
        () => attach(instance, { guest: ref, ...v4, hostIfname: "taken", replace: true }),
        "name-taken",
        "taken",
      );
    } finally {
      world.ip(world.host, "link del taken");
    }
  });

  test("of the host interface, which does not exist and is no br*", async () => {
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...v4, to: "lan7" }),
      "interface-not-found",
      "lan7",
    );
  });
});

describe("MAC addresses", () => {
  test.each([
    ["01:00:00:00:00:01", "multicast"],
    ["00:00:00:00:00:00", "zeros"],
    ["ff:ff:ff:ff:ff:ff", "broadcast"],
    ["02:00:00:00:00", "5"],
    ["nonsense", "MAC"],
  ])("%s", async (mac, why) => {
    await expectRefusal(world, () => attach(instance, { guest: ref, ...v4, mac }), "invalid-request", mac, why);
  });
});

describe("addresses and gateways", () => {
  test.each([
    ["192.168.1.2/33", "32"],
    ["fd00::1/129", "128"],
    ["192.168.1.256/24", "255"],
    ["10.1/16", "10.1.0.0"],
    ["192.168.01.2/24", "192.168.1.2"],
    ["192.168.1.2", "/24"],
    ["224.0.0.1/24", "multicast"],
    ["127.0.0.5/8", "loopback"],
    ["::1/128", "loopback"],
    ["0.0.0.0/24", "0/0"],
  ])("address %s", async (address, why) => {
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, to: "br1", addresses: [address] }),
      "invalid-request",
      why,
    );
  });

  test.each([
    ["fd00::1", "IPv6"],
    ["192.168.1.2", "own address"],
    ["192.168.1.999", "255"],
    ["nowhere", "nowhere"],
  ])("gateway %s", async (gateway, why) => {
    await expectRefusal(world, () => attach(instance, { guest: ref, ...v4, gateway }), "invalid-request", why);
  });

  test("two gateways of one family", async () => {
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...v4, gateway: ["192.168.1.1", "192.168.1.3"] }),
      "invalid-request",
      "192.168.1.1",
      "192.168.1.3",
    );
  });

  test("an address that the guest has on another interface stays possible", async () => {
    expect(
      (await attach(instance, { guest: ref, to: "br1", ifname: "twin", addresses: ["172.17.0.2/16"] })).outcome,
    ).toBe("attached");
    world.ip(guest, "link del twin");
    await settled(world);
  });
});

describe("numbers", () => {
  test.each([[67], [65536], [1400.5], [-1]])("MTU %d", async (mtu) => {
    await expectRefusal(world, () => attach(instance, { guest: ref, ...v4, mtu }), "invalid-request", String(mtu));
  });

  test("an MTU above the parent's, with both numbers", async () => {
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, to: "nic0", mtu: 9000 }),
      "interface-unsuitable",
      "9000",
      "1500",
      "nic0",
    );
  });

  test.each([[0], [4097], [1.5]])("%d queues", async (queues) => {
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...v4, queues }),
      "invalid-request",
      String(queues),
    );
  });

  test("what only the kernel can refuse, in its own words, and nothing stays: not even the bridge", async () => {
    const request = { guest: ref, ...v4, to: "brnew", gateway: "192.168.1.1", routes: ["10.6.0.0/16 via 10.9.9.9"] };
    const error = await expectRefusal(
      world,
      () => attach(instance, request),
      "kernel-refused",
      "eth1",
      guest,
      "invalid gateway",
      "nothing was changed",
    );
    expect(error.step).toContain("10.6.0.0/16");
    expect(error.undo.map(({ step }) => step)).toContain("bridge brnew");
  });
});

describe("guests", () => {
  test("that are not there", async () => {
    await expectRefusal(
      world,
      () => attach(instance, { guest: "netns:no-such-namespace", ...v4, to: "brnew" }),
      "guest-not-found",
      "no-such-namespace",
    );
    await expectRefusal(
      world,
      () => attach(instance, { guest: "netns:/etc/passwd", ...v4, to: "brnew" }),
      "guest-not-found",
      "/etc/passwd",
    );
    await expectRefusal(
      world,
      () => attach(instance, { guest: "pid:4194305", ...v4, to: "brnew" }),
      "guest-not-found",
      "4194305",
    );
  });

  test("that are the host itself", async () => {
    await expectRefusal(
      world,
      () => attach(instance, { guest: `netns:${world.host}`, ...v4, to: "brnew" }),
      "guest-host-network",
      world.host,
    );
  });

  test("that vanish in the middle: one sentence, and nothing stays", async () => {
    const doomed = world.namespace({ observed: false });
    // Held open, as a dead container's namespace is; its name is gone when the plan looks.
    const inside = await instance.resolve(`netns:${doomed}`, {});
    const vanishing = { ...instance, resolve: async () => inside };
    Object.setPrototypeOf(vanishing, instance);
    for (const name of ["runner", "host", "recordDir", "runDir", "bridges"])
      Object.defineProperty(vanishing, name, { get: () => Reflect.get(instance, name) });
    world.shell(world.host, `umount /run/netns/${doomed} && rm /run/netns/${doomed}`);
    const error = await expectRefusal(
      world,
      () => attach(vanishing as unknown as Instance, { guest: `netns:${doomed}`, ...v4, to: "brnew" }),
      "guest-gone",
      doomed,
      "died",
    );
    expect(error.undo.length).toBeGreaterThan(0);
  });
});

describe("what is not in this version", () => {
  test.each([
    [{ dhcp: true }, "DHCP"],
    [{ type: "ovs" as const }, "type ovs"],
  ])("%j", async (more, why) => {
    await expectRefusal(world, () => attach(instance, { guest: ref, ...v4, ...more }), "unsupported", why);
  });
});
