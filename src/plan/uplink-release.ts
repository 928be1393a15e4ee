import type { ReleaseWish } from "./bridge-wish.js";
import { inverse, PlanBuilder } from "./builder.js";
import { isMark } from "./context.js";
import { Handover } from "./handover.js";
import { addressFlagsOn, addressKey, addressOff, addressOn, isLinkLocal, isNear } from "./handover-address.js";
import { gatewayIn, hasGateway, isConnected, routeKey } from "./handover-route.js";
import { unsuitable } from "./kind.js";
import { deleteLink, setLink } from "./link-message.js";
import { parseAlias } from "./memory.js";
import type { Plan } from "./step.js";
import { holdingsOf } from "./uplink.js";
import { type BridgeContext, bridgeAddress, builtin, settingSteps } from "./uplink-bridge.js";
import { type UplinkRecord, uplinkRecordName } from "./uplink-record.js";
import { uplinkPort } from "./uplink-refusal.js";
import { type KernelAddress, type KernelRoute, namesOf, type UplinkView } from "./uplink-view.js";
import type { LinkView } from "./view.js";

/** A bridge of ours: made by an attach or for an uplink. */
export function isOwnBridge(bridge: LinkView): boolean {
  const parsed = parseAlias(bridge.alias);
  return (
    bridge.kind === "bridge" &&
    (isMark(bridge.group) || (parsed !== undefined && "made" in parsed && parsed.made === "bridge"))
  );
}

/** What becomes of what the bridge has. */
interface Parting {
  readonly going: readonly KernelAddress[];
  readonly routes: readonly KernelRoute[];
  /** Nothing is left that would need the bridge. */
  readonly ends: boolean;
}

function part(wish: ReleaseWish, view: UplinkView, record: UplinkRecord, bridge: LinkView, port: LinkView): Parting {
  const holdings = holdingsOf(view, bridge.index);
  const addresses = holdings.addresses.filter((one) => !isLinkLocal(one));
  const isOwn = (one: KernelAddress) => record.own.addresses.includes(addressKey(one));
  const staying = addresses.filter(isOwn);
  const going = addresses.filter((one) => !isOwn(one));
  const unknown = going.filter((one) => !record.moved.addresses.includes(addressKey(one)));
  if (unknown.length > 0 && !wish.force)
    throw unsuitable(
      `${bridge.name} has ${unknown.map(addressKey).join(" and ")}, which ${unknown.length === 1 ? "is" : "are"} not from ${port.name}`,
      `remove ${unknown.length === 1 ? "it" : "them"} first, or say --force to hand ${unknown.length === 1 ? "it" : "them"} to ${port.name} as well`,
    );
  const others = view.links.some((link) => link.master === bridge.index && link.index !== port.index);
  const ends = isOwnBridge(bridge) && !others && staying.length === 0;
  const routes = holdings.routes.filter((route) => {
    if (isConnected(route, staying)) return isConnected(route, going);
    if (record.own.routes.includes(routeKey(route))) return false;
    if (hasGateway(route)) return gatewayIn(route, going) || !gatewayIn(route, staying);
    return ends || isConnected(route, going) || record.moved.routes.includes(routeKey(route));
  });
  return { going, routes, ends };
}

function forget(b: PlanBuilder, context: BridgeContext, bridge: string): void {
  b.add({
    id: "forget",
    label: `record of the uplink of ${bridge} removed`,
    netns: "host",
    op: { op: "file", path: `${context.recordDir}/${uplinkRecordName(bridge)}`, content: null },
    undo: { builtin: "what was there before is written back" },
  });
}

/** The last step. Until then the mark says that the bridge is ours and going: a killed run leaves no record of it. */
function deleteBridge(b: PlanBuilder, bridge: LinkView): void {
  b.add({
    id: "bridge.delete",
    label: `bridge ${bridge.name} deleted`,
    netns: "host",
    op: { op: "reap", message: deleteLink(bridge.index), ifindex: bridge.index },
    undo: { none: "the last step" },
  });
}

function markBridge(b: PlanBuilder, context: BridgeContext, bridge: LinkView): void {
  if (isMark(bridge.group)) return;
  b.add({
    id: "bridge.mark",
    label: `bridge ${bridge.name} marked as ours and going`,
    netns: "host",
    op: { op: "netlink", message: setLink(bridge.index, { group: context.mark }) },
    undo: inverse("host", { op: "netlink", message: setLink(bridge.index, { group: bridge.group }) }),
  });
}

