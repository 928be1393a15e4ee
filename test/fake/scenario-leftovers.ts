import { perform } from "./act.js";
import type { Scenario } from "./scenario.js";
import {
  after,
  asideBefore,
  blueOf,
  both,
  bridged,
  debris,
  engined,
  eth2,
  linkOf,
  macvlan,
  nicked,
  on10,
  spoiled,
  v4,
  v6,
  withBridge,
  withNic,
} from "./scenario-start.js";

export const leftovers: readonly Scenario[] = [
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
    name: "half a VLAN",
    before: debris(nicked, { attach: on10 }, "vlan-link.up"),
    act: { attach: on10 },
    outcome: "attached",
  },
  {
    name: "a whole VLAN and nothing on it",
    before: debris(nicked, { attach: on10 }, "macvlan.create"),
    act: { attach: on10 },
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
