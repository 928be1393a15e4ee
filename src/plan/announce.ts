import { ifOper } from "../netlink/link.js";
import { bridgePortStates } from "../netlink/link-bridge.js";
import type { Slot } from "../netlink/wire.js";
import type { GuestLink } from "./birth.js";
import type { PlanBuilder } from "./builder.js";
import { ANNOUNCING } from "./context.js";
import { getLinkByIndex, linkPaths, setLink } from "./link-message.js";
import type { Operation } from "./step.js";
import type { LinkView } from "./view.js";

/**
 * How long the last steps wait for the way to the neighbours: for the guest's link, which drops what it sends until the
 * kernel's own thread has heard of its carrier (net/core/link_watch.c), and for the port, which without spanning tree
 * forwards then. Both take some 0.1 ms, and more on a machine that is busy.
 */
const READY_MS = 20;

/** A run was killed while this link announced itself: its notify flags are still set. */
export function wasAnnouncing(link: LinkView | undefined): boolean {
  return link?.group === ANNOUNCING;
}

/**
 * The kernel itself tells the neighbours: with arp_notify (ndisc_notify) set, giving a link the address it has sends
 * one gratuitous ARP (unsolicited neighbour advertisement) per address, without a packet socket, whose closing would
 * cost 8 to 24 ms. Best effort by construction: every step is optional. The flags are taken back at the end, and the
 * link's group says meanwhile that they are ours.
 */
export function announceSteps(
  b: PlanBuilder,
  link: GuestLink,
  families: { readonly inet: boolean; readonly inet6: boolean },
  port?: { readonly index: number | Slot },
): void {
  const step = (id: string, label: string, netns: "host" | "guest", op: Operation) =>
    b.add({
      id: `announce.${id}`,
      label,
      netns,
      op,
      undo: { none: "an announcement cannot be taken back" },
      optional: true,
    });
  if (port !== undefined) {
    step("ready", `${link.ifname} ready to send`, "guest", {
      op: "netlink",
      message: getLinkByIndex(link.index),
      until: { path: linkPaths.operstate, value: ifOper.IF_OPER_UP, timeoutMs: READY_MS },
    });
    step("forwarding", "bridge port forwarding", "host", {
      op: "netlink",
      message: getLinkByIndex(port.index),
      until: {
        path: linkPaths.brportState,
        value: bridgePortStates.indexOf("forwarding"),
        timeoutMs: READY_MS,
      },
    });
  }
  const before = wasAnnouncing(link.observed)
    ? { group: 0, arpNotify: 0 }
    : { group: link.observed?.group ?? 0, arpNotify: link.observed?.arpNotify ?? 0 };
  const flags = (group: number, arpNotify: number): Operation => ({
    op: "netlink",
    message: setLink(link.index, { group, ...(families.inet ? { afSpec: { inet: { conf: { arpNotify } } } } : {}) }),
  });
  const ndiscNotify = (value: string): Operation => ({
    op: "sysctl",
    key: `ipv6/conf/${link.ifname}/ndisc_notify`,
    value,
  });
  step("begin", `${link.ifname} set to tell its neighbours`, "guest", flags(ANNOUNCING, 1));
  if (families.inet6) step("ndisc_notify", `ndisc_notify on ${link.ifname}`, "guest", ndiscNotify("1"));
  step("send", `neighbours told of ${link.ifname}`, "guest", {
    op: "netlink",
    message: setLink(link.index, { address: link.mac }),
  });
  if (families.inet6) step("ndisc_notify-back", `ndisc_notify on ${link.ifname} as before`, "guest", ndiscNotify("0"));
  step("end", `${link.ifname} as before`, "guest", flags(before.group, before.arpNotify));
}