/** The link-local address that came with the NIC's MAC. */
function removeAddress(b: PlanBuilder, bridge: LinkView, address: KernelAddress): void {
  const key = addressKey(address);
  b.add({
    id: `address.own.${key}`,
    label: `address ${key} off ${bridge.name}`,
    netns: "host",
    op: { op: "netlink", message: addressOff(address, bridge), tolerate: ["EADDRNOTAVAIL"] },
    undo: inverse(
      "host",
      { op: "netlink", message: addressOn(address, bridge.name, bridge), tolerate: ["EEXIST"] },
      { op: "netlink", message: addressFlagsOn(address, bridge.name, bridge) },
    ),
  });
}

/** A bridge that stays is what it was before, or, when it was made for the uplink, one for guests. */
function restoreBridge(b: PlanBuilder, record: UplinkRecord, bridge: LinkView, view: UplinkView): void {
  const { mac, settings, addresses } = record.own;
  if (mac !== undefined) {
    for (const address of holdingsOf(view, bridge.index).addresses.filter(isLinkLocal)) {
      if (!addresses.includes(addressKey(address))) removeAddress(b, bridge, address);
    }
    bridgeAddress(b, bridge, mac, view.notify);
  }
  const back = Object.entries(settings).map(([key, value]) => ({ key, is: "", wanted: value }));
  // Behind it there are guests alone now, and none of them is to give the host a default route.
  const deaf = [{ key: `ipv6/conf/${bridge.name}/accept_ra`, is: "", wanted: "0" }];
  settingSteps(b, mac === undefined ? deaf : back, builtin);
}

function takePortOut(b: PlanBuilder, port: LinkView, bridge: LinkView): void {
  b.add({
    id: "uplink.free",
    label: `${port.name} no port of ${bridge.name} any more`,
    netns: "host",
    op: { op: "netlink", message: setLink(port.index, { master: 0 }) },
    undo: inverse("host", { op: "netlink", message: setLink(port.index, { master: bridge.index }) }),
  });
}

/** There is no record: never an uplink of ours, or one that was taken back, or a run that was killed in front of its last step. */
function withoutRecord(b: PlanBuilder, view: UplinkView, bridge: LinkView): "released" | "absent" {
  if (isMark(bridge.group) && !view.links.some((link) => link.master === bridge.index)) {
    deleteBridge(b, bridge);
    return "released";
  }
  const foreign = uplinkPort(view, bridge);
  if (foreign === undefined) return "absent";
  throw unsuitable(
    `${foreign.name} was not made the uplink of ${bridge.name} by pipework, and is not taken out of it`,
    `take it out yourself: ip link set ${foreign.name} nomaster`,
  );
}

/**
 * Takes an uplink back: addresses and routes return to the NIC, which leaves the bridge; the bridge goes when it is ours
 * and nobody needs it. What the NIC sends, it sends by itself before it leaves; what it gets, the bridge takes until then.
 */
export function planRelease(wish: ReleaseWish, view: UplinkView, context: BridgeContext): Plan {
  const b = new PlanBuilder();
  const finish = (outcome: Plan["outcome"]) =>
    b.finish({
      action: "release",
      guest: "the host",
      guestId: "host",
      ifname: wish.name,
      outcome,
      links: namesOf(view),
    });
  const { record } = view;
  const bridge = view.links.find((link) => link.name === wish.name);
  if (record === undefined) {
    return finish(bridge === undefined ? "absent" : withoutRecord(b, view, bridge));
  }
  const port = view.links.find((link) => link.index === record.ifindex && link.name === record.uplink);
  const named = port ?? view.links.find((link) => link.name === record.uplink);
  if (bridge === undefined || named === undefined) {
    b.warn(
      bridge === undefined
        ? `bridge ${wish.name} is gone, and with it what it had from ${record.uplink}`
        : `${record.uplink} is gone: what ${wish.name} had from it stays there`,
    );
    forget(b, context, wish.name);
    return finish("released");
  }
  if (named.master !== undefined && named.master !== bridge.index)
    throw unsuitable(
      `${named.name} is a port of another ${named.slaveKind ?? "link"} by now`,
      `take it out there, or remove ${context.recordDir}/${uplinkRecordName(wish.name)}`,
    );
  const { going, routes, ends } = part(wish, view, record, bridge, named);
  const neighbours = holdingsOf(view, bridge.index).neighbours.filter(({ attributes }) =>
    going.some((one) => attributes.dst !== undefined && isNear(one, attributes.dst)),
  );
  const handover = new Handover(b, view, { from: bridge, to: named, addresses: going, routes, neighbours });
  handover.arrive();
  handover.turn();
  handover.leaveRoutes();
  if (named.master === bridge.index) takePortOut(b, named, bridge);
  handover.leaveAddresses();
  if (ends) markBridge(b, context, bridge);
  else restoreBridge(b, record, bridge, view);
  forget(b, context, wish.name);
  if (ends) deleteBridge(b, bridge);
  return finish("released");
}
