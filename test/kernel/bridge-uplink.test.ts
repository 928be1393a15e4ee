import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { bridge, planBridgeOnly } from "../../src/bridge.js";
import { detach } from "../../src/detach.js";
import { managersOf } from "../../src/kernel/read-uplink.js";
import { renderPlan } from "../../src/plan/render.js";
import { settled, snapshot } from "./support/snapshot.js";
import { pinging } from "./support/traffic.js";
import { holdings, nothing, uplinked } from "./support/uplink.js";
import { closeWorlds } from "./support/world.js";

afterAll(closeWorlds);

const request = { name: "br0", uplink: "nic0" };
const release = { name: "br0", release: true };

test("a bridge takes over addresses, routes and neighbours of every sort, and gives them back", async () => {
  const { world, host } = uplinked();
  const instance = world.instance();
  const before = holdings(world, host, "nic0");
  const whole = await settled(world);
  const done = await bridge(instance, request);
  expect(done).toMatchObject({ bridge: "br0", uplink: "nic0", outcome: "bridged", warnings: [] });
  expect(done.addresses).toContain("10.7.0.1/24");
  expect(done.addresses.filter((text) => text.startsWith("fe80"))).toEqual([]);
  expect(holdings(world, host, "br0")).toEqual(before);
  expect(holdings(world, host, "nic0")).toEqual(nothing);
  const [nic, br] = [world.link(host, "nic0"), world.link(host, "br0")];
  expect(nic.master).toBe("br0");
  expect(br.address).toBe(nic.address);
  expect(br.ifalias).toBe("pipework:bridge");
  const now = snapshot(world);
  expect((await bridge(instance, request)).outcome).toBe("unchanged");
  expect(snapshot(world)).toEqual(now);
  expect((await bridge(instance, release)).outcome).toBe("released");
  expect(holdings(world, host, "nic0")).toEqual(before);
  expect(await settled(world)).toEqual(whole);
  expect((await bridge(instance, release)).outcome).toBe("absent");
});

test("a guest on the bridge is in the NIC's network; the bridge stays for it when the uplink goes", async () => {
  const { world, host, far } = uplinked({ some: true });
  const guest = world.guest();
  const instance = world.instance();
  const before = holdings(world, host, "nic0");
  await bridge(instance, request);
  const at = await attach(instance, {
    guest: `netns:${guest}`,
    to: "br0",
    addresses: ["10.7.0.50/24", "fd07::50/64"],
    gateway: "10.7.0.2",
  });
  expect(at.mtu).toBe(1500);
  world.shell(guest, "ping -c 1 -W 5 10.7.0.2 && ping -c 1 -W 5 fd07::2");
  world.shell(far, "ping -c 1 -W 5 10.7.0.50");
  expect((await bridge(instance, release)).outcome).toBe("released");
  expect(holdings(world, host, "nic0")).toEqual(before);
  expect(world.link(host, "br0").ifalias).toBe("pipework:bridge");
  // Guests alone are behind it now.
  expect(world.sysctl(host, "ipv6/conf/br0/accept_ra")).toBe("0");
  await detach(instance, { guest: `netns:${guest}` });
  expect((await bridge(instance, request)).outcome).toBe("bridged");
  expect((await bridge(instance, release)).outcome).toBe("released");
  expect(world.link(host, "br0")).toBeUndefined();
});

test("an address that the NIC is given later is handed over by the same command", async () => {
  const { world, host } = uplinked({ some: true });
  const instance = world.instance();
  await bridge(instance, request);
  world.ip(host, "address add 10.7.0.44/24 dev nic0", "address add fd07::44/64 dev nic0");
  const done = await bridge(instance, request);
  expect(done).toMatchObject({ outcome: "completed", addresses: ["10.7.0.44/24", "fd07::44/64"] });
  expect(world.addresses(host, "br0")).toEqual(expect.arrayContaining(["10.7.0.44/24", "fd07::44/64"]));
  expect(world.addresses(host, "nic0")).toEqual([]);
  await bridge(instance, release);
  expect(world.addresses(host, "nic0")).toEqual(expect.arrayContaining(["10.7.0.1/24", "10.7.0.44/24"]));
});

describe("what a link has for itself", () => {
  test("settings are as the NIC's, router advertisements and forwarding among them", async () => {
    const { world, host } = uplinked({ some: true });
    const values = {
      "ipv4/conf/#/forwarding": "1",
      "ipv4/conf/#/rp_filter": "2",
      "ipv4/conf/#/proxy_arp": "1",
      "ipv4/conf/#/arp_announce": "2",
      "ipv6/conf/#/accept_ra": "2",
      "ipv6/conf/#/addr_gen_mode": "1",
      "ipv6/conf/#/use_tempaddr": "2",
      "ipv6/conf/#/hop_limit": "60",
    };
    for (const [key, value] of Object.entries(values))
      world.shell(host, `echo ${value} > /proc/sys/net/${key.replace("#", "nic0")}`);
    await bridge(world.instance(), request);
    for (const [key, value] of Object.entries(values))
      expect(world.sysctl(host, key.replace("#", "br0")), key).toBe(value);
    // Set once, and not what is born later.
    expect(world.sysctl(host, "ipv6/conf/default/accept_ra")).toBe("1");
  });

  test("IPv6 that is off on the NIC is off on the bridge", async () => {
    const { world, host } = uplinked({ bare: true });
    world.shell(host, "echo 1 > /proc/sys/net/ipv6/conf/nic0/disable_ipv6");
    world.ip(host, "address add 10.7.0.1/24 dev nic0");
    await bridge(world.instance(), request);
    expect(world.link(host, "br0").addr_info.map(({ local }: { local: string }) => local)).toEqual(["10.7.0.1"]);
  });

  test("the MTU is the NIC's", async () => {
    const { world, host, far } = uplinked({ some: true });
    world.ip(far, "link set far mtu 9000");
    world.ip(host, "link set nic0 mtu 9000");
    await bridge(world.instance(), request);
    expect(world.link(host, "br0").mtu).toBe(9000);
  });
});

