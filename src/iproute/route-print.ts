import { AF_INET } from "../netlink/family.js";
import {
  routerPref,
  rtaCacheinfo,
  rtcfFlags,
  rtmFlags,
  rtnhFlags,
  rtnType,
  rtProt,
  rtScope,
  rtTable,
} from "../netlink/route.js";
import { decodeHops } from "../netlink/route-hop.js";
import { decodeVia } from "../netlink/route-via.js";
import { decodeStruct } from "../netlink/struct.js";
import { Reader } from "../netlink/wire.js";
import type { ShowContext } from "./context.js";
import { deviceName } from "./device.js";
import { printEncap } from "./encap-print.js";
import { dsfieldText, protocolText, realmText, scopeText, tableText, typeText } from "./name-print.js";
import { Printout } from "./printout.js";
import { BOTH_REALMS, type ResolvedFilter } from "./route-filter.js";
import { printMetrics } from "./route-metric-print.js";
import { type RouteReply, tableOf } from "./route-view.js";

/** What a filter fixes is not repeated in each line. */
export type ShownFilter = Pick<
  ResolvedFilter,
  "table" | "tos" | "protocol" | "scope" | "metric" | "realm" | "oif" | "iifIndex" | "via" | "prefsrc"
>;

const bitsOf = (family: number) => (family === AF_INET ? 32 : 128);

function prefixText(family: number, length: number, address: string | undefined): string {
  if (address !== undefined && address !== "") return length === bitsOf(family) ? address : `${address}/${length}`;
  return `0/${length}`;
}

/** Flags of a route or a next hop, in iproute2's order. */
const flagNames: readonly (readonly [number, string])[] = [
  [rtnhFlags.RTNH_F_DEAD, "dead"],
  [rtnhFlags.RTNH_F_ONLINK, "onlink"],
  [rtnhFlags.RTNH_F_PERVASIVE, "pervasive"],
  [rtnhFlags.RTNH_F_OFFLOAD, "offload"],
  [rtnhFlags.RTNH_F_TRAP, "trap"],
  [rtmFlags.RTM_F_NOTIFY, "notify"],
  [rtnhFlags.RTNH_F_LINKDOWN, "linkdown"],
  [rtnhFlags.RTNH_F_UNRESOLVED, "unresolved"],
  [rtmFlags.RTM_F_OFFLOAD, "rt_offload"],
  [rtmFlags.RTM_F_TRAP, "rt_trap"],
  [rtmFlags.RTM_F_OFFLOAD_FAILED, "rt_offload_failed"],
];

function printFlags(out: Printout, flags: number): void {
  const found = flagNames.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  out.put("flags", { list: found }, found.map((name) => `${name} `).join(""));
}

/** What the kernel says of a route it has resolved, in iproute2's order. */
const cacheFlags: readonly (readonly [number, string])[] = [
  [rtcfFlags.RTCF_LOCAL, "local"],
  [rtcfFlags.RTCF_REJECT, "reject"],
  [rtcfFlags.RTCF_MULTICAST, "mc"],
  [rtcfFlags.RTCF_BROADCAST, "brd"],
  [rtcfFlags.RTCF_DNAT, "dst-nat"],
  [rtcfFlags.RTCF_SNAT, "src-nat"],
  [rtcfFlags.RTCF_MASQ, "masq"],
  [rtcfFlags.RTCF_DIRECTDST, "dst-direct"],
  [rtcfFlags.RTCF_DIRECTSRC, "src-direct"],
  [rtcfFlags.RTCF_REDIRECTED, "redirected"],
  [rtcfFlags.RTCF_DOREDIRECT, "redirect"],
  [rtcfFlags.RTCF_FAST, "fastroute"],
  [rtcfFlags.RTCF_NOTIFY, "notify"],
  [rtcfFlags.RTCF_TPROXY, "proxy"],
];
const CACHE_FLAGS = 0xffff0000;

function printCacheFlags(out: Printout, flags: number, lineBreak: string): void {
  let rest = (flags & CACHE_FLAGS) >>> 0;
  const found: string[] = [];
  for (const [bit, name] of cacheFlags) {
    if ((rest & bit) === 0) continue;
    found.push(name);
    rest = (rest & ~bit) >>> 0;
  }
  if (rest !== 0) found.push(rest.toString(16));
  out.put("cache", { list: found }, `${lineBreak}    cache ${found.length === 0 ? "" : `<${found.join(",")}> `}`);
}

