import type { Act } from "./scenario-act.js";
import { World } from "./world.js";

export interface Scenario {
  readonly name: string;
  readonly world: () => World;
  /** Commands that came before. */
  readonly acts?: readonly Act[];
  readonly act: Act;
  readonly outcome: string;
}

/** The guest of a world: its second namespace. */
export function guestOf(world: World): string {
  return world.namespaces[1] as string;
}

const v4 = { to: "br1", addresses: ["192.168.1.2/24"] };
const both = { to: "br1", addresses: ["192.168.1.2/24", "fd00:1::2/64"], gateway: ["192.168.1.1", "fd00:1::1"] };
const eth2 = {
  ...both,
  ifname: "eth2",
  addresses: ["192.168.2.2/24", "fd00:2::2/64"],
  gateway: ["192.168.2.1", "fd00:2::1"],
};
const eth3 = {
  ...both,
  ifname: "eth3",
  addresses: ["192.168.3.2/24", "fd00:3::2/64"],
  gateway: ["192.168.3.1", "fd00:3::1"],
};
const macvlan = { to: "nic0", addresses: ["192.168.1.2/24", "fd00:1::2/64"], gateway: "192.168.1.1" };

function bare(): World {
  const world = new World();
  world.guest();
  return world;
}

function bridged(): World {
  const world = bare();
  world.bridge("br1");
  return world;
}

/** A container of an engine: eth0 with both defaults, IPv6 off for interfaces to come. */
export function engined(): World {
  const world = new World();
  const guest = world.guest({ ipv6: false });
  world.bridge("br1");
  world.bridge("docker0");
  world.foreign(guest, "eth0", ["172.17.0.2/16", "fd17::2/64"], "docker0");
  world.ip(guest, "route add default via 172.17.0.1", "route add default via fd17::1");
  return world;
}

/** A veth in the place of a NIC, its far end in a namespace of its own. */
export function nicked(up = true): World {
  const world = bare();
  const wire = world.namespace({ observed: false });
  world.ip(world.host, `link add nic0 type veth peer name far netns ${wire}`, ...(up ? ["link set nic0 up"] : []));
  world.ip(wire, "link set far up");
  // Its carrier follows the far end's by some milliseconds, and a link-local address would follow that.
  world.shell(world.host, "echo 1 > /proc/sys/net/ipv6/conf/nic0/disable_ipv6");
  return world;
}

/** Fresh attachments, each with the real kernel under it. */
export const freshScenarios: readonly Scenario[] = [
  { name: "veth, bridge to be made", world: bare, act: { attach: v4 }, outcome: "attached" },
  {
    name: "veth, several addresses of both families, bridge there",
    world: bridged,
    act: { attach: { ...both, addresses: [...both.addresses, "10.9.0.1/31", "10.9.8.7/32", "fd00:1::3/128"] } },
    outcome: "attached",
  },
  { name: "veth, displacing both defaults", world: engined, act: { attach: both }, outcome: "attached" },
  {
    name: "veth, gateways off the link, further routes, named host end",
    world: engined,
    act: {
      attach: {
        ...both,
        gateway: ["10.1.1.1", "fd99::1"],
        routes: ["10.5.0.0/16 via 10.4.0.1", "10.4.0.0/16", "fd05::/32"],
        hostIfname: "web1",
      },
    },
    outcome: "attached",
  },
  {
    name: "veth, third of a chain",
    world: engined,
    acts: [{ attach: both }, { attach: eth2 }],
    act: { attach: eth3 },
    outcome: "attached",
  },
  {
    name: "macvlan by a temporary name, parent down",
    world: () => {
      const world = nicked(false);
      world.ip(world.host, "link add eth1 type bridge");
      return world;
    },
    act: { attach: macvlan },
    outcome: "attached",
  },
];

/** Plans for what is there already. */
export const furtherScenarios: readonly Scenario[] = [
  {
    name: "a further address of each family",
    world: bridged,
    acts: [{ attach: v4 }],
    act: { attach: both },
    outcome: "completed",
  },
  {
    name: "defaults retaken from another attachment",
    world: engined,
    acts: [{ attach: both }, { attach: eth2 }],
    act: { attach: both },
    outcome: "completed",
  },
  {
    name: "replaced while the old link stays",
    world: engined,
    acts: [{ attach: both }],
    act: { attach: { ...both, mtu: 1400, gateway: ["192.168.1.254", "fd00:1::254"], replace: true } },
    outcome: "replaced",
  },
  {
    name: "a macvlan replaced by one of another MTU, which goes first",
    world: nicked,
    acts: [{ attach: macvlan }],
    act: { attach: { ...macvlan, mtu: 1400, replace: true } },
    outcome: "replaced",
  },
  {
    name: "detach, defaults given back",
    world: engined,
    acts: [{ attach: both }],
    act: { detach: {} },
    outcome: "detached",
  },
  {
    name: "detach from the middle of a chain",
    world: engined,
    acts: [{ attach: both }, { attach: eth2 }, { attach: eth3 }],
    act: { detach: { ifname: "eth2" } },
    outcome: "detached",
  },
  { name: "detach of a macvlan", world: nicked, acts: [{ attach: macvlan }], act: { detach: {} }, outcome: "detached" },
];
