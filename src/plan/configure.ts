import { type Family, familyNumber } from "../netlink/family.js";
import type { Prefix } from "../values/prefix.js";
import { contains, prefixText } from "../values/prefix.js";
import { deleteAddress, newAddress } from "./address-message.js";
import type { GuestLink } from "./birth.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { setLink } from "./link-message.js";
import { appendRoute, deleteRoute, type RouteSpec } from "./route-message.js";
import type { Undo, UndoOperation } from "./step.js";
import type { AttachWish } from "./wish.js";

/** What is done to a link goes with the link when this plan made it, and is taken back by itself when it was there. */
export function undoOn(link: GuestLink, operation: UndoOperation["op"]): Undo {
  return link.birth === undefined ? inverse("guest", operation) : { ownedBy: link.birth };
}

/**
 * Turns IPv6 on for the interface (Docker turns it off in its namespaces) and keeps routers of the segment from
 * adding addresses and a gateway of their own to a statically addressed one; before the link is up, or a race decides.
 */
export function ipv6Steps(b: PlanBuilder, link: GuestLink): void {
  const undo: Undo =
    link.birth === undefined ? { builtin: "what was there before is written back" } : { ownedBy: link.birth };
  for (const [key, value, label] of [
    ["accept_ra", "0", "router advertisements refused on"],
    ["disable_ipv6", "0", "IPv6 on"],
  ] as const) {
    b.add({
      id: `ipv6.${key}`,
      label: `${label} ${link.ifname}`,
      netns: "guest",
      op: { op: "sysctl", key: `ipv6/conf/${link.ifname}/${key}`, value },
      undo,
    });
  }
}

export function addressSteps(b: PlanBuilder, link: GuestLink, addresses: readonly Prefix[]): void {
  for (const address of addresses) {
    b.add({
      id: `address.${prefixText(address)}`,
      label: `address ${prefixText(address)} on ${link.ifname}`,
      netns: "guest",
      op: { op: "netlink", message: newAddress(link.index, address) },
      undo: undoOn(link, { op: "netlink", message: deleteAddress(link.index, address), tolerate: ["EADDRNOTAVAIL"] }),
    });
  }
}

/** Brings the guest's link up; for a kind marked inside the guest, this is also where the mark goes: `group` has its place. */
export function upStep(b: PlanBuilder, link: GuestLink, group?: number): void {
  b.add({
    id: "link.up",
    label: `${link.ifname} up`,
    netns: "guest",
    op: { op: "netlink", message: setLink(link.index, group === undefined ? {} : { group }, true) },
    undo: undoOn(link, { op: "netlink", message: setLink(link.index, {}, false) }),
  });
}

/** The address of a next hop lies in none of the interface's subnets: it needs a route of its own first. */
export function offLink(via: string, family: Family, addresses: readonly Prefix[]): boolean {
  return !addresses.some((address) => address.family === family && contains(address, via));
}

function routeStep(b: PlanBuilder, link: GuestLink, id: string, label: string, spec: RouteSpec): void {
  b.add({
    id,
    label,
    netns: "guest",
    op: { op: "netlink", message: appendRoute(spec), tolerate: ["EEXIST"] },
    undo: undoOn(link, { op: "netlink", message: deleteRoute(spec), tolerate: ["ESRCH"] }),
  });
}

/** A host route to a gateway outside the interface's subnets, like the shell script's (/32, /128). */
export function gatewayHostRoute(b: PlanBuilder, link: GuestLink, family: Family, via: string): void {
  const dstLen = family === "inet" ? 32 : 128;
  routeStep(b, link, `route.${via}`, `route ${via}/${dstLen} on ${link.ifname}`, {
    family,
    dst: via,
    dstLen,
    oif: link.index,
  });
}

/** Routes on the link first, then those through a gateway: what makes a next hop reachable comes before it. */
export function sortRoutes(routes: AttachWish["routes"]): AttachWish["routes"] {
  return [...routes].sort((a, b) => Number(a.via !== undefined) - Number(b.via !== undefined));
}

export function furtherRoutes(b: PlanBuilder, link: GuestLink, routes: AttachWish["routes"]): void {
  for (const { destination, via } of sortRoutes(routes)) {
    const text = prefixText(destination);
    routeStep(
      b,
      link,
      `route.${text}${via ?? ""}`,
      `route ${text}${via === undefined ? "" : ` via ${via}`} on ${link.ifname}`,
      {
        family: destination.family,
        dst: destination.network,
        dstLen: destination.prefixlen,
        oif: link.index,
        ...(via === undefined ? {} : { via }),
      },
    );
  }
}

export const families = Object.keys(familyNumber) as Family[];