/** Hundredths of a second. */
const USER_HZ = 100;

function printCacheinfo(out: Printout, payload: Uint8Array, stats: boolean): void {
  const info = decodeStruct(new Reader(payload), rtaCacheinfo);
  const { expires, error, clntref, used, lastuse, id } = info;
  if (expires !== 0) {
    const seconds = Math.trunc(expires / USER_HZ);
    out.put("expires", seconds, `expires ${seconds}sec `);
  }
  if (error !== 0) out.put("error", error, `error ${error} `);
  if (stats) {
    if (clntref !== 0) out.put("users", clntref, `users ${clntref} `);
    if (used !== 0) out.put("used", used, `used ${used} `);
    if (lastuse !== 0) {
      const seconds = Math.trunc(lastuse / USER_HZ);
      out.put("age", seconds, `age ${seconds}sec `);
    }
  }
  if (id !== 0) out.put("ipid", id, `ipid 0x${id.toString(16).padStart(4, "0")} `);
}

function printFlow(out: Printout, flow: number, context: ShowContext): void {
  const from = flow >>> 16;
  const to = realmText(flow & 0xffff, context);
  const fields: [string, string][] = [["to", to]];
  if (from !== 0) fields.unshift(["from", realmText(from, context)]);
  out.put("flow", { fields }, from === 0 ? `realm ${to} ` : `realms ${realmText(from, context)}/${to} `);
}

function printVia(out: Printout, payload: Uint8Array): void {
  const { family, address } = decodeVia(payload);
  const name = family === AF_INET ? "inet" : "inet6";
  out.put(
    "via",
    {
      fields: [
        ["family", name],
        ["host", address],
      ],
    },
    `via ${name} ${address} `,
  );
}

const prefNames: Readonly<Record<number, string>> = {
  [routerPref.ICMPV6_ROUTER_PREF_LOW]: "low",
  [routerPref.ICMPV6_ROUTER_PREF_MEDIUM]: "medium",
  [routerPref.ICMPV6_ROUTER_PREF_HIGH]: "high",
};

function printHops(out: Printout, payload: Uint8Array, context: ShowContext, lineBreak: string): void {
  const hops = decodeHops(payload).map(({ attributes: a, flags, ifindex, weight }) => {
    const hop = new Printout();
    hop.say(`${lineBreak}\tnexthop `);
    if (a.encap !== undefined) printEncap(hop, a.encapType ?? 0, a.encap);
    if (a.newdst !== undefined) hop.put("to", a.newdst, `as to ${a.newdst} `);
    if (a.gateway !== undefined) hop.put("gateway", a.gateway, `via ${a.gateway} `);
    if (a.via !== undefined) printVia(hop, a.via);
    if (a.flow !== undefined) printFlow(hop, a.flow, context);
    const name = deviceName(ifindex, context.devices);
    hop.put("dev", name, `dev ${name} `);
    hop.put("weight", weight, `weight ${weight} `);
    printFlags(hop, flags);
    return hop;
  });
  out.put("nexthops", { list: hops.map(({ json }) => json) }, hops.map(({ text }) => text).join(""));
}

/** Where packets go: tunnel, TOS, next hop, gateway, device. */
function printPath(
  out: Printout,
  { header: h, attributes: a }: RouteReply,
  context: ShowContext,
  filter: ShownFilter,
): void {
  if (a.newdst !== undefined) out.put("to", a.newdst, `as to ${a.newdst} `);
  if (a.encap !== undefined) printEncap(out, a.encapType ?? 0, a.encap);
  if (h.tos !== 0 && filter.tos === undefined) {
    const tos = dsfieldText(h.tos, context);
    out.put("tos", tos, `tos ${tos} `);
  }
  if (a.nhId !== undefined) out.put("nhid", a.nhId, `nhid ${a.nhId} `);
  const viaShown = filter.via === undefined || filter.via.prefixlen !== bitsOf(h.family);
  if (a.gateway !== undefined && viaShown) out.put("gateway", a.gateway, `via ${a.gateway} `);
  if (a.via !== undefined && viaShown) printVia(out, a.via);
  if (a.oif !== undefined && filter.oif === undefined) {
    const name = deviceName(a.oif, context.devices);
    out.put("dev", name, `dev ${name} `);
  }
}

