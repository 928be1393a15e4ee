import { execFileSync } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";
import { attach } from "../../src/attach.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

const ROUTER = "fe80::bad";

/** Sends router advertisements: a default route by way of the sender, and a prefix to make addresses from (RFC 4861, 4.2). */
const advertise = `
import ipaddress, socket, struct, sys
ifname, prefix = sys.argv[1:]
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
index = socket.if_nametoindex(ifname)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
s.bind(("${ROUTER}", 0, 0, index))
head = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
option = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 3600, 1800, 0) + ipaddress.IPv6Address(prefix).packed
for _ in range(3):
    s.sendto(head + option, ("ff02::1", 0, 0, index))
`;

/** The link-local address of a router is where its default routes lead. */
function send(world: World, router: string, ifname: string, prefix: string): void {
  world.ip(router, `address replace ${ROUTER}/64 dev ${ifname} nodad`);
  execFileSync("ip", ["netns", "exec", router, "/usr/bin/python3", "-c", advertise, ifname, prefix]);
}

/** How many advertisements an interface has taken in, whatever it then did with them. */
function received(world: World, namespace: string, ifname: string): number {
  const counters = world.shell(namespace, `cat /proc/net/dev_snmp6/${ifname}`);
  return Number(/^Icmp6InRouterAdvertisements\s+(\d+)$/m.exec(counters)?.[1]);
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** What an interface may have from an advertisement: a default route, and an address in the prefix. */
function learned(world: World, namespace: string, ifname: string): { defaults: string[]; addresses: string[] } {
  const routes = world.json(namespace, "-6", "route", "show", "default", "dev", ifname);
  // Of several hops the gateway is in each.
  const defaults = routes.map((route) => String(route.gateway ?? route.nexthops?.[0]?.gateway));
  return { defaults, addresses: world.addresses(namespace, ifname) };
}

describe("a router advertisement that a container sends", () => {
  it("changes nothing on the host when the bridge is of our making; on another's it gives the host a default route", async () => {
    const world = new World();
    const [router, other] = [world.guest(), world.guest()];
    expect(world.sysctl(world.host, "ipv6/conf/all/forwarding")).toBe("0");
    expect(world.sysctl(world.host, "ipv6/conf/default/accept_ra")).toBe("1");
    const instance = world.instance();
    await attach(instance, { guest: `netns:${router}`, to: "br0", ifname: "eth1", addresses: ["2001:db8:1::1/64"] });
    world.bridge("br9");
    await attach(instance, { guest: `netns:${other}`, to: "br9", ifname: "eth1", addresses: ["2001:db8:9::1/64"] });
    send(world, router, "eth1", "2001:db8:1::");
    await until(() => received(world, world.host, "br0") >= 3);
    expect(learned(world, world.host, "br0")).toEqual({ defaults: [], addresses: [] });
    // The control: the very same advertisement on a bridge that ip made.
    send(world, other, "eth1", "2001:db8:9::");
    await until(() => received(world, world.host, "br9") >= 3);
    expect(learned(world, world.host, "br9")).toEqual({
      defaults: [ROUTER],
      addresses: [expect.stringMatching(/^2001:db8:9::?[0-9a-f:]+\/64$/)],
    });
    expect(learned(world, world.host, "br0")).toEqual({ defaults: [], addresses: [] });
    // br9 and the end of a cable that is a port of it.
    const devices = world.json(world.host, "-6", "route", "show", "default").map(({ dev }) => String(dev));
    expect(devices.filter((dev) => !dev.startsWith("br9"))).toEqual([]);
  });

  it("changes nothing in a guest with a static IPv6 address of ours; another interface on the bridge learns from it", async () => {
    const world = new World();
    const [router, guest, other] = [world.guest({ ipv6: false }), world.guest({ ipv6: false }), world.guest()];
    const instance = world.instance();
    await attach(instance, { guest: `netns:${router}`, to: "br0", ifname: "eth1", addresses: ["2001:db8:1::1/64"] });
    await attach(instance, {
      guest: `netns:${guest}`,
      to: "br0",
      ifname: "eth1",
      addresses: ["2001:db8:1::2/64"],
      gateway: "2001:db8:1::fe",
    });
    world.foreign(other, "eth1", [], "br0");
    const before = learned(world, guest, "eth1");
    expect(before).toEqual({ defaults: ["2001:db8:1::fe"], addresses: ["2001:db8:1::2/64"] });
    await until(() => world.link(world.host, "br0").flags.includes("LOWER_UP"));
    send(world, router, "eth1", "2001:db8:2::");
    await until(() => received(world, guest, "eth1") >= 3 && received(world, other, "eth1") >= 3);
    expect(learned(world, guest, "eth1")).toEqual(before);
    expect(learned(world, other, "eth1")).toEqual({
      defaults: [ROUTER],
      addresses: [expect.stringMatching(/^2001:db8:2::?[0-9a-f:]+\/64$/)],
    });
  });

  it("on a macvlan changes nothing in another guest with a static IPv6 address of ours, nor on the host", async () => {
    const world = new World();
    const [router, guest] = [world.guest({ ipv6: false }), world.guest({ ipv6: false })];
    world.ip(world.host, "link add nic0 type veth peer name far0", "link set far0 up", "link set nic0 up");
    const instance = world.instance();
    await attach(instance, { guest: `netns:${router}`, to: "nic0", ifname: "eth1", addresses: ["2001:db8:1::1/64"] });
    await attach(instance, { guest: `netns:${guest}`, to: "nic0", ifname: "eth1", addresses: ["2001:db8:1::2/64"] });
    send(world, router, "eth1", "2001:db8:2::");
    // far0 is the other end of the cable: somebody else's NIC on that LAN, which learns.
    await until(() => received(world, guest, "eth1") >= 3 && received(world, world.host, "far0") >= 3);
    expect(learned(world, guest, "eth1")).toEqual({ defaults: [], addresses: ["2001:db8:1::2/64"] });
    expect(learned(world, world.host, "nic0")).toEqual({ defaults: [], addresses: [] });
    expect(learned(world, world.host, "far0")).toEqual({
      defaults: [ROUTER],
      addresses: [expect.stringMatching(/^2001:db8:2:/)],
    });
  });
});
