import { type Act, killedAt, perform } from "./act.js";
import type { FakeMachine } from "./machine.js";
import type { Scene } from "./scene.js";

/** A kind of plan: what is there before, and the command whose plan it is. */
export interface Scenario {
  readonly name: string;
  readonly before: (scene: Scene, machine: FakeMachine) => Promise<void> | void;
  readonly act: Act;
  /** Why a detach cannot find all of what was there before. */
  readonly beyondDetach?: string;
  /** How the command ends when nothing goes wrong. */
  readonly outcome: string;
}

const guest = "netns:blue";
const to = "br1";
const v4 = { guest, to, addresses: ["192.168.1.2/24"] };
const v6 = { guest, to, addresses: ["fd00:1::2/64"] };
const both = { guest, to, addresses: ["192.168.1.2/24", "fd00:1::2/64"], gateway: ["192.168.1.1", "fd00:1::1"] };
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
const macvlan = { guest, to: "nic0", addresses: ["192.168.1.2/24"], gateway: "192.168.1.1" };

const bridged = (scene: Scene) => {
  scene.guest("blue");
  scene.bridge("br1");
};

/** As in a container of an engine: eth0 with both defaults, IPv6 off for all other interfaces. */
const engined = (scene: Scene) => {
  const blue = scene.guest("blue", { ipv6: false });
  scene.bridge("br1");
  const eth0 = scene.foreign(blue, "eth0", ["172.17.0.2/16", "fd17::2/64"]);
  scene.default4(eth0, "172.17.0.1");
  scene.default6(eth0, "fd17::1");
};

const nicked = (scene: Scene) => {
  scene.guest("blue");
  scene.nic("nic0");
};

const withBridge = (first: (scene: Scene) => void, name: string) => (scene: Scene) => {
  first(scene);
  scene.bridge(name);
};

const withNic = (first: (scene: Scene) => void, name: string) => (scene: Scene) => {
  first(scene);
  scene.nic(name);
};

function after(first: (scene: Scene) => void, ...acts: Act[]): Scenario["before"] {
  return async (scene, machine) => {
    first(scene);
    for (const act of acts) await perform(machine, act);
  };
}

/** What a killed run leaves when it dies in front of a step. */
function debris(first: (scene: Scene) => void, act: Act, id: string): Scenario["before"] {
  return async (scene, machine) => {
    first(scene);
    await killedAt(machine, act, id);
  };
}

/** A replacement that died in front of a step, on top of what other attachments there are. */
function asideBefore(id: string, ...others: Act[]): Scenario["before"] {
  return async (scene, machine) => {
    engined(scene);
    for (const act of [{ attach: both }, ...others]) await perform(machine, act);
    await killedAt(machine, { attach: { ...both, mtu: 1400, replace: true } }, id);
  };
}

/** Takes something away from what was attached, as a person would. */
function spoiled(before: Scenario["before"], spoil: (machine: FakeMachine, scene: Scene) => void): Scenario["before"] {
  return async (scene, machine) => {
    await before(scene, machine);
    spoil(machine, scene);
  };
}

const blueOf = (machine: FakeMachine) => {
  const blue = machine.kernel.namespaceAt("/run/netns/blue");
  if (blue === undefined) throw new Error("no blue");
  return blue;
};
const linkOf = (machine: FakeMachine, name: string) => {
  const link = machine.kernel.links.find(blueOf(machine), name);
  if (link === undefined) throw new Error(`no ${name}`);
  return link;
};
const loseDefaults = (machine: FakeMachine) => {
  const blue = blueOf(machine);
  blue.routes = blue.routes.filter((route) => route.dstLen !== 0);
};

