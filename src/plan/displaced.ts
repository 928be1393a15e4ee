import type { Family } from "../netlink/family.js";
import { decodeMessage } from "../netlink/message.js";
import { route, rtnhFlags, rtProt } from "../netlink/route.js";
import { align, Reader } from "../netlink/wire.js";
import { PipeworkError } from "../values/error.js";
import { inverse, type PlanBuilder } from "./builder.js";
import type { PlanContext } from "./context.js";
import { setLink } from "./link-message.js";
import {
  type DisplacedRoute,
  displacedRoute,
  type Memory,
  type MemoryHolder,
  memoryAlias,
  memoryRecord,
  recordName,
} from "./memory.js";
import { type RouteMessage, replaceRoute } from "./route-message.js";
import type { RouteView } from "./view.js";

/** The message that puts a displaced default route back in place of the one that has its metric now. */
export function restoreRoute(displaced: DisplacedRoute): RouteMessage {
  if (displaced.raw === undefined) {
    const { family, ifindex, via, metric, protocol, scope, onlink, prefsrc } = displaced;
    return replaceRoute({
      family,
      oif: ifindex,
      ...(via === undefined ? {} : { via }),
      metric,
      protocol,
      scope,
      ...(onlink === undefined ? {} : { onlink }),
      ...(prefsrc === undefined ? {} : { prefsrc }),
    });
  }
  return { noun: "route", type: "RTM_NEWROUTE", flags: ["NLM_F_CREATE", "NLM_F_REPLACE"], ...sentRoute(displaced.raw) };
}

/** A message in hex, as records hold it. */
export function fromHex(text: string): Reader {
  return new Reader(Uint8Array.from(text.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16)));
}

/** Header and attributes that make a route again, from the message in hex by which the kernel reported it. */
export function sentRoute(raw: string): Pick<RouteMessage, "header" | "attributes"> {
  const { header, attributes } = decodeMessage(route, fromHex(raw));
  // What the kernel reports and does not take: usage counters, a lifetime that has gone on, unknown attributes.
  const { cacheinfo: _, unknown: __, expires: ___, ...reported } = attributes;
  const { oif, gateway, via, multipath, ...rest } = reported;
  const hops = {
    ...(oif === undefined ? {} : { oif }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(via === undefined ? {} : { via }),
    ...(multipath === undefined ? {} : { multipath: withoutHopStates(multipath) }),
  };
  return {
    header: { ...header, flags: header.flags & rtnhFlags.RTNH_F_ONLINK },
    // Where a next hop object is named, the kernel reports its hops as well and takes only its id.
    attributes: rest.nhId === undefined ? { ...rest, ...hops } : rest,
  };
}

/** struct rtnexthop, linux/rtnetlink.h: length, flags, weight, ifindex, then attributes. */
const RTNH_FLAGS = 2;

/** Next hops of a multipath route without what the kernel says of their state (dead, link down), which it does not take. */
function withoutHopStates(multipath: Uint8Array): Uint8Array {
  const hops = multipath.slice();
  const reader = new Reader(hops);
  for (let at = 0; at + 8 <= hops.length; ) {
    hops[at + RTNH_FLAGS] = reader.u8(at + RTNH_FLAGS) & rtnhFlags.RTNH_F_ONLINK;
    const length = reader.u16(at);
    if (length < 8) break;
    at += align(length);
  }
  return hops;
}

/** The message that takes away again what restoreRoute put in a place that was empty. */
export function unrestoreRoute(displaced: DisplacedRoute): RouteMessage {
  const { flags: _, ...message } = restoreRoute(displaced);
  return { ...message, type: "RTM_DELROUTE" };
}

export function defaultsOf(routes: readonly RouteView[], family: Family, metric: number): RouteView[] {
  return routes.filter(
    (r) =>
      r.family === family && r.dstLen === 0 && r.tos === 0 && r.metric === metric && r.protocol !== rtProt.RTPROT_RA,
  );
}

/** The default route through a link that a family has now, RA's left out; of that metric, where one is given. */
export function ownDefault(
  routes: readonly RouteView[],
  family: Family,
  index: number,
  metric?: number,
): RouteView | undefined {
  return routes.find(
    (r) =>
      r.family === family &&
      r.dstLen === 0 &&
      r.oif === index &&
      r.protocol !== rtProt.RTPROT_RA &&
      (metric === undefined || r.metric === metric),
  );
}

/** IPv6 gives a route without a metric 1024 (IP6_RT_PRIO_USER, linux/ipv6_route.h); IPv4 gives it 0. */
const IP6_RT_PRIO_USER = 1024;

/**
 * The metric of the default route to install. A default learned by router advertisement has 1024 as well and is not
 * ours to displace: then ours goes before it.
 */
export function defaultMetric(family: Family, wished: number | undefined, routes: readonly RouteView[]): number {
  if (family === "inet") return wished ?? 0;
  const learned = (metric: number) =>
    routes.some(
      (r) => r.family === "inet6" && r.dstLen === 0 && r.protocol === rtProt.RTPROT_RA && r.metric === metric,
    );
  if (wished !== undefined && wished !== 0) {
    if (!learned(wished)) return wished;
    throw new PipeworkError({
      code: "invalid-request",
      message: `metric ${wished} is that of a default route learned by router advertisement, which is not displaced`,
      hint: "choose a lower metric, or leave it out",
    });
  }
  let metric = IP6_RT_PRIO_USER;
  while (metric > 1 && learned(metric)) metric /= 2;
  return metric;
}

export function describeRoute(family: Family, via: string | undefined, dev: string): string {
  return `${family === "inet" ? "IPv4" : "IPv6"} default route${via === undefined ? "" : ` via ${via}`} on ${dev}`;
}

export function memoryOf(routeView: RouteView, names: ReadonlyMap<number, string>): DisplacedRoute {
  return displacedRoute(routeView, names.get(routeView.oif ?? 0) ?? `if${routeView.oif ?? 0}`);
}

/** One order, so that the same memory always is the same text. */
export function inOrder(displaced: readonly DisplacedRoute[]): DisplacedRoute[] {
  return [...displaced].sort((a, b) => (a.family < b.family ? -1 : 1));
}

/** Rewrites what is remembered of an attachment; undone by writing the old memory back. */
export function rememberStep(
  b: PlanBuilder,
  context: PlanContext,
  id: string,
  holder: MemoryHolder,
  displaced: readonly DisplacedRoute[],
): void {
  const memory: Memory = { ...holder.memory, displaced: inOrder(displaced) };
  const label = `what ${memory.ifname} displaces, remembered anew`;
  const fileAt = (name: string) => `${context.recordDir}/${name}`;
  if (holder.hostEnd === undefined) {
    b.add({
      id,
      label,
      netns: "host",
      op: { op: "file", path: fileAt(recordName(memory.guest, memory.ifname)), content: memoryRecord(memory) },
      undo: { builtin: "what was there before is written back" },
    });
    return;
  }
  const { alias, record } = memoryAlias(memory);
  if (record !== undefined) {
    b.add({
      id: `${id}-record`,
      label,
      netns: "host",
      op: { op: "file", path: fileAt(record.name), content: record.content },
      undo: { builtin: "what was there before is written back" },
    });
  }
  b.add({
    id,
    label,
    netns: "host",
    op: { op: "netlink", message: setLink(holder.hostEnd.index, { ifalias: alias }) },
    undo: inverse("host", {
      op: "netlink",
      message: setLink(holder.hostEnd.index, { ifalias: holder.hostEnd.alias ?? "" }),
    }),
  });
}
