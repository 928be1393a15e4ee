import { nicWorld } from "./nic.js";
import { guestOf, type Scenario } from "./scenario.js";
import type { World } from "./world.js";

const phys = { to: "nic0", directPhys: true, addresses: ["192.168.1.2/24", "fd00:1::2/64"], gateway: "192.168.1.1" };

/** As engined, with a NIC. */
function enginedNic(): World {
  const world = nicWorld({ guest: { ipv6: false } });
  world.bridge("docker0");
  const guest = guestOf(world);
  world.foreign(guest, "eth0", ["172.17.0.2/16"], "docker0");
  world.ip(guest, "route add default via 172.17.0.1");
  return world;
}

/** A second NIC. */
function twoNics(): World {
  const world = nicWorld();
  const wire = world.namespaces[2] as string;
  world.ip(
    world.host,
    `link add nic1 address 02:00:00:00:00:bb type veth peer name far1 netns ${wire}`,
    "address add 10.1.0.1/24 dev nic1",
  );
  world.ip(wire, "link set far1 up");
  return world;
}

/** NICs that move themselves, and come back. */
export const physScenarios: readonly Scenario[] = [
  { name: "a NIC with all that it may have", world: nicWorld, act: { attach: phys }, outcome: "attached" },
  {
    name: "a NIC, displacing a default, of another MAC and MTU, under one of its own alternative names",
    world: enginedNic,
    act: { attach: { ...phys, ifname: "enp0s5", mac: "02:00:00:00:00:77", mtu: 1300 } },
    outcome: "attached",
  },
  {
    name: "a NIC replaced by itself, of another MTU",
    world: enginedNic,
    acts: [{ attach: phys }],
    act: { attach: { ...phys, mtu: 1300, replace: true } },
    outcome: "replaced",
  },
  {
    name: "a NIC given back",
    world: enginedNic,
    acts: [{ attach: { ...phys, mac: "02:00:00:00:00:77", mtu: 1300 } }],
    act: { detach: {} },
    outcome: "detached",
  },
];

/** Further plans of the same steps. */
export const furtherPhysScenarios: readonly Scenario[] = [
  { name: "a NIC that is down", world: () => nicWorld({ up: false }), act: { attach: phys }, outcome: "attached" },
  {
    name: "a NIC, and a further address",
    world: nicWorld,
    acts: [{ attach: phys }],
    act: { attach: { ...phys, addresses: [...phys.addresses, "192.168.2.2/24"] } },
    outcome: "completed",
  },
  {
    name: "a NIC replaced by another",
    world: twoNics,
    acts: [{ attach: phys }],
    act: { attach: { ...phys, to: "nic1", replace: true } },
    outcome: "replaced",
  },
];
