import { ifFlags } from "../netlink/link.js";
import { refuseAdvertisements } from "./bridge.js";
import type { UplinkWish } from "./bridge-wish.js";
import { inverse, PlanBuilder } from "./builder.js";
import { isMark } from "./context.js";
import { Handover } from "./handover.js";
import { addressKey, isLinkLocal } from "./handover-address.js";
import { isConnected, isLinksOwn, linksOf, routeKey } from "./handover-route.js";
import { setLink } from "./link-message.js";
import type { Plan } from "./step.js";
import {
  awaitCarrier,
  type BridgeContext,
  bornBridge,
  bridgeAddress,
  bridgeUp,
  builtin,
  settingSteps,
  type UplinkBridge,
} from "./uplink-bridge.js";
import { formatUplinkRecord, type UplinkRecord, uplinkRecordName } from "./uplink-record.js";
import {
  checkBridge,
  checkLifetimes,
  checkMaster,
  checkNextHops,
  checkNic,
  checkOtherUplink,
  checkRules,
} from "./uplink-refusal.js";
import {
  type KernelAddress,
  type KernelNeighbour,
  type KernelRoute,
  type LinkEnd,
  linkOf,
  namesOf,
  type UplinkView,
} from "./uplink-view.js";
import { uplinkVlanSteps, vlanLinkOf, vlanNameOf } from "./uplink-vlan.js";
import type { LinkView } from "./view.js";

/** Everything that one link holds and that can be handed over. */
export interface Holdings {
  readonly addresses: readonly KernelAddress[];
  readonly routes: readonly KernelRoute[];
  readonly neighbours: readonly KernelNeighbour[];
}

export function holdingsOf(view: UplinkView, index: number | undefined): Holdings {
  const here = (one: number | undefined) => index !== undefined && one === index;
  return {
    addresses: view.addresses.filter((one) => here(one.header.index)),
    routes: view.routes.filter((route) => linksOf(route).some(here) && !isLinksOwn(route)),
    neighbours: view.neighbours.filter((one) => here(one.header.ifindex)),
  };
}

/** Routes that are not made by the kernel with an address. */
export function keysOf({ addresses, routes }: Holdings): { addresses: string[]; routes: string[] } {
  return {
    addresses: addresses.filter((one) => !isLinkLocal(one)).map(addressKey),
    routes: routes.filter((route) => !isConnected(route, addresses)).map(routeKey),
  };
}

const together = (a: readonly string[] = [], b: readonly string[]) => [...new Set([...a, ...b])];

function recordOf(
  wish: UplinkWish,
  view: UplinkView,
  port: { readonly name: string; readonly ifindex: number },
  bridge: LinkView | undefined,
  holdings: Holdings,
): UplinkRecord {
  const old = view.record?.uplink === port.name ? view.record : undefined;
  // What a killed run has made half is nobody's own.
  const there = bridge === undefined || isMark(bridge.group) ? undefined : bridge;
  const own = old?.own ?? {
    ...(there?.address === undefined ? {} : { mac: there.address }),
    addresses: holdingsOf(view, there?.index).addresses.map(addressKey),
    routes: keysOf(holdingsOf(view, there?.index)).routes,
    settings: there === undefined ? {} : Object.fromEntries(view.settings.map(({ key, is }) => [key, is])),
  };
  const now = keysOf(holdings);
  return {
    bridge: wish.name,
    uplink: port.name,
    ifindex: port.ifindex,
    ...(wish.vlan === undefined ? {} : { parent: wish.uplink }),
    own,
    moved: {
      addresses: together(old?.moved.addresses, now.addresses),
      routes: together(old?.moved.routes, now.routes),
    },
  };
}

function recordStep(b: PlanBuilder, context: BridgeContext, view: UplinkView, record: UplinkRecord): void {
  const content = formatUplinkRecord(record);
  if (view.record !== undefined && formatUplinkRecord(view.record) === content) return;
  b.add({
    id: "record",
    label: `record of what ${record.bridge} takes over from ${record.uplink}`,
    netns: "host",
    op: { op: "file", path: `${context.recordDir}/${uplinkRecordName(record.bridge)}`, content },
    undo: { builtin: "what was there before is written back" },
  });
}

function portUp(b: PlanBuilder, port: LinkView): void {
  if ((port.flags & ifFlags.IFF_UP) !== 0) return;
  b.add({
    id: "uplink.up",
    label: `${port.name} up`,
    netns: "host",
    op: { op: "netlink", message: setLink(port.index, {}, true) },
    undo: inverse("host", { op: "netlink", message: setLink(port.index, {}, false) }),
  });
}

