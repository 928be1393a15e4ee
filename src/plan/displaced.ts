import type { Family } from "../netlink/family.js";
import { decodeMessage } from "../netlink/message.js";
import { route, rtnType, rtProt } from "../netlink/route.js";
import { Reader } from "../netlink/wire.js";
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
  const bytes = Uint8Array.from(displaced.raw.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16));
  const { header, attributes } = decodeMessage(route, new Reader(bytes));
  // What the kernel reports and does not take: usage counters, unknown attributes.
  const { cacheinfo: _, unknown: __, ...rest } = attributes;
  return {
    noun: "route",
    type: "RTM_NEWROUTE",
    flags: ["NLM_F_CREATE", "NLM_F_REPLACE"],
    header: { ...header, flags: header.flags & ~0x10 },
    attributes: rest,
  };
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

/** IPv6 gives a route without a metric 1024 (IP6_RT_PRIO_USER, linux/ipv6_route.h); IPv4 gives it 0. */
const IP6_RT_PRIO_USER = 1024;

/**
 * The metric of the default route to install. A default learned by router advertisement has 1024 as well and is not
 * ours to displace: then ours goes before it.
 */
export function defaultMetric(family: Family, wished: number | undefined, routes: readonly RouteView[]): number {
  if (family === "inet") return wished ?? 0;
  if (wished !== undefined && wished !== 0) return wished;
  const learned = routes.some(
    (r) => r.family === "inet6" && r.dstLen === 0 && r.protocol === rtProt.RTPROT_RA && r.metric === IP6_RT_PRIO_USER,
  );
  return learned ? IP6_RT_PRIO_USER / 2 : IP6_RT_PRIO_USER;
}

export function describeRoute(family: Family, via: string | undefined, dev: string): string {
  return `${family === "inet" ? "IPv4" : "IPv6"} default route${via === undefined ? "" : ` via ${via}`} on ${dev}`;
}

export function memoryOf(routeView: RouteView, names: ReadonlyMap<number, string>): DisplacedRoute {
  return displacedRoute(routeView, names.get(routeView.oif ?? 0) ?? `if${routeView.oif ?? 0}`);
}

export function isUnicast(routeView: RouteView): boolean {
  return routeView.type === rtnType.RTN_UNICAST;
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
