import { vlanProtocol } from "../netlink/link-vlan.js";
import { byteLength, IFNAME_MAX } from "../values/ifname.js";
import { unmake } from "./birth.js";
import type { PlanBuilder } from "./builder.js";
import { getLinkByName, newLink, setLink } from "./link-message.js";
import type { BridgeContext } from "./uplink-bridge.js";
import type { LinkEnd, UplinkView } from "./uplink-view.js";
import type { LinkView } from "./view.js";

const SLOT = "vlanLink";

/** The VLAN link of a NIC, whatever it is called. */
export function vlanLinkOf(view: Pick<UplinkView, "links">, nic: LinkView, id: number): LinkView | undefined {
  return view.links.find(
    (link) => link.kind === "vlan" && link.link === nic.index && link.vlanId === id && link.linkNetnsid === undefined,
  );
}

/** IF.N as people call them, or a shorter one where that has no room in the kernel's 15 bytes. */
export function vlanIfname(nic: string, id: number): string {
  const name = `${nic}.${id}`;
  return byteLength(name) > IFNAME_MAX ? `vlan${id}` : name;
}

/** A VLAN link of the NIC, made down: it comes up with the bridge's other port steps. */
export function bornVlanLink(
  b: PlanBuilder,
  context: BridgeContext,
  nic: LinkView,
  id: number,
): LinkEnd & { birth: string } {
  const name = vlanIfname(nic.name, id);
  const birth = b.add({
    id: "vlan.create",
    label: `VLAN link ${name} of ${nic.name}`,
    netns: "host",
    op: {
      op: "netlink",
      message: newLink({
        ifname: name,
        link: nic.index,
        group: context.mark,
        linkinfo: { kind: "vlan", data: { id, protocol: vlanProtocol.ETH_P_8021Q } },
      }),
    },
    undo: unmake("host", { slot: SLOT, name, mark: context.mark }),
  });
  b.add({
    id: "vlan.find",
    label: `VLAN link ${name} found`,
    netns: "host",
    op: { op: "netlink", message: getLinkByName(name), capture: { slot: SLOT } },
    undo: { none: "reads only" },
  });
  b.add({
    id: "vlan.up",
    label: `VLAN link ${name} up`,
    netns: "host",
    op: { op: "netlink", message: setLink({ slot: SLOT }, { group: 0 }, true) },
    undo: { ownedBy: birth },
  });
  return { index: { slot: SLOT }, name, birth };
}
