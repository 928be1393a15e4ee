import type { Scenario } from "./scenario.js";
import {
  after,
  both,
  bridged,
  engined,
  eth2,
  macvlan,
  nicked,
  on10,
  v4,
  withBridge,
  withNic,
} from "./scenario-start.js";

export const replacements: readonly Scenario[] = [
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
    name: "an ipvlan of another mode, which goes first",
    before: after(nicked, { attach: { ...both, to: "nic0", type: "ipvlan" } }),
    act: { attach: { ...both, to: "nic0", mode: "l3s", replace: true } },
    outcome: "replaced",
  },
  {
    name: "a port in another VLAN",
    before: after(
      (s) => {
        s.guest("blue");
      },
      { attach: { ...both, vlan: 100 } },
    ),
    act: { attach: { ...both, vlan: 200, replace: true } },
    outcome: "replaced",
  },
  {
    name: "a macvlan on another VLAN",
    before: after(nicked, { attach: on10 }),
    act: { attach: { ...on10, vlan: 20, replace: true } },
    outcome: "replaced",
  },
  {
    name: "a macvlan for a VLAN of the guest's alone, on that VLAN",
    before: after(nicked, { attach: { ...on10, type: "vlan" } }),
    act: { attach: { ...on10, replace: true } },
    outcome: "replaced",
  },
  {
    name: "a veth for a macvlan on a VLAN",
    before: after(withNic(engined, "nic0"), { attach: { ...both, to: "nic0", vlan: 10 } }),
    act: { attach: { ...both, replace: true } },
    outcome: "replaced",
  },
  {
    name: "a veth for a dummy",
    before: after(engined, { attach: { ...both, to: "dummy", type: "dummy" } }),
    act: { attach: { ...both, replace: true } },
    outcome: "replaced",
  },
  {
    name: "a veth for a macvlan, which goes first",
    before: after(withNic(engined, "nic0"), { attach: { ...both, to: "nic0" } }),
    act: { attach: { ...both, replace: true } },
    outcome: "replaced",
  },
];
