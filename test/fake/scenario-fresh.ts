import type { Scenario } from "./scenario.js";
import {
  after,
  both,
  bridged,
  engined,
  eth2,
  eth3,
  guest,
  macvlan,
  nicked,
  on10,
  to,
  v4,
  v6,
  withBridge,
  withNic,
} from "./scenario-start.js";

export const freshAttachments: readonly Scenario[] = [
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
  {
    name: "veth, on a VLAN of a bridge to be made",
    before: (s) => {
      s.guest("blue");
    },
    act: { attach: { ...both, to: "br100", vlan: 100 } },
    outcome: "attached",
  },
  {
    name: "veth, a trunk on a bridge that tells VLANs apart",
    before: (s) => {
      s.guest("blue");
      s.bridge("br1", { vlanFiltering: true });
    },
    act: { attach: { ...both, vlan: "1,10,20-22" } },
    outcome: "attached",
  },
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
    name: "macvlan of mode passthru",
    before: nicked,
    act: { attach: { ...both, to: "nic0", mode: "passthru" } },
    outcome: "attached",
  },
  {
    name: "macvlan of mode source",
    before: nicked,
    act: { attach: { ...both, to: "nic0", mode: "source", sources: ["02:00:00:00:00:05", "02:00:00:00:00:06"] } },
    outcome: "attached",
  },
  {
    name: "ipvlan, displacing both defaults, parent down",
    before: (s) => {
      engined(s);
      s.nic("nic0", { up: false });
    },
    act: { attach: { ...both, to: "nic0", type: "ipvlan" } },
    outcome: "attached",
  },
  {
    name: "ipvlan by a temporary name, beside another of the same mode",
    before: after(
      (s) => {
        nicked(s);
        s.nic("eth1");
      },
      { attach: { ...v4, to: "nic0", type: "ipvlan", mode: "l3", ifname: "eth0", addresses: ["10.9.0.1/24"] } },
    ),
    act: { attach: { ...both, to: "nic0", mode: "l3" } },
    outcome: "attached",
  },
  { name: "dummy", before: engined, act: { attach: { ...both, to: "dummy", type: "dummy" } }, outcome: "attached" },
  { name: "macvlan on a VLAN whose link is to be made", before: nicked, act: { attach: on10 }, outcome: "attached" },
  {
    name: "macvlan on a VLAN whose link has another name and is down, as is the parent",
    before: (s) => {
      s.guest("blue");
      s.nic("nic0", { up: false });
      s.vlan("nic0", "x10", 10, { up: false });
      s.nic("nic0.10");
    },
    act: { attach: on10 },
    outcome: "attached",
  },
  {
    name: "ipvlan on a VLAN whose name is taken, parent down",
    before: (s) => {
      engined(s);
      s.nic("nic0", { up: false });
      s.nic("nic0.10");
    },
    act: { attach: { ...both, to: "nic0", type: "ipvlan", vlan: 10 } },
    outcome: "attached",
  },
  {
    name: "macvlan on a VLAN of a VLAN",
    before: (s) => {
      nicked(s);
      s.vlan("nic0", "nic0.10", 10);
    },
    act: { attach: { ...macvlan, to: "nic0.10", vlan: 20 } },
    outcome: "attached",
  },
  {
    name: "a VLAN for the guest alone",
    before: withNic(engined, "nic0"),
    act: { attach: { ...both, to: "nic0", type: "vlan", vlan: 10 } },
    outcome: "attached",
  },
  {
    name: "veth, bridge to be made over a VLAN to be made",
    before: nicked,
    act: { attach: { ...both, uplink: "nic0", vlan: 10 } },
    outcome: "attached",
  },
  {
    name: "veth, bridge and VLAN there, not yet together",
    before: (s) => {
      nicked(s);
      s.bridge("br1", { up: false });
      s.vlan("nic0", "x10", 10, { up: false });
    },
    act: { attach: { ...both, uplink: "nic0", vlan: 10 } },
    outcome: "attached",
  },
  {
    name: "macvlan, displacing both defaults",
    before: withNic(engined, "nic0"),
    act: { attach: { ...both, to: "nic0" } },
    outcome: "attached",
  },
];
