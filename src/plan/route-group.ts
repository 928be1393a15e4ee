import type { RouteAttributes, RouteHeader } from "../iproute/route-draft.js";
import type { RouteReply } from "../iproute/route-view.js";
import { AF_INET6 } from "../netlink/family.js";
import type { NlmFlag } from "../netlink/message.js";
import type { MessageOf } from "../netlink/nouns.js";
import { rtaCacheinfo, rtnhFlags, rtScope } from "../netlink/route.js";
import { decodeHops, encodeHops } from "../netlink/route-hop.js";
import { decodeStruct } from "../netlink/struct.js";
import { Reader } from "../netlink/wire.js";
import { formatIp, ipBytes } from "../values/ipaddress.js";
import type { Operation } from "./step.js";

type RouteMessage = MessageOf<"route">;

/** IPv6 gives a route without a metric 1024 (IP6_RT_PRIO_USER, linux/ipv6_route.h); IPv4 gives it 0. */
const IP6_RT_PRIO_USER = 1024;

/** A route that is in the kernel, or will be when the steps before have been done: what makes it again. */
export interface KnownRoute {
  readonly header: RouteHeader;
  readonly attributes: RouteAttributes;
  /** The kernel may add to what the message says: a gateway's link, for instance. */
  readonly planned: boolean;
}

/** Where a route lies. */
export type Place = Pick<KnownRoute, "header" | "attributes">;

function masked(address: string | undefined, length: number): string {
  if (address === undefined || address === "") return "";
  const bytes = ipBytes(address).map((byte, i) => {
    const kept = Math.min(8, Math.max(0, length - i * 8));
    return byte & ~(0xff >> kept);
  });
  return formatIp(bytes);
}

/** All routes among which the kernel looks for the one to delete: of one table, destination, TOS and source. */
export function groupOf({ header: h, attributes: a }: Place): string {
  const table = a.table ?? h.table;
  const dst = `${masked(a.dst, h.dstLen ?? 0)}/${h.dstLen ?? 0}`;
  // IPv6 takes a TOS and does not look at it.
  if (h.family === AF_INET6) return `6 ${table} ${dst} ${masked(a.src, h.srcLen ?? 0)}/${h.srcLen ?? 0}`;
  return `4 ${table} ${dst} ${h.tos ?? 0}`;
}

export function metricOf({ header, attributes }: Place): number {
  const stated = attributes.priority ?? 0;
  return stated === 0 && header.family === AF_INET6 ? IP6_RT_PRIO_USER : stated;
}

/** A route that a message will make. */
export function plannedRoute({ header, attributes }: RouteMessage): KnownRoute {
  const metric = metricOf({ header, attributes });
  return { header, attributes: metric === 0 ? attributes : { ...attributes, priority: metric }, planned: true };
}

/** USER_HZ, the unit of lifetimes in replies. */
const USER_HZ = 100;

