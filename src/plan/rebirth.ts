import { ifFlags } from "../netlink/link.js";
import { parseNetwork, prefixText } from "../values/prefix.js";
import { newAddress } from "./address-message.js";
import { families } from "./configure.js";
import { slots } from "./context.js";
import { ownDefault } from "./displaced.js";
import { getLinkByName, type LinkAttributes, linkProperties, newLink, setLink } from "./link-message.js";
import type { NicMemory } from "./nic.js";
import { nicConditions } from "./nic-home.js";
import { replaceRoute } from "./route-message.js";
import type { UndoOperation } from "./step.js";
import type { GuestView, LinkView } from "./view.js";

/** Slot of the link that is made again. */
const REBORN = "reborn";

/** Makes a deleted link again; `attributes` are what its kind is made from. */
export function madeAgain(old: LinkView, attributes: LinkAttributes, ifname: string): UndoOperation {
  return {
    netns: "host",
    op: {
      op: "netlink",
      // Whether it was deleted at all is not known when the answer to that was lost; what follows suits it either way.
      tolerate: ["EEXIST"],
      message: newLink({ ...attributes, ifname, mtu: old.mtu, netNsFd: { slot: slots.guestNetns } }),
    },
  };
}

/** Moves a NIC that came home into the guest again, under the ifindex that it had there. */
export function movedAgain(old: LinkView, nic: NicMemory, name: string, ifname: string): UndoOperation[] {
  const host = (op: UndoOperation["op"]): UndoOperation => ({ netns: "host", op });
  const ifSlot = slots.nic;
  const properties =
    nic.altNames.length > 0 ? [linkProperties("RTM_DELLINKPROP", { slot: slots.nic }, nic.altNames)] : [];
  return [
    ...nicConditions(nic).map((where) =>
      host({
        op: "netlink",
        message: getLinkByName(name),
        capture: { slot: slots.nic, where },
        unlessSlot: slots.nic,
      }),
    ),
    ...properties.map((message) => host({ op: "netlink", message, ifSlot, tolerate: ["ENOENT"] })),
    host({
      op: "netlink",
      message: setLink(
        { slot: slots.nic },
        {
          ...(old.address === undefined ? {} : { address: old.address }),
          ifname,
          mtu: old.mtu,
          netNsFd: { slot: slots.guestNetns },
          group: old.group,
          newIfindex: old.index,
        },
      ),
      ifSlot,
    }),
  ];
}

/**
 * A link that cannot stay beside its successor goes first. When the replacement then fails, this brings it back as it was
 * seen: mode, MAC, MTU, addresses, its default routes. The ifindex of one that was deleted is another, and routes that were
 * never read do not come back. `births` are what makes it be there again.
 */
export function rebirth(
  old: LinkView,
  births: readonly UndoOperation[],
  view: GuestView,
  ifname: string,
): UndoOperation[] {
  const index = { slot: REBORN };
  const addresses = view.addresses.filter((one) => one.index === old.index && !one.address.startsWith("fe80:"));
  const guest = (op: UndoOperation["op"]): UndoOperation => ({ netns: "guest", op });
  const again: UndoOperation[] = [
    ...births,
    guest({ op: "netlink", message: getLinkByName(ifname), capture: { slot: REBORN } }),
  ];
  if (addresses.some((one) => one.family === "inet6")) {
    for (const [key, value] of [
      ["accept_ra", "0"],
      ["disable_ipv6", "0"],
    ] as const) {
      again.push(guest({ op: "sysctl", key: `ipv6/conf/${ifname}/${key}`, value }));
    }
  }
  for (const one of addresses) {
    again.push(
      guest({ op: "netlink", message: newAddress(index, parseNetwork(prefixText(one))), tolerate: ["EEXIST"] }),
    );
  }
  if ((old.flags & ifFlags.IFF_UP) === 0) return again;
  again.push(guest({ op: "netlink", message: setLink(index, {}, true) }));
  for (const family of families) {
    const own = ownDefault(view.routes, family, old.index);
    if (own === undefined) continue;
    const { via, metric, protocol, scope, onlink } = own;
    const spec = { family, oif: index, metric, protocol, scope, onlink, ...(via === undefined ? {} : { via }) };
    again.push(guest({ op: "netlink", message: replaceRoute(spec) }));
  }
  return again;
}