const fresh: Scenario[] = [
  { name: "veth, bridge to be made", before: (s) => void s.guest("blue"), act: { attach: v4 }, outcome: "attached" },
  { name: "veth, bridge there", before: bridged, act: { attach: v4 }, outcome: "attached" },
  {
    name: "veth, bridge down and of another MTU",
    before: (s) => {
      s.guest("blue");
      s.bridge("br1", { up: false, mtu: 9000 });
    },
    act: { attach: v4 },
    outcome: "attached",
  },
  {
    name: "veth without an address",
    before: bridged,
    act: { attach: { guest, to, addresses: ["0/0"] } },
    outcome: "attached",
  },
  {
    name: "veth, IPv6 where it is off",
    before: withBridge((s) => void s.guest("blue", { ipv6: false }), "br1"),
    act: { attach: v6 },
    outcome: "attached",
  },
  {
    name: "veth, both families, both gateways, new bridge",
    before: (s) => void s.guest("blue"),
    act: { attach: both },
    outcome: "attached",
  },
  {
    name: "veth, several addresses of both families",
    before: bridged,
    act: {
      attach: {
        guest,
        to,
        addresses: ["192.168.1.2/24", "192.168.1.3/24", "10.9.0.1/31", "10.9.8.7/32", "fd00:1::2/64", "fd00:1::3/128"],
      },
    },
    outcome: "attached",
  },
  {
    name: "veth, gateways off the link",
    before: bridged,
    act: { attach: { ...both, gateway: ["10.1.1.1", "fd99::1"] } },
    outcome: "attached",
  },
  {
    name: "veth, link-local IPv6 gateway",
    before: bridged,
    act: { attach: { ...v6, gateway: "fe80::1" } },
    outcome: "attached",
  },
  { name: "veth, displacing both defaults", before: engined, act: { attach: both }, outcome: "attached" },
  {
    name: "veth, displacing defaults by gateways off the link",
    before: engined,
    act: { attach: { ...both, gateway: ["10.1.1.1", "fd99::1"] } },
    outcome: "attached",
  },
  {
    name: "veth, displacing an exotic default (kept in a record)",
    before: (s) => {
      const blue = s.guest("blue");
      s.bridge("br1");
      const eth0 = s.foreign(blue, "eth0", ["172.17.0.2/16"]);
      s.default4(eth0, "172.17.0.1", { metrics: { mtu: 1400 }, protocol: 4, prefsrc: "172.17.0.2" });
    },
    act: { attach: both },
    outcome: "attached",
  },
  {
    name: "veth, second of a chain",
    before: after(engined, { attach: both }),
    act: { attach: eth2 },
    outcome: "attached",
  },
  {
    name: "veth, third of a chain",
    before: after(engined, { attach: both }, { attach: eth2 }),
    act: { attach: eth3 },
    outcome: "attached",
  },
  {
    name: "veth, with a metric beside another default",
    before: engined,
    act: { attach: { ...both, metric: 50 } },
    outcome: "attached",
  },
  {
    name: "veth, further routes, given in no order",
    before: bridged,
    act: {
      attach: { ...both, routes: ["10.5.0.0/16 via 10.4.0.1", "10.4.0.0/16", "fd05::/32 via fd04::1", "fd04::/32"] },
    },
    outcome: "attached",
  },
  {
    name: "veth, named host end, MAC of a text, MTU, queues",
    before: bridged,
    act: { attach: { ...v4, hostIfname: "web1", mac: "U:web1", mtu: 1400, queues: 2 } },
    outcome: "attached",
  },
  { name: "veth, no announcement", before: bridged, act: { attach: { ...v4, announce: false } }, outcome: "attached" },
  { name: "macvlan", before: nicked, act: { attach: macvlan }, outcome: "attached" },
  { name: "macvlan, both families", before: nicked, act: { attach: { ...both, to: "nic0" } }, outcome: "attached" },
  {
    name: "macvlan by a temporary name, parent down",
    before: (s) => {
      s.guest("blue");
      s.nic("nic0", { up: false });
      s.nic("eth1");
    },
    act: { attach: macvlan },
    outcome: "attached",
  },
  {
    name: "macvlan, displacing both defaults",
    before: withNic(engined, "nic0"),
    act: { attach: { ...both, to: "nic0" } },
    outcome: "attached",
  },
];