/** What the kernel reports of a route as it takes it: without states, counters, and hops that a next hop object has. */
export function knownRoute({ header, attributes }: RouteReply): KnownRoute {
  const { cacheinfo, unknown: _, expires: __, ...a } = attributes;
  const left = cacheinfo === undefined ? 0 : decodeStruct(new Reader(cacheinfo), rtaCacheinfo).expires;
  const { oif, gateway, via, multipath, encap, encapType, ...rest } = a;
  const path = {
    ...(oif === undefined ? {} : { oif }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(via === undefined ? {} : { via }),
    ...(multipath === undefined ? {} : { multipath: withoutStates(multipath) }),
    ...(encap === undefined ? {} : { encap, encapType }),
  };
  return {
    header: { ...header, flags: header.flags & rtnhFlags.RTNH_F_ONLINK },
    attributes: {
      ...rest,
      ...(a.nhId === undefined ? path : {}),
      ...(left > 0 ? { expires: Math.ceil(left / USER_HZ) } : {}),
    },
    planned: false,
  };
}

function withoutStates(multipath: Uint8Array): Uint8Array {
  return encodeHops(decodeHops(multipath).map((hop) => ({ ...hop, flags: hop.flags & rtnhFlags.RTNH_F_ONLINK })));
}

function netlink(message: RouteMessage, tolerate?: readonly string[]): Operation {
  return { op: "netlink", message, ...(tolerate === undefined ? {} : { tolerate }) };
}

function make({ header, attributes }: KnownRoute, flags: readonly NlmFlag[]): Operation {
  return netlink({ noun: "route", type: "RTM_NEWROUTE", flags, header, attributes });
}

/** Deletes this very route. */
export function deleteOf({ header, attributes }: KnownRoute): RouteMessage {
  const { flags: _, ...rest } = header;
  return { noun: "route", type: "RTM_DELROUTE", header: rest, attributes };
}

/** Deletes the first route of that place, whatever it is; IPv6 takes all next hops of it. */
function deleteFirst({ header: h, attributes: a }: KnownRoute, metric: number | undefined): Operation {
  const { table, dst, src } = a;
  const inet6 = h.family === AF_INET6;
  const message: RouteMessage = {
    noun: "route",
    type: "RTM_DELROUTE",
    header: {
      family: h.family,
      dstLen: h.dstLen,
      srcLen: h.srcLen,
      ...(inet6 ? {} : { tos: h.tos }),
      table: h.table,
      scope: rtScope.RT_SCOPE_NOWHERE,
    },
    attributes: {
      ...(table === undefined ? {} : { table }),
      ...(dst === undefined ? {} : { dst }),
      ...(src === undefined ? {} : { src }),
      ...(metric === undefined ? {} : { priority: metric }),
    },
  };
  // What was added to an IPv6 route that was there may have become one route with it.
  return netlink(message, inet6 ? ["ESRCH"] : undefined);
}

/**
 * Whatever is in the place goes, and what was there comes again in its order. For a moment the place is empty, so this is
 * for undoing what has no inverse of its own.
 */
function restore(before: readonly KnownRoute[], count: number, place: KnownRoute, metric?: number): Operation[] {
  return [
    ...Array.from({ length: count }, () => deleteFirst(place, metric)),
    ...before.map((one) => make(one, ["NLM_F_CREATE", "NLM_F_APPEND"])),
  ];
}

const inet6 = ({ header }: KnownRoute) => header.family === AF_INET6;

/** Whether a delete that states next hop and device can mean only this one of the routes. */
function standsOut(one: KnownRoute, others: readonly KnownRoute[]): boolean {
  const hop = ({ attributes: a }: KnownRoute) => [a.gateway, a.oif] as const;
  const [gateway, oif] = hop(one);
  const { multipath, via, nhId, encap } = one.attributes;
  if (multipath !== undefined || via !== undefined || nhId !== undefined || encap !== undefined) return false;
  if (gateway === undefined && (oif === undefined || others.some((other) => other.planned))) return false;
  return others.every((other) => {
    const [theirs, link] = hop(other);
    if (other.attributes.multipath !== undefined || other.attributes.nhId !== undefined) return false;
    return gateway === undefined ? link !== undefined && link !== oif : theirs !== gateway;
  });
}

/** Undoes the making of the last, or the first, of the routes with its metric. */
export function undoMade(made: KnownRoute, before: readonly KnownRoute[]): Operation[] {
  if (before.length === 0 || standsOut(made, before))
    return [netlink(deleteOf(made), inet6(made) ? ["ESRCH"] : undefined)];
  return restore(before, before.length + (inet6(made) ? hopCount(made) : 1), made, metricOf(made));
}

function hopCount({ attributes }: KnownRoute): number {
  const { multipath } = attributes;
  return multipath instanceof Uint8Array ? decodeHops(multipath).length : 1;
}

/** Undoes a replacement of the first of the routes of that metric. */
export function undoReplaced(made: KnownRoute, before: readonly KnownRoute[]): Operation[] {
  const [old] = before;
  if (old === undefined) return undoMade(made, before);
  const simple = !inet6(made) || (before.length === 1 && made.attributes.multipath === undefined && alike(made, old));
  if (simple) return [make(old, ["NLM_F_CREATE", "NLM_F_REPLACE"])];
  return restore(before, before.length + hopCount(made), made, metricOf(made));
}

/** IPv6 replaces a route with a gateway by one with a gateway, and one without by one without. */
function alike(a: KnownRoute, b: KnownRoute): boolean {
  const gateway = ({ attributes }: KnownRoute) =>
    attributes.gateway !== undefined || attributes.multipath !== undefined;
  return gateway(a) === gateway(b);
}

/** Undoes the removal of the route at that place among those of its metric. */
export function undoRemoved(before: readonly KnownRoute[], index: number): Operation[] {
  const old = before[index] as KnownRoute;
  if (index === before.length - 1) return [make(old, ["NLM_F_CREATE", "NLM_F_APPEND"])];
  // Without NLM_F_APPEND IPv4 puts a route before those of its metric; IPv6 always behind them.
  if (index === 0 && !inet6(old)) return [make(old, ["NLM_F_CREATE"])];
  return restore(before, before.length - 1, old, metricOf(old));
}

/** Undoes the removal of one of a group, whichever it was, or of one next hop of a route in it. */
export function undoRemovedOne(before: readonly KnownRoute[]): Operation[] {
  const [place] = before;
  if (place === undefined) return [];
  return restore(before, inet6(place) ? before.length : before.length - 1, place);
}
