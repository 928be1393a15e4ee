import { ifFlags } from "../netlink/link.js";
import { parseNetwork, prefixText } from "../values/prefix.js";
import { newAddress } from "./address-message.js";
import { families } from "./configure.js";
import { slots } from "./context.js";
import { ownDefault } from "./displaced.js";
import { getLinkByName, type LinkAttributes, newLink, setLink } from "./link-message.js";
import { replaceRoute } from "./route-message.js";
import type { UndoOperation } from "./step.js";
import type { GuestView, LinkView } from "./view.js";

/** Slot of the link that is made again. */
const REBORN = "reborn";

/**
 * A link that cannot stay beside its successor is deleted first. When the replacement then fails, this makes it again
 * as it was seen: mode, MAC, MTU, addresses, its default routes. Its ifindex is another, and routes that were never read
 * do not come back. `attributes` are what its kind is made from.
 */
export function rebirth(old: LinkView, attributes: LinkAttributes, view: GuestView, ifname: string): UndoOperation[] {
  const index = { slot: REBORN };
  const addresses = view.addresses.filter((one) => one.index === old.index && !one.address.startsWith("fe80:"));
  const guest = (op: UndoOperation["op"]): UndoOperation => ({ netns: "guest", op });
  const again: UndoOperation[] = [
    {
      netns: "host",
      op: {
        op: "netlink",
        // Whether it was deleted at all is not known when the answer to that was lost; what follows suits it either way.
        tolerate: ["EEXIST"],
        message: newLink({ ...attributes, ifname, mtu: old.mtu, netNsFd: { slot: slots.guestNetns } }),
      },
    },
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
