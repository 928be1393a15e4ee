import { ifaFlags } from "../netlink/address.js";
import { AF_INET6 } from "../netlink/family.js";
import type { NlmFlag } from "../netlink/message.js";
import { hopLinks, hopsThrough } from "../netlink/nexthops.js";
import { rtmFlags, rtnhFlags, rtnType, rtProt, rtTable } from "../netlink/route.js";
import { Reader } from "../netlink/wire.js";
import { parseNetwork } from "../values/prefix.js";
import { flagsOf, isInet6, isNear, ownAddress } from "./handover-address.js";
import type { RouteMessage } from "./route-message.js";
import type { KernelAddress, KernelRoute, LinkEnd } from "./uplink-view.js";

/** Metric of the route to an address's own subnet (IP6_RT_PRIO_ADDRCONF, net/ip6_route.h); IPv4 gives it 0. */
const IP6_RT_PRIO_ADDRCONF = 256;

/** Where rta_expires lies in struct rta_cacheinfo (linux/rtnetlink.h): IPv6 tells lifetimes there, in 1/100 s (USER_HZ). */
const RTA_EXPIRES_AT = 8;

export function tableOf({ header, attributes }: KernelRoute): number {
  return attributes.table ?? header.table;
}

/** The links that a route leads through. */
export function linksOf({ attributes }: KernelRoute): number[] {
  const { oif, multipath } = attributes;
  return [...(oif === undefined ? [] : [oif]), ...(multipath === undefined ? [] : hopLinks(multipath))];
}

/** Has next hops, whose addresses must be reachable on their link before the route can be there. */
export function hasGateway({ attributes }: KernelRoute): boolean {
  return attributes.gateway !== undefined || attributes.via !== undefined || attributes.multipath !== undefined;
}

function destination({ header, attributes }: KernelRoute): string {
  const dst = attributes.dst === undefined ? "default" : `${attributes.dst}/${header.dstLen}`;
  return attributes.src === undefined ? dst : `${dst} from ${attributes.src}/${header.srcLen}`;
}

/** Routes with the same place are alternatives: the first of them is taken. */
export function placeOf(route: KernelRoute): string {
  const { header, attributes } = route;
  return [header.family, tableOf(route), destination(route), header.tos, attributes.priority ?? 0].join(" ");
}

/** What makes a route the same through another link and another gateway. */
export function routeKey(route: KernelRoute): string {
  return `${placeOf(route)} ${route.header.type}`;
}

/** For people. */
export function routeText(route: KernelRoute): string {
  const { header, attributes } = route;
  const table = tableOf(route);
  const type = Object.entries(rtnType).find(([, number]) => number === header.type)?.[0];
  return [
    header.type === rtnType.RTN_UNICAST ? "" : (type ?? "").slice("RTN_".length).toLowerCase(),
    attributes.dst === undefined && header.family === AF_INET6 ? "default (IPv6)" : destination(route),
    attributes.gateway === undefined ? "" : `via ${attributes.gateway}`,
    attributes.multipath === undefined ? "" : "over several hops",
    table === rtTable.RT_TABLE_MAIN ? "" : `in table ${table}`,
  ]
    .filter((word) => word !== "")
    .join(" ");
}

function networkOf(address: KernelAddress): string {
  const far = address.attributes.address ?? ownAddress(address);
  return `${parseNetwork(`${far}/${address.header.prefixlen}`).network}/${address.header.prefixlen}`;
}

/** The route to an address's own subnet, which the kernel makes and removes with the address. */
export function isConnected(route: KernelRoute, addresses: readonly KernelAddress[]): boolean {
  const { header, attributes } = route;
  if (header.protocol !== rtProt.RTPROT_KERNEL || hasGateway(route) || attributes.dst === undefined) return false;
  const there = `${attributes.dst}/${header.dstLen}`;
  return addresses.some(
    (one) =>
      one.header.family === header.family &&
      (flagsOf(one) & ifaFlags.IFA_F_NOPREFIXROUTE) === 0 &&
      (attributes.priority ?? 0) === (one.attributes.rtPriority ?? (isInet6(one) ? IP6_RT_PRIO_ADDRCONF : 0)) &&
      networkOf(one) === there,
  );
}

