import type { Scenario } from "./scenario.js";
import { uplinked } from "./uplink.js";
import type { World } from "./world.js";

const take = { bridge: { name: "br0", uplink: "nic0" } };
const release = { bridge: { name: "br0", release: true } };

/** A second NIC in the same network, whose routes are alternatives of the first one's. */
function rivals(): World {
  const { world, host, far } = uplinked({ some: true });
  world.ip(host, `link add nic1 address 06:00:00:00:07:02 type veth peer name far1 netns ${far}`, "link set nic1 up");
  world.ip(far, "link set far1 up");
  world.shell(host, "until ip -o link show nic1 | grep -q LOWER_UP; do sleep 0.01; done");
  world.shell(host, "until ip -6 -o address show dev nic1 scope link | grep -q fe80; do sleep 0.01; done");
  world.ip(
    host,
    "address add 10.7.0.21/24 dev nic1",
    "address add fd07::21/64 dev nic1",
    "route append 10.21.0.0/16 dev nic1 scope link",
    "route append default via 10.7.0.2 dev nic1 proto static",
    "route append fd21::/48 dev nic1",
    // Before one of the NIC's own, which is not the first of its kind then.
    "route add 10.50.0.0/16 via 10.7.0.2 dev nic1",
    "route append 10.50.0.0/16 via 10.7.0.2 dev nic0",
    "route add 10.51.0.0/16 dev nic1 scope link",
    "route append 10.51.0.0/16 dev nic0 scope link",
  );
  return world;
}

/** A bridge of somebody else's with an address of its own and a guest's port that has carrier. */
function bridged(): World {
  const { world, host } = uplinked({ some: true });
  world.bridge("br0");
  world.ip(
    host,
    "address add 172.30.0.1/24 dev br0",
    "address add fd30::1/64 dev br0",
    "route add 172.31.0.0/16 via 172.30.0.9 dev br0",
    "route add 172.29.0.0/16 dev br0 scope link",
  );
  world.shell(host, "echo 0 > /proc/sys/net/ipv6/conf/br0/accept_ra");
  return world;
}

/** Uplinks given and taken back, each with the real kernel under it. */
export const uplinkScenarios: readonly Scenario[] = [
  { name: "uplink, bridge to be made, everything", world: () => uplinked().world, act: take, outcome: "bridged" },
  {
    name: "uplink, nothing on the NIC, which is down",
    world: () => {
      const { world, host } = uplinked({ bare: true });
      world.ip(host, "link set nic0 down");
      return world;
    },
    act: take,
    outcome: "bridged",
  },
  { name: "uplink, a second NIC in the same network", world: rivals, act: take, outcome: "bridged" },
  { name: "uplink, bridge there with addresses of its own", world: bridged, act: take, outcome: "bridged" },
  {
    name: "release, the bridge goes",
    world: () => uplinked().world,
    acts: [take],
    act: release,
    outcome: "released",
  },
  { name: "release, a second NIC in the same network", world: rivals, acts: [take], act: release, outcome: "released" },
  {
    name: "release, the bridge stays as it was",
    world: bridged,
    acts: [take],
    act: release,
    outcome: "released",
  },
];
