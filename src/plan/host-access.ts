import { ifFlags } from "../netlink/link.js";
import { macvlanMode } from "../netlink/link-macvlan.js";
import type { Slot } from "../netlink/wire.js";
import { PipeworkError } from "../values/error.js";
import { shimIfname } from "../values/host-ifname.js";
import { familyOf } from "../values/ipaddress.js";
import { hostEndMac } from "../values/mac.js";
import { parseNetwork } from "../values/prefix.js";
import { deleteAddress, newAddress } from "./address-message.js";
import { unmake } from "./birth.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { isMark, type PlanContext } from "./context.js";
import { clearDebris } from "./host-end.js";
import { getLinkByName, linkPaths, newLink, setLink } from "./link-message.js";
import { type HostAccess, SHIM_ALIAS } from "./memory.js";
import type { ParentEnd } from "./parent.js";
import { createRoute, deleteRoute, type RouteSpec } from "./route-message.js";
import type { LinkView, RouteView } from "./view.js";
import type { AttachWish } from "./wish.js";

/** What the host has on the way to a macvlan of a guest, which the kernel keeps from talking to its own parent. */
export interface HostAccessView {
  /** The link that has the name of this parent's shim. */
  readonly shim?: LinkView;
  /** Its addresses. */
  readonly shimAddresses: readonly string[];
  /** Host routes (/32, /128) of the main table. */
  readonly routes: readonly RouteView[];
  /** Names of the links that those lead to. */
  readonly names: ReadonlyMap<number, string>;
  /** An address of the parent for packets of the host to have, by the address of the guest; absent: the kernel chooses. */
  readonly sources: ReadonlyMap<string, string>;
}

const SHIM = "shim";

function isShim(link: LinkView, parent: ParentEnd): boolean {
  return link.kind === "macvlan" && link.link === parent.index && link.alias === SHIM_ALIAS;
}

function hostRoute(address: string, oif: number | Slot, prefsrc: string | undefined): RouteSpec {
  const family = familyOf(address);
  return {
    family,
    dst: address,
    dstLen: family === "inet" ? 32 : 128,
    oif,
    ...(prefsrc === undefined ? {} : { prefsrc }),
  };
}

/**
 * The host's own macvlan on the parent, one for all guests there: without an IPv4 address, as the host's own stays where
 * it is and is answered for on any interface (arp_ignore 0). Found by name, parent and alias; a stranger's is refused.
 */
function shimSteps(
  b: PlanBuilder,
  context: PlanContext,
  wish: AttachWish,
  parent: ParentEnd,
  there: LinkView | undefined,
): number | Slot {
  const name = shimIfname(parent.name);
  if (there !== undefined && !isMark(there.group)) {
    if (!isShim(there, parent)) {
      throw new PipeworkError({
        code: "name-taken",
        message: `the interface for the host's access to ${parent.name} would be called ${name}, and that name is taken by one that pipework did not make`,
        hint: "remove or rename it, or attach without host access",
        guest: context.guest,
        ifname: wish.ifname,
      });
    }
    if ((there.flags & ifFlags.IFF_UP) === 0) {
      b.add({
        id: "shim.up",
        label: `${name} up`,
        netns: "host",
        op: { op: "netlink", message: setLink(there.index, {}, true) },
        undo: inverse("host", { op: "netlink", message: setLink(there.index, {}, false) }),
      });
    }
    return there.index;
  }
  const index = { slot: SHIM };
  if (there !== undefined) clearDebris(b, "debris.shim", there, "host", "left half built by a killed run");
  const id = b.add({
    id: "shim.create",
    label: `macvlan ${name} on ${parent.name}, for the host itself`,
    netns: "host",
    op: {
      op: "netlink",
      message: newLink({
        ifname: name,
        address: hostEndMac(context.seed),
        link: parent.index,
        group: context.mark,
        linkinfo: { kind: "macvlan", data: { mode: macvlanMode.MACVLAN_MODE_BRIDGE } },
      }),
    },
    undo: unmake("host", { slot: SHIM, name, mark: context.mark }),
  });
  b.add({
    id: "shim.find",
    label: `${name} found`,
    netns: "host",
    op: { op: "netlink", message: getLinkByName(name), capture: { slot: SHIM } },
    undo: { none: "reads only" },
  });
  b.add({
    id: "shim.accept_ra",
    label: `router advertisements refused on ${name}`,
    netns: "host",
    // The parent hears them too: the host would have the segment's default route twice.
    op: { op: "sysctl", key: `ipv6/conf/${name}/accept_ra`, value: "0", tolerate: ["ENOENT"] },
    undo: { ownedBy: id },
  });
  b.add({
    id: "shim.up",
    label: `${name} up and marked as ours`,
    netns: "host",
    op: { op: "netlink", message: setLink(index, { group: 0, ifalias: SHIM_ALIAS }, true) },
    undo: { ownedBy: id },
  });
  return index;
}

