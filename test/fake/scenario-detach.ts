import type { Scenario } from "./scenario.js";
import {
  after,
  asideBefore,
  both,
  bridged,
  debris,
  engined,
  eth2,
  eth3,
  guest,
  linkOf,
  loseDefaults,
  macvlan,
  nicked,
  on10,
  spoiled,
  withNic,
} from "./scenario-start.js";
import type { Scene } from "./scene.js";

const exotic = (s: Scene) => {
  const blue = s.guest("blue");
  s.bridge("br1");
  const eth0 = s.foreign(blue, "eth0", ["172.17.0.2/16"]);
  s.default4(eth0, "172.17.0.1", { metrics: { mtu: 1400 }, protocol: 4, prefsrc: "172.17.0.2" });
};

export const detaches: readonly Scenario[] = [
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
    name: "ipvlan, defaults given back",
    before: after(withNic(engined, "nic0"), { attach: { ...both, to: "nic0", type: "ipvlan" } }),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "dummy, defaults given back",
    before: after(engined, { attach: { ...both, to: "dummy", type: "dummy" } }),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "half an ipvlan",
    before: debris(nicked, { attach: { ...both, to: "nic0", type: "ipvlan" } }, "link.up"),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "the last of a VLAN",
    before: after(nicked, { attach: on10 }),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "one of two on a VLAN",
    before: after(
      nicked,
      { attach: on10 },
      { attach: { ...on10, ifname: "eth2", addresses: ["10.9.0.2/24"], gateway: "10.9.0.1" } },
    ),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "the last of a VLAN that somebody else made",
    before: after(
      (s) => {
        nicked(s);
        s.vlan("nic0", "x10", 10);
      },
      { attach: on10 },
    ),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "a VLAN of the guest's alone, defaults given back",
    before: after(withNic(engined, "nic0"), { attach: { ...both, to: "nic0", type: "vlan", vlan: 10 } }),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "veth of a bridge over a VLAN",
    before: after(nicked, { attach: { ...both, uplink: "nic0", vlan: 10 } }),
    act: { detach: { guest } },
    outcome: "detached",
  },
  {
    name: "half a macvlan on half a VLAN",
    before: debris(nicked, { attach: on10 }, "vlan-link.up"),
    act: { detach: { guest } },
    outcome: "absent",
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
