import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

function bridged(options: { ipv6?: boolean } = {}): { world: World; guest: string } {
  const world = new World();
  const guest = world.guest(options);
  world.bridge("br1");
  return { world, guest };
}

describe("IPv4", () => {
  test.each([
    ["192.168.1.2/24", "192.168.1.255"],
    ["10.1.2.3/8", "10.255.255.255"],
    ["192.168.1.5/30", "192.168.1.7"],
    ["192.168.1.2/31", undefined],
    ["192.168.1.2/32", undefined],
  ])("%s has broadcast address %s", async (text, broadcast) => {
    const { world, guest } = bridged();
    await attach(world.instance(), { guest: `netns:${guest}`, to: "br1", addresses: [text] });
    const [info] = world.link(guest, "eth1").addr_info.filter((one: { family: string }) => one.family === "inet");
    const [local, prefixlen] = text.split("/");
    expect({ local: info.local, prefixlen: info.prefixlen, broadcast: info.broadcast }).toEqual({
      local,
      prefixlen: Number(prefixlen),
      broadcast,
    });
    expect(info).toMatchObject({ scope: "global", label: "eth1", valid_life_time: 0xffffffff });
  });

  test("the neighbour of a /31 answers", async () => {
    const { world, guest } = bridged();
    const other = world.guest();
    const instance = world.instance();
    await attach(instance, { guest: `netns:${guest}`, to: "br1", addresses: ["192.168.1.2/31"] });
    await attach(instance, { guest: `netns:${other}`, to: "br1", addresses: ["192.168.1.3/31"] });
    expect(world.shell(guest, "ping -c 1 -W 5 192.168.1.3")).toContain("1 received");
  });
});

describe("several addresses", () => {
  test("all of both families, in their order", async () => {
    const { world, guest } = bridged();
    const addresses = [
      "192.168.1.2/24",
      "192.168.1.3/24",
      "10.0.0.1/8",
      "fd00:1::2/64",
      "fd00:1::3/64",
      "2001:db8::1/128",
    ];
    const at = await attach(world.instance(), { guest: `netns:${guest}`, to: "br1", addresses });
    expect(at.addresses).toEqual(addresses);
    expect(world.addresses(guest, "eth1").sort()).toEqual([...addresses].sort());
  });
});

describe("IPv6", () => {
  test("is turned on where an engine turned it off, for this interface alone", async () => {
    const { world, guest } = bridged({ ipv6: false });
    const instance = world.instance();
    await attach(instance, { guest: `netns:${guest}`, to: "br1", ifname: "eth0", addresses: ["192.168.1.2/24"] });
    await attach(instance, { guest: `netns:${guest}`, to: "br1", ifname: "eth1", addresses: ["fd00:1::2/64"] });
    expect(world.sysctl(guest, "ipv6/conf/eth0/disable_ipv6")).toBe("1");
    expect(world.sysctl(guest, "ipv6/conf/eth1/disable_ipv6")).toBe("0");
    expect(world.sysctl(guest, "ipv6/conf/default/disable_ipv6")).toBe("1");
    expect(world.addresses(guest, "eth1")).toEqual(["fd00:1::2/64"]);
  });

  test("a static address keeps routers from adding theirs", async () => {
    const { world, guest } = bridged();
    await attach(world.instance(), { guest: `netns:${guest}`, to: "br1", addresses: ["fd00:1::2/64"] });
    expect(world.sysctl(guest, "ipv6/conf/eth1/accept_ra")).toBe("0");
  });

  test("without a static address routers may do as they do", async () => {
    const { world, guest } = bridged();
    await attach(world.instance(), { guest: `netns:${guest}`, to: "br1", addresses: ["192.168.1.2/24"] });
    expect(world.sysctl(guest, "ipv6/conf/eth1/accept_ra")).toBe("1");
  });

  test("can be bound to at once, duplicate detection or not", async () => {
    const { world, guest } = bridged({ ipv6: false });
    world.shell(guest, "for i in all default; do echo 1 > /proc/sys/net/ipv6/conf/$i/accept_dad; done");
    const script = `
      process.stdin.once("data", () => {
        const socket = require("node:dgram").createSocket("udp6");
        const say = (text) => { process.stdout.write(text); process.exit(); };
        socket.on("error", (error) => say(error.code));
        socket.bind(0, "fd00:1::2", () => say("bound"));
      });
      process.stdout.write("ready");`;
    const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
    const child = spawn("ip", ["netns", "exec", guest, process.execPath, "-e", script], {
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    expect(String((await once(child.stdout, "data"))[0])).toBe("ready");
    await attach(world.instance(), { guest: `netns:${guest}`, to: "br1", addresses: ["fd00:1::2/64"] });
    child.stdin.end("now");
    expect(String((await once(child.stdout, "data"))[0])).toBe("bound");
  });

  test("reaches another guest", async () => {
    const { world, guest } = bridged({ ipv6: false });
    const other = world.guest({ ipv6: false });
    const instance = world.instance();
    await attach(instance, { guest: `netns:${guest}`, to: "br1", addresses: ["fd00:1::2/64"] });
    await attach(instance, { guest: `netns:${other}`, to: "br1", addresses: ["fd00:1::3/64"] });
    expect(world.shell(guest, "ping -6 -c 1 -W 5 fd00:1::3")).toContain("1 received");
  });
});