const completions: Scenario[] = [
  {
    name: "a further address of each family",
    before: after(bridged, { attach: v4 }),
    act: { attach: { ...v4, addresses: ["192.168.1.2/24", "192.168.1.9/24", "fd00:1::2/64"] } },
    outcome: "completed",
  },
  {
    name: "first addresses and gateways",
    before: after(engined, { attach: { guest, to, addresses: ["0/0"] } }),
    act: { attach: both },
    outcome: "completed",
  },
  {
    name: "lost defaults",
    before: spoiled(after(bridged, { attach: both }), loseDefaults),
    act: { attach: both },
    outcome: "completed",
  },
  {
    name: "lost defaults, which somebody else has by now",
    before: spoiled(after(engined, { attach: both }), (machine, scene) => {
      loseDefaults(machine);
      scene.default4(linkOf(machine, "eth0"), "172.17.0.9");
      scene.default6(linkOf(machine, "eth0"), "fd17::9");
    }),
    act: { attach: both },
    outcome: "completed",
  },
  {
    name: "link down",
    before: spoiled(after(bridged, { attach: both }), (machine) =>
      machine.kernel.links.setUp(linkOf(machine, "eth1"), false),
    ),
    act: { attach: both },
    outcome: "completed",
  },
  {
    name: "host end down",
    before: spoiled(after(bridged, { attach: both }), (machine) => {
      const { peer } = linkOf(machine, "eth1");
      if (peer !== undefined) machine.kernel.links.setUp(peer, false);
    }),
    act: { attach: both },
    outcome: "completed",
  },
  {
    name: "defaults retaken from another attachment",
    before: after(engined, { attach: both }, { attach: eth2 }),
    act: { attach: both },
    outcome: "completed",
  },
  {
    name: "defaults retaken from the third of a chain",
    before: after(engined, { attach: both }, { attach: eth2 }, { attach: eth3 }),
    act: { attach: both },
    outcome: "completed",
  },
  {
    name: "defaults of a macvlan retaken from a veth",
    before: after(withNic(engined, "nic0"), { attach: { ...both, to: "nic0" } }, { attach: eth2 }),
    act: { attach: { ...both, to: "nic0" } },
    outcome: "completed",
  },
  {
    name: "a further route",
    before: after(bridged, { attach: v4 }),
    act: { attach: { ...v4, routes: ["10.4.0.0/16"] } },
    outcome: "completed",
  },
];

const replacements: Scenario[] = [
  {
    name: "another MAC and gateway",
    before: after(engined, { attach: both }),
    act: { attach: { ...both, mac: "02:00:00:00:00:77", gateway: ["192.168.1.254", "fd00:1::254"], replace: true } },
    outcome: "replaced",
  },
  {
    name: "another bridge",
    before: after(withBridge(bridged, "br2"), { attach: both }),
    act: { attach: { ...both, to: "br2", replace: true } },
    outcome: "replaced",
  },
  {
    name: "a new bridge, of an attachment whose defaults another one has",
    before: after(engined, { attach: both }, { attach: eth2 }),
    act: { attach: { ...v4, to: "br9", replace: true } },
    outcome: "replaced",
  },
  {
    name: "macvlan for a veth, which goes first",
    before: after(withNic(engined, "nic0"), { attach: both }),
    act: { attach: { ...both, to: "nic0", replace: true } },
    outcome: "replaced",
  },
  {
    name: "a macvlan of another MTU, which goes first",
    before: after(nicked, { attach: macvlan }),
    act: { attach: { ...macvlan, mtu: 1400, replace: true } },
    outcome: "replaced",
  },
  {
    name: "a veth for a macvlan, which goes first",
    before: after(withNic(engined, "nic0"), { attach: { ...both, to: "nic0" } }),
    act: { attach: { ...both, replace: true } },
    outcome: "replaced",
  },
];

const leftovers: Scenario[] = [
  {
    name: "half a bridge",
    before: debris((s) => void s.guest("blue"), { attach: v4 }, "bridge.up"),
    act: { attach: v4 },
    outcome: "attached",
  },
  {
    name: "half a veth",
    before: debris(bridged, { attach: both }, "veth.commit"),
    act: { attach: both },
    outcome: "attached",
  },
  {
    name: "half a veth of another request",
    before: debris(bridged, { attach: { ...v6, mtu: 1400 } }, "link.up"),
    act: { attach: both },
    outcome: "attached",
  },
  {
    name: "half a veth that has another name in the guest",
    before: spoiled(debris(bridged, { attach: both }, "veth.commit"), (machine) =>
      machine.kernel.links.rename(linkOf(machine, "eth1"), "other"),
    ),
    act: { attach: both },
    beyondDetach: "somebody renamed it, so it is not eth1 any more",
    outcome: "attached",
  },
  {
    name: "half a macvlan",
    before: debris(nicked, { attach: macvlan }, "link.up"),
    act: { attach: macvlan },
    outcome: "attached",
  },
  {
    name: "half a macvlan by its temporary name",
    before: debris(withNic(nicked, "eth1"), { attach: macvlan }, "link.rename"),
    act: { attach: macvlan },
    outcome: "attached",
  },
  {
    name: "the host end of a guest that was restarted",
    before: async (scene, machine) => {
      bridged(scene);
      await perform(machine, { attach: { ...v4, hostIfname: "web1" } });
      // Its processes are gone, something holds the namespace, and another one has its name.
      blueOf(machine).alive = false;
      scene.guest("blue");
    },
    act: { attach: { ...v4, hostIfname: "web1" } },
    beyondDetach: "it is in another namespace than the guest's",
    outcome: "attached",
  },
  {
    name: "an old link set aside, the new one half built",
    before: asideBefore("veth.commit"),
    act: { attach: { ...both, mtu: 1400, replace: true } },
    outcome: "replaced",
  },
  {
    name: "an old link set aside, the new one whole",
    before: asideBefore("replace.remove"),
    act: { attach: { ...both, mtu: 1400, replace: true } },
    outcome: "completed",
  },
  {
    name: "an old link set aside, the new one to be replaced as well",
    before: asideBefore("default.inet"),
    act: { attach: { ...both, mtu: 1300, replace: true } },
    outcome: "replaced",
  },
  {
    name: "an old link set aside, another one over it in the chain",
    before: asideBefore("link.up", { attach: eth2 }),
    act: { attach: { ...both, mtu: 1400 } },
    outcome: "replaced",
  },
  {
    name: "a link that was announcing itself",
    before: debris(engined, { attach: both }, "announce.send"),
    act: { attach: both },
    outcome: "completed",
  },
  {
    name: "the record of a macvlan that is gone",
    before: spoiled(after(withBridge(nicked, "br1"), { attach: macvlan }), (machine) =>
      machine.kernel.links.delete(linkOf(machine, "eth1")),
    ),
    act: { attach: both },
    outcome: "attached",
  },
];

