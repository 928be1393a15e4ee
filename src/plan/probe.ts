import { macvlanMode } from "../netlink/link-macvlan.js";
import type { Slot } from "../netlink/wire.js";
import { probeIfname } from "../values/host-ifname.js";
import { type LinkMessage, newLink } from "./link-message.js";

/**
 * Asks the kernel whether anything uses a link, in whatever namespace that is: a passthru macvlan tolerates nothing
 * beside it. With macvlans there, up or down, of whatever mode, the kernel answers EINVAL (macvlan_common_newlink,
 * drivers/net/macvlan.c, counts them); where an ipvlan, a bridge, a bond or a macsec has the link's one rx_handler, or
 * it is enslaved, EBUSY. What it cannot see is a VLAN stacked on the link, which has no rx_handler: the host's own are
 * seen by IFLA_LINK, and those that we made in guests are in records.
 * The probe is born down and goes with the link, or is deleted again.
 */
export function probeLink(index: number | Slot, name: string, mark: number): LinkMessage {
  return newLink({
    ifname: probeIfname(name),
    link: index,
    group: mark,
    linkinfo: { kind: "macvlan", data: { mode: macvlanMode.MACVLAN_MODE_PASSTHRU } },
  });
}