/** From here on the bridge takes what comes in by the port, for its own addresses too. */
function enslave(b: PlanBuilder, bridge: LinkEnd, port: LinkEnd): void {
  b.add({
    id: "uplink.enslave",
    label: `${port.name} a port of ${bridge.name}`,
    netns: "host",
    op: { op: "netlink", message: setLink(port.index, { master: bridge.index }) },
    undo: inverse("host", { op: "netlink", message: setLink(port.index, { master: 0 }) }),
    hints: {
      EOPNOTSUPP:
        "a bridge cannot take a Wi-Fi NIC, whose access point takes frames of its own address alone: route to the guests instead",
      EBUSY:
        "macvlans or ipvlans take its frames, perhaps in guests (`pipework list`): a NIC carries those or is a bridge's port",
    },
  });
}

function warnOfManagers(b: PlanBuilder, view: UplinkView, port: string, bridge: string): void {
  for (const manager of view.managers)
    b.warn(
      `${manager} looks after ${port} and may take what is done here back: make ${bridge} known to it, or have it leave ${port} alone`,
    );
}

/** Whether nothing is left to be done. */
function holds(port: LinkView | undefined, bridge: LinkView | undefined, keys: ReturnType<typeof keysOf>): boolean {
  if (port === undefined || bridge === undefined || port.master !== bridge.index) return false;
  const up = (link: LinkView) => (link.flags & ifFlags.IFF_UP) !== 0;
  return (
    up(port) &&
    up(bridge) &&
    !isMark(bridge.group) &&
    !isMark(port.group) &&
    keys.addresses.length === 0 &&
    keys.routes.length === 0
  );
}

/**
 * A bridge takes a NIC's place: address, settings, addresses, routes; and the NIC becomes its port. The order is that
 * of Handover: nothing of the NIC's goes before the bridge has it, so packets flow all the time.
 */
export function planUplink(wish: UplinkWish, view: UplinkView, context: BridgeContext): Plan {
  const b = new PlanBuilder();
  const nic = checkNic(wish, view, linkOf(view, wish.uplink));
  const bridge = view.links.find((link) => link.name === wish.name);
  const port = wish.vlan === undefined ? nic : vlanLinkOf(view, nic, wish.vlan);
  const portName = wish.vlan === undefined ? nic.name : vlanNameOf(view, nic, wish.vlan);
  if (bridge !== undefined) {
    checkBridge(wish.name, bridge);
    checkOtherUplink(view, bridge, portName);
  }
  if (port !== undefined) checkMaster(view, port, bridge);
  const holdings = holdingsOf(view, port?.index);
  const finish = (outcome: Plan["outcome"]) =>
    b.finish({
      action: "bridge",
      guest: "the host",
      guestId: "host",
      ifname: wish.name,
      outcome,
      links: namesOf(view),
    });
  if (holds(port, bridge, keysOf(holdings))) return finish("unchanged");
  checkLifetimes(b, portName, wish.name, holdings.addresses, wish.force);
  checkNextHops(portName, holdings.routes);
  checkRules(b, portName, wish.name, view.rules, wish.force);
  warnOfManagers(b, view, portName, wish.name);

  recordStep(
    b,
    context,
    view,
    recordOf(wish, view, { name: portName, ifindex: port?.index ?? nic.index }, bridge, holdings),
  );
  const end: LinkEnd = wish.vlan === undefined ? nic : uplinkVlanSteps(b, context, view, nic, wish.vlan);
  const mac = port?.address ?? nic.address ?? "";
  const to: UplinkBridge =
    bridge === undefined ? bornBridge(b, context, wish.name, mac) : { index: bridge.index, name: bridge.name };
  const undo = to.birth === undefined ? builtin : { ownedBy: to.birth };
  // The host was never on a VLAN whose link is just made, or half made by a killed run: there are guests alone.
  if (port === undefined || isMark(port.group)) refuseAdvertisements(b, "bridge", wish.name, undo);
  else settingSteps(b, view.settings, undo);
  const handover =
    port === undefined
      ? undefined
      : new Handover(b, view, {
          from: port,
          to,
          ...(to.birth === undefined ? {} : { birth: to.birth }),
          ...holdings,
        });
  handover?.arriveLinkLocal();
  bridgeUp(b, to, bridge);
  handover?.arrive();
  if (bridge !== undefined) {
    const own = holdingsOf(view, bridge.index).addresses.some((one) => !isLinkLocal(one));
    bridgeAddress(b, bridge, mac, own ? view.notify : undefined);
  }
  if (wish.vlan === undefined) portUp(b, nic);
  if (port?.master === undefined) enslave(b, to, end);
  // A NIC without a cable has nothing that could be cut off.
  const hasCarrier = ({ flags }: LinkView) => (flags & ifFlags.IFF_LOWER_UP) !== 0;
  if (hasCarrier(port ?? nic) && (bridge === undefined || !hasCarrier(bridge))) awaitCarrier(b, to);
  handover?.turn();
  handover?.leaveRoutes();
  handover?.leaveAddresses();
  return finish(port?.master === undefined ? "bridged" : "completed");
}