/** What a route is filed under: table, protocol, scope, source, metric. */
function printPlace(out: Printout, reply: RouteReply, context: ShowContext, filter: ShownFilter): void {
  const { header: h, attributes: a } = reply;
  const { details } = context.options;
  const table = tableOf(reply);
  const cloned = (h.flags & rtmFlags.RTM_F_CLONED) !== 0;
  if (table !== rtTable.RT_TABLE_UNSPEC && (table !== rtTable.RT_TABLE_MAIN || details) && filter.table === 0) {
    const name = tableText(table, context);
    out.put("table", name, `table ${name} `);
  }
  if (!cloned && (h.protocol !== rtProt.RTPROT_BOOT || details) && filter.protocol === undefined) {
    const name = protocolText(h.protocol, context);
    out.put("protocol", name, `proto ${name} `);
  }
  if (!cloned && (h.scope !== rtScope.RT_SCOPE_UNIVERSE || details) && filter.scope === undefined) {
    const name = scopeText(h.scope, context);
    out.put("scope", name, `scope ${name} `);
  }
  if (a.prefsrc !== undefined && (filter.prefsrc === undefined || filter.prefsrc.prefixlen !== bitsOf(h.family)))
    out.put("prefsrc", a.prefsrc, `src ${a.prefsrc} `);
  if (a.priority !== undefined && filter.metric === undefined) out.put("metric", a.priority, `metric ${a.priority} `);
}

/** One route as `ip route` shows it, without the newline. */
export function printRoute(reply: RouteReply, context: ShowContext, filter: ShownFilter): Printout {
  const { header: h, attributes: a } = reply;
  const { details, oneline, stats } = context.options;
  const lineBreak = oneline ? "\\" : "\n";
  const out = new Printout();
  if (h.type !== rtnType.RTN_UNICAST || details) {
    const type = typeText(h.type, context);
    out.put("type", type, `${type} `);
  }
  const dst = a.dst !== undefined || h.dstLen !== 0 ? prefixText(h.family, h.dstLen, a.dst) : "default";
  out.put("dst", dst, `${dst} `);
  if (a.src !== undefined || h.srcLen !== 0) {
    const src = prefixText(h.family, h.srcLen, a.src);
    out.put("from", src, `from ${src} `);
  }
  printPath(out, reply, context, filter);
  printPlace(out, reply, context, filter);
  printFlags(out, h.flags);
  if (a.mark !== undefined) out.put("mark", a.mark, `mark ${a.mark >= 16 ? `0x${a.mark.toString(16)}` : a.mark} `);
  if (a.flow !== undefined && filter.realm?.mask !== BOTH_REALMS) printFlow(out, a.flow, context);
  if (a.uid !== undefined) out.put("uid", a.uid, `uid ${a.uid} `);
  const cloned = (h.flags & rtmFlags.RTM_F_CLONED) !== 0;
  if (h.family === AF_INET && cloned) printCacheFlags(out, h.flags, lineBreak);
  if (a.cacheinfo !== undefined && (h.family !== AF_INET || cloned)) printCacheinfo(out, a.cacheinfo, stats > 0);
  if (a.metrics !== undefined) printMetrics(out, a.metrics);
  if (a.iif !== undefined && filter.iifIndex === undefined) {
    const name = deviceName(a.iif, context.devices);
    out.put("iif", name, `iif ${name} `);
  }
  // What IPv6 says behind the next hops in its messages, iproute2 says before them.
  const pref = a.pref === undefined ? undefined : (prefNames[a.pref] ?? String(a.pref));
  if (pref !== undefined) out.put("pref", pref, `pref ${pref}`);
  if (a.ttlPropagate !== undefined) {
    const on = a.ttlPropagate !== 0;
    out.put("ttl-propagate", on, `ttl-propagate ${on ? "enabled" : "disabled"}`);
  }
  if (a.multipath !== undefined) printHops(out, a.multipath, context, lineBreak);
  return out;
}
