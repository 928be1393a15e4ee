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

interface Families {
  readonly inet: boolean;
  readonly inet6: boolean;
}

/** Every step is optional: an announcement is best effort by construction. */
function announceStep(b: PlanBuilder, id: string, label: string, netns: "host" | "guest", op: Operation): void {
  const undo = { none: "an announcement cannot be taken back" };
  b.add({ id: `announce.${id}`, label, netns, op, undo, optional: true });
}

/** arp_notify of a link, and the group that says whose it is. */
function notifyFlags(link: GuestLink, { inet }: Families, arpNotify: number, group?: number): Operation {
  const conf = inet ? { afSpec: { inet: { conf: { arpNotify } } } } : {};
  return { op: "netlink", message: setLink(link.index, { ...(group === undefined ? {} : { group }), ...conf }) };
}

function ndiscNotify({ ifname }: GuestLink, value: string): Operation {
  return { op: "sysctl", key: `ipv6/conf/${ifname}/ndisc_notify`, value };
}

/**
 * For a link whose MAC cannot be set while it lives: with the flags set before it comes up, the kernel tells the
 * neighbours as it does. Its birth mark is still on it; coming up replaces that by ANNOUNCING, `announceEnd` takes it back.
 */
export function announceAsItComesUp(b: PlanBuilder, link: GuestLink, families: Families): void {
  announceStep(b, "begin", `${link.ifname} set to tell its neighbours`, "guest", notifyFlags(link, families, 1));
  if (families.inet6)
    announceStep(b, "ndisc_notify", `ndisc_notify on ${link.ifname}`, "guest", ndiscNotify(link, "1"));
}

/** The other half of announceAsItComesUp. */
export function announceEnd(b: PlanBuilder, link: GuestLink, families: Families): void {
  if (families.inet6)
    announceStep(b, "ndisc_notify-back", `ndisc_notify on ${link.ifname} as before`, "guest", ndiscNotify(link, "0"));
  announceStep(b, "end", `${link.ifname} as before`, "guest", notifyFlags(link, families, 0, 0));
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
  families: Families,
  port?: { readonly index: number | Slot },
): void {
  if (port !== undefined) {
    announceStep(b, "ready", `${link.ifname} ready to send`, "guest", {
      op: "netlink",
      message: getLinkByIndex(link.index),
      until: { path: linkPaths.operstate, value: ifOper.IF_OPER_UP, timeoutMs: READY_MS },
    });
    announceStep(b, "forwarding", "bridge port forwarding", "host", {
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
  const begin = notifyFlags(link, families, 1, ANNOUNCING);
  announceStep(b, "begin", `${link.ifname} set to tell its neighbours`, "guest", begin);
  if (families.inet6)
    announceStep(b, "ndisc_notify", `ndisc_notify on ${link.ifname}`, "guest", ndiscNotify(link, "1"));
  announceStep(b, "send", `neighbours told of ${link.ifname}`, "guest", {
    op: "netlink",
    message: setLink(link.index, { address: link.mac }),
  });
  if (families.inet6)
    announceStep(b, "ndisc_notify-back", `ndisc_notify on ${link.ifname} as before`, "guest", ndiscNotify(link, "0"));
  const end = notifyFlags(link, families, before.arpNotify, before.group);
  announceStep(b, "end", `${link.ifname} as before`, "guest", end);
}