test("a NIC without a carrier: nothing is waited for, and all is as asked", async () => {
  const { world, host, far } = uplinked({ some: true });
  world.ip(far, "link set far down");
  world.shell(host, "until ip -o link show nic0 | grep -q NO-CARRIER; do sleep 0.01; done");
  expect((await bridge(world.instance(), request)).outcome).toBe("bridged");
  expect(world.link(host, "nic0").master).toBe("br0");
  expect(world.addresses(host, "br0")).toContain("10.7.0.1/24");
});

test("a bridge that is there has the NIC's MAC, its guests hear of it, and it has its own again at last", async () => {
  const { world, host } = uplinked({ some: true });
  const guest = world.guest();
  const instance = world.instance();
  world.bridge("br0");
  world.ip(host, "address add 172.30.0.1/24 dev br0", "address add fd30::1/64 dev br0");
  await attach(instance, { guest: `netns:${guest}`, to: "br0", addresses: ["172.30.0.2/24", "fd30::2/64"] });
  const whole = await settled(world);
  const pings = [await pinging(guest, "172.30.0.1"), await pinging(guest, "fd30::1")];
  const mac = world.link(host, "br0").address;
  await bridge(instance, request);
  expect(world.link(host, "br0").address).toBe(world.link(host, "nic0").address);
  expect(world.addresses(host, "br0")).toEqual(expect.arrayContaining(["172.30.0.1/24", "10.7.0.1/24"]));
  // The kernel sends on its next pings to the new address, which it was told of.
  world.shell(guest, "ping -c 1 -W 1 172.30.0.1 && ping -c 1 -W 1 fd30::1");
  await bridge(instance, release);
  expect(world.link(host, "br0").address).toBe(mac);
  world.shell(guest, "ping -c 1 -W 1 172.30.0.1 && ping -c 1 -W 1 fd30::1");
  for (const stop of pings) {
    const { sent, received } = await stop();
    // A reply may go to the old address in the moment in which the kernel says the new one.
    expect(sent - received).toBeLessThan(5);
  }
  expect(await settled(world)).toEqual(whole);
});

test("a dry run shows the steps in the words of ip, with their undo, and changes nothing", async () => {
  const { world } = uplinked();
  const instance = world.instance();
  const before = await settled(world);
  const text = renderPlan(await planBridgeOnly(instance, request));
  expect(snapshot(world)).toEqual(before);
  for (const line of [
    "ip link add br0 address 06:00:00:00:07:01",
    "ip link set nic0 master br0",
    "undo: ip link set nic0 nomaster",
    "ip address add 10.7.0.9/24 brd 10.7.0.255 dev br0 label br0:1",
    "ip address add 10.9.0.1 peer 10.9.0.2/32 dev br0",
    "ip route replace default via 10.7.0.5 dev br0 table 70000",
    "ip route replace 10.30.0.0/16 nexthop dev br0 nexthop dev br0",
    "ip route append local 10.40.0.0/24 dev br0 table 255",
    "ip neigh replace proxy 10.7.0.67 dev br0",
  ])
    expect(text).toContain(line);
});

test("state files of the machine's programs say who looks after a link", () => {
  const run = mkdtempSync(`${tmpdir()}/pipework-run-`);
  try {
    expect(managersOf(7, run)).toEqual([]);
    mkdirSync(`${run}/systemd/netif/links`, { recursive: true });
    mkdirSync(`${run}/NetworkManager/devices`, { recursive: true });
    writeFileSync(
      `${run}/systemd/netif/links/7`,
      "# This is private data.\nADMIN_STATE=configured\nOPER_STATE=routable\n",
    );
    writeFileSync(`${run}/NetworkManager/devices/7`, "[device]\nmanaged=true\nconnection-uuid=1-2\n");
    expect(managersOf(7, run)).toEqual(["systemd-networkd", "NetworkManager"]);
    writeFileSync(`${run}/systemd/netif/links/7`, "ADMIN_STATE=unmanaged\nOPER_STATE=routable\n");
    writeFileSync(`${run}/NetworkManager/devices/7`, "[device]\nmanaged=false\n");
    expect(managersOf(7, run)).toEqual([]);
  } finally {
    rmSync(run, { recursive: true });
  }
});
