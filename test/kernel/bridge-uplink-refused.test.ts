import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { bridge } from "../../src/bridge.js";
import type { BridgeRequest } from "../../src/plan/bridge-request.js";
import { expectRefusal } from "./support/refusal.js";
import { settled } from "./support/snapshot.js";
import { holdings, uplinked } from "./support/uplink.js";
import { closeWorlds } from "./support/world.js";

afterAll(closeWorlds);

const request = { name: "br0", uplink: "nic0" };

interface Refused {
  readonly name: string;
  /** Lines of `ip` that make the host what it is. */
  readonly lines: readonly string[];
  readonly request?: Partial<BridgeRequest>;
  readonly code: Parameters<typeof expectRefusal>[2];
  readonly words: readonly string[];
}

const cases: readonly Refused[] = [
  { name: "no such NIC", lines: [], request: { uplink: "eth7" }, code: "interface-not-found", words: ["eth7"] },
  { name: "the loopback", lines: [], request: { uplink: "lo" }, code: "interface-unsuitable", words: ["loopback"] },
  {
    name: "no Ethernet",
    lines: ["tuntap add dev tun0 mode tun"],
    request: { uplink: "tun0" },
    code: "interface-unsuitable",
    words: ["tun0", "no Ethernet interface"],
  },
  {
    name: "a bridge",
    lines: ["link add br9 type bridge"],
    request: { uplink: "br9" },
    code: "interface-unsuitable",
    words: ["br9", "a bridge itself"],
  },
  {
    name: "a port of another bridge",
    lines: ["link add br9 type bridge", "link set nic0 master br9"],
    code: "interface-unsuitable",
    words: ["nic0", "port of the bridge br9", "ip link set nic0 nomaster"],
  },
  {
    name: "a parent of macvlans",
    lines: ["link add link nic0 name mv0 type macvlan mode bridge"],
    code: "interface-unsuitable",
    words: ["nic0", "the macvlan mv0"],
  },
  {
    name: "an IPv4 address with a lifetime",
    lines: ["address add 10.7.0.99/24 dev nic0 valid_lft 86000 preferred_lft 43000"],
    code: "interface-unsuitable",
    words: ["10.7.0.99/24 (23 hours)", "DHCP", "--force"],
  },
  {
    name: "an IPv6 address with a lifetime",
    lines: ["address add fd07::99/64 dev nic0 valid_lft 600 preferred_lft 300"],
    code: "interface-unsuitable",
    words: ["fd07::99/64 (", "router", "--force"],
  },
  {
    name: "rules that name the NIC",
    lines: ["rule add iif nic0 lookup 100 priority 500", "rule add oif nic0 lookup 100 priority 501"],
    code: "interface-unsuitable",
    words: ["routing rules name nic0", "priority 500, priority 501", "--force"],
  },
  {
    name: "a route with a next hop object",
    lines: ["nexthop add id 7 via 10.7.0.2 dev nic0", "route add 10.77.0.0/16 nhid 7"],
    code: "unsupported",
    words: ["10.77.0.0/16", "next hop object 7"],
  },
  {
    name: "a name that is no bridge's",
    lines: ["link add br0 type ifb"],
    code: "name-taken",
    words: ["br0 is a ifb"],
  },
  {
    name: "a bridge with spanning tree",
    lines: ["link add br0 type bridge stp_state 1"],
    code: "interface-unsuitable",
    words: ["br0", "spanning tree", "30 seconds", "stp_state 0"],
  },
  {
    name: "a bridge with a VXLAN as its uplink",
    lines: ["link add br0 type bridge", "link add vx7 type vxlan id 7 dstport 4789", "link set vx7 master br0"],
    code: "name-taken",
    words: ["br0 has the vxlan vx7 as its uplink"],
  },
  {
    name: "the release of what was never given",
    lines: ["link add br0 type bridge", "link add vx7 type vxlan id 7 dstport 4789", "link set vx7 master br0"],
    request: { uplink: undefined, release: true },
    code: "interface-unsuitable",
    words: ["vx7 was not made the uplink of br0 by pipework"],
  },
];

describe("refused before anything is touched", () => {
  test.each(cases)("$name", async ({ lines, request: change, code, words }) => {
    const { world, host } = uplinked({ some: true });
    world.ip(host, ...lines);
    await settled(world);
    await expectRefusal(world, () => bridge(world.instance(), { ...request, ...change }), code, ...words);
  });

  test("another uplink than the one it has", async () => {
    const { world, host, far } = uplinked({ some: true });
    world.ip(host, `link add nic1 type veth peer name far1 netns ${far}`);
    const instance = world.instance();
    await bridge(instance, request);
    // A veth is a guest's as far as anybody can tell, but what is recorded is known.
    await settled(world);
    await expectRefusal(
      world,
      () => bridge(instance, { name: "br0", uplink: "nic1" }),
      "name-taken",
      "nic0",
      "pipework bridge br0 --release",
    );
  });
});

test("a macvlan in a guest, which only the kernel sees: all is undone, and the hint says where to look", async () => {
  const { world } = uplinked({ some: true });
  const guest = world.guest();
  const instance = world.instance();
  await attach(instance, { guest: `netns:${guest}`, to: "nic0", type: "macvlan", addresses: ["10.7.0.50/24"] });
  await settled(world);
  await expectRefusal(world, () => bridge(instance, request), "kernel-refused", "nic0", "EBUSY", "pipework list");
});

test("--force takes addresses with the time that is left, and rules as they are, and warns", async () => {
  const { world, host } = uplinked({ some: true });
  world.ip(
    host,
    "address add 10.7.0.99/24 dev nic0 valid_lft 86000 preferred_lft 43000",
    "address add fd07::99/64 dev nic0 valid_lft 6000 preferred_lft 3000 mngtmpaddr",
    "rule add iif nic0 lookup 100 priority 500",
  );
  const before = holdings(world, host, "nic0");
  const { outcome, warnings } = await bridge(world.instance(), { ...request, force: true });
  expect(outcome).toBe("bridged");
  expect(warnings.join("\n")).toMatch(/10\.7\.0\.99\/24 .*have lifetimes/);
  expect(warnings.join("\n")).toContain("routing rules name nic0");
  expect(holdings(world, host, "br0")).toEqual(before);
  const info = world.link(host, "br0").addr_info as { local: string; valid_life_time: number }[];
  const lifetime = (local: string) => info.find((one) => one.local === local)?.valid_life_time ?? 0;
  // However long the test has taken, it was not as long as that.
  expect(lifetime("10.7.0.99")).toBeGreaterThan(80_000);
  expect(lifetime("10.7.0.99")).toBeLessThanOrEqual(86_000);
  expect(lifetime("fd07::99")).toBeGreaterThan(5000);
  expect(lifetime("fd07::99")).toBeLessThanOrEqual(6000);
});

test("the release of a bridge that was given an address since is refused, and with --force goes with the others", async () => {
  const { world, host } = uplinked({ some: true });
  const instance = world.instance();
  await bridge(instance, request);
  world.ip(host, "address add 10.7.0.200/24 dev br0");
  const release = { name: "br0", release: true };
  await settled(world);
  await expectRefusal(
    world,
    () => bridge(instance, release),
    "interface-unsuitable",
    "br0 has 10.7.0.200/24",
    "--force",
  );
  expect((await bridge(instance, { ...release, force: true })).outcome).toBe("released");
  expect(world.addresses(host, "nic0")).toContain("10.7.0.200/24");
  expect(world.link(host, "br0")).toBeUndefined();
});
