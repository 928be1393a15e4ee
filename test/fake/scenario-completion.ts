import type { Scenario } from "./scenario.js";
import {
  after,
  both,
  bridged,
  engined,
  eth2,
  eth3,
  guest,
  linkOf,
  loseDefaults,
  spoiled,
  to,
  v4,
  withNic,
} from "./scenario-start.js";

export const completions: readonly Scenario[] = [
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