/** Refuses what cannot give the host a way to the guest, before anything is touched. */
export function checkHostAccess(wish: AttachWish, view: HostAccessView | undefined): void {
  if (!wish.hostAccess || view === undefined) return;
  for (const { address } of wish.addresses) {
    const taken = routeTo(view, address);
    if (taken === undefined || (view.shim !== undefined && taken.oif === view.shim.index)) continue;
    const dev = view.names.get(taken.oif ?? 0) ?? `interface ${taken.oif}`;
    throw new PipeworkError({
      code: "interface-unsuitable",
      message: `the host has a route to ${address}/${taken.dstLen} of its own already, on ${dev}`,
      hint: "that is left alone: remove it, or attach without host access",
    });
  }
}

function routeTo(view: HostAccessView, address: string): RouteView | undefined {
  return view.routes.find((one) => one.dst === address && one.family === familyOf(address));
}

/** The host's way to the guest's addresses; what is there already is left as it is. */
export function hostAccessSteps(
  b: PlanBuilder,
  context: PlanContext,
  wish: AttachWish,
  parent: ParentEnd,
  view: HostAccessView,
): void {
  const shim = shimSteps(b, context, wish, parent, view.shim);
  const answered = new Set(view.shimAddresses);
  for (const { address } of wish.addresses) {
    const source = view.sources.get(address);
    if (source === undefined || familyOf(source) === "inet" || answered.has(source)) continue;
    answered.add(source);
    const own = parseNetwork(`${source}/128`);
    b.add({
      id: `shim.${source}`,
      label: `${shimIfname(parent.name)} answers for ${source} too`,
      netns: "host",
      // Unlike ARP, a neighbour solicitation is answered only for addresses of the interface that heard it (ndisc_recv_ns).
      op: { op: "netlink", message: newAddress(shim, own) },
      undo: inverse("host", {
        op: "netlink",
        message: deleteAddress(shim, own),
        tolerate: ["EADDRNOTAVAIL", "ENODEV"],
      }),
    });
  }
  for (const { address } of wish.addresses) {
    if (routeTo(view, address) !== undefined) continue;
    const spec = hostRoute(address, shim, view.sources.get(address));
    b.add({
      id: `host-access.${address}`,
      label: `the host's route to ${address} on ${shimIfname(parent.name)}`,
      netns: "host",
      op: { op: "netlink", message: createRoute(spec) },
      undo: inverse("host", { op: "netlink", message: deleteRoute(spec), tolerate: ["ESRCH", "ENODEV"] }),
      hints: { EEXIST: "the host has a route to that address already: remove it, or attach without host access" },
    });
  }
}

/** What an attachment with host access remembers. */
export function hostAccessOf(
  wish: AttachWish,
  parentName: string,
  view: HostAccessView | undefined,
): HostAccess | undefined {
  if (!wish.hostAccess || view === undefined) return undefined;
  return {
    shim: shimIfname(parentName),
    routes: wish.addresses.map(({ address: dst }) => {
      const prefsrc = view.sources.get(dst);
      return { dst, ...(prefsrc === undefined ? {} : { prefsrc }) };
    }),
  };
}

/**
 * Takes the host's routes to a guest back. The shim is looked for by its name and our alias: a stranger's link of that
 * name is not touched, and neither are routes that lead elsewhere. Where the shim is gone, so are its routes.
 */
export function releaseHostAccess(b: PlanBuilder, { shim, routes }: HostAccess, prefix = ""): void {
  b.add({
    id: `${prefix}shim.find`,
    label: `${shim} found`,
    netns: "host",
    op: {
      op: "netlink",
      message: getLinkByName(shim),
      capture: { slot: SHIM, where: [{ path: linkPaths.ifalias, value: SHIM_ALIAS }] },
      tolerate: ["ENODEV", "ENOENT"],
    },
    undo: { none: "reads only" },
  });
  for (const { dst, prefsrc } of routes) {
    const spec = hostRoute(dst, { slot: SHIM }, prefsrc);
    b.add({
      id: `${prefix}host-access.${dst}`,
      label: `the host's route to ${dst} removed`,
      netns: "host",
      op: { op: "netlink", message: deleteRoute(spec), tolerate: ["ESRCH", "ENODEV"], ifSlot: SHIM },
      undo: inverse("host", { op: "netlink", message: createRoute(spec), tolerate: ["EEXIST"], ifSlot: SHIM }),
    });
  }
}