/** The route to the broadcast address of an address's subnet, which comes and goes with it as well. */
export function isBroadcast({ header, attributes }: KernelRoute, addresses: readonly KernelAddress[]): boolean {
  const { dst } = attributes;
  if (header.type !== rtnType.RTN_BROADCAST || header.protocol !== rtProt.RTPROT_KERNEL || dst === undefined)
    return false;
  return addresses.some((one) => one.header.family === header.family && isNear(one, dst));
}

/** What every IPv6 link has: fe80::/64 and multicast; and in the table "local" what comes with addresses. */
export function isLinksOwn(route: KernelRoute): boolean {
  const { header, attributes } = route;
  if ((header.flags & rtmFlags.RTM_F_CLONED) !== 0) return true;
  if (header.protocol !== rtProt.RTPROT_KERNEL) return false;
  return tableOf(route) === rtTable.RT_TABLE_LOCAL || (attributes.dst === "fe80::" && header.family === AF_INET6);
}

/** Whether a route's gateway lies in the subnet of one of these addresses. */
export function gatewayIn({ attributes }: KernelRoute, addresses: readonly KernelAddress[]): boolean {
  const { gateway } = attributes;
  if (gateway === undefined) return false;
  return addresses.some((one) => isNear(one, gateway));
}

function secondsLeft({ attributes }: KernelRoute): number | undefined {
  const { cacheinfo, expires } = attributes;
  if (expires !== undefined) return expires;
  if (cacheinfo === undefined || cacheinfo.length < RTA_EXPIRES_AT + 4) return undefined;
  const left = new Reader(cacheinfo).s32(RTA_EXPIRES_AT);
  return left > 0 ? Math.max(1, Math.floor(left / 100)) : undefined;
}

function message(
  type: "RTM_NEWROUTE" | "RTM_DELROUTE",
  route: KernelRoute,
  from: number,
  to: LinkEnd["index"],
  flags: readonly NlmFlag[],
): RouteMessage {
  const { header, attributes } = route;
  const { cacheinfo: _, expires: __, oif, multipath, ...rest } = attributes;
  const expires = type === "RTM_NEWROUTE" ? secondsLeft(route) : undefined;
  return {
    noun: "route",
    type,
    ...(flags.length === 0 ? {} : { flags }),
    header: { ...header, flags: header.flags & rtnhFlags.RTNH_F_ONLINK },
    attributes: {
      ...rest,
      ...(oif === undefined ? {} : { oif: oif === from ? to : oif }),
      ...(multipath === undefined ? {} : { multipath: hopsThrough(multipath, from, to, rtnhFlags.RTNH_F_ONLINK) }),
      ...(expires === undefined ? {} : { expires }),
    },
  };
}

/** The same route through another link, in the place of the first of its alternatives. */
export function routeInPlace(route: KernelRoute, from: number, to: LinkEnd["index"]): RouteMessage {
  return message("RTM_NEWROUTE", route, from, to, ["NLM_F_CREATE", "NLM_F_REPLACE"]);
}

/** The same route through another link, behind its alternatives. */
export function routeBehind(route: KernelRoute, from: number, to: LinkEnd["index"]): RouteMessage {
  return message("RTM_NEWROUTE", route, from, to, ["NLM_F_CREATE", "NLM_F_APPEND"]);
}

export function routeOff(route: KernelRoute, from: number, to: LinkEnd["index"]): RouteMessage {
  return message("RTM_DELROUTE", route, from, to, []);
}

/** Equal for two routes that differ in nothing but that one leads through `a` and the other through `b`. */
export function sameThrough(one: KernelRoute, a: number, other: KernelRoute, b: number): boolean {
  const plain = (route: KernelRoute, index: number) => {
    const { expires: _, ...attributes } = message("RTM_DELROUTE", route, index, 0, []).attributes;
    return JSON.stringify([
      route.header.flags & rtnhFlags.RTNH_F_ONLINK,
      routeKey(route),
      Object.entries(attributes).sort(),
    ]);
  };
  return plain(one, a) === plain(other, b);
}