const exotic = (s: Scene) => {
  const blue = s.guest("blue");
  s.bridge("br1");
  const eth0 = s.foreign(blue, "eth0", ["172.17.0.2/16"]);
  s.default4(eth0, "172.17.0.1", { metrics: { mtu: 1400 }, protocol: 4, prefsrc: "172.17.0.2" });
};

const detaches: Scenario[] = [
  { name: "veth", before: after(bridged, { attach: both }), act: { detach: { guest } }, outcome: "detached" },
  {
    name: "veth, defaults given back",
    before: after(engined, { attach: both }),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "veth, the exotic default given back",
    before: after(exotic, { attach: both }),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "veth, the exotic default given back to an empty place",
    before: spoiled(after(exotic, { attach: both }), loseDefaults),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "last of a chain",
    before: after(engined, { attach: both }, { attach: eth2 }, { attach: eth3 }),
    act: { detach: { guest, ifname: "eth3" } },
    outcome: "detached",
  },
  {
    name: "middle of a chain",
    before: after(engined, { attach: both }, { attach: eth2 }, { attach: eth3 }),
    act: { detach: { guest, ifname: "eth2" } },
    outcome: "detached",
  },
  {
    name: "first of a chain",
    before: after(engined, { attach: both }, { attach: eth2 }, { attach: eth3 }),
    act: { detach: { guest, ifname: "eth1" } },
    outcome: "detached",
  },
  {
    name: "a default lost meanwhile, the old one given back all the same",
    before: spoiled(after(engined, { attach: both }), loseDefaults),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "a default that somebody else has by now, left alone",
    before: spoiled(after(engined, { attach: both }), (machine, scene) => {
      loseDefaults(machine);
      scene.default4(linkOf(machine, "eth0"), "172.17.0.9");
    }),
    act: { detach: { guest } },
    outcome: "detached",
  },
  { name: "macvlan", before: after(nicked, { attach: macvlan }), act: { detach: { guest } }, outcome: "detached" },
  {
    name: "macvlan, defaults given back",
    before: after(withNic(engined, "nic0"), { attach: { ...both, to: "nic0" } }),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "macvlan below a veth in a chain",
    before: after(withNic(engined, "nic0"), { attach: { ...both, to: "nic0" } }, { attach: eth2 }),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "half a veth",
    before: debris(bridged, { attach: both }, "veth.commit"),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "half a macvlan",
    before: debris(nicked, { attach: macvlan }, "link.up"),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "a replacement half done",
    before: asideBefore("veth.commit"),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "a replacement all but done",
    before: asideBefore("replace.remove"),
    act: { detach: { guest } },
    outcome: "detached",
  },
];

/** Every kind of plan there is, in groups. */
export const scenarios: Readonly<Record<string, readonly Scenario[]>> = {
  "a fresh attachment": fresh,
  completion: completions,
  replacement: replacements,
  "over what a killed run left": leftovers,
  detach: detaches,
};
