import { AF_INET, AF_INET6, AF_UNSPEC } from "../../src/netlink/family.js";
import { decodeMessage, encodeMessage, nlmFlags } from "../../src/netlink/message.js";
import { route as routeNoun, rtnhFlags, rtTable } from "../../src/netlink/route.js";
import { Reader } from "../../src/netlink/wire.js";
import { joined } from "./attribute.js";
import type { FakeKernel } from "./kernel.js";
import type { FakeNamespace, FakeRoute } from "./link.js";
import { Refusal } from "./refusal.js";
import { addRoute, IP6_RT_PRIO_USER, removeRoute } from "./route-table.js";

/** RTM_*ROUTE of one namespace's main table. */
export function routeMessage(kernel: FakeKernel, ns: FakeNamespace, bytes: Uint8Array): Uint8Array {
  const { type, header, attributes: a } = decodeMessage(routeNoun, new Reader(bytes));
  const flags = new Reader(bytes).u16(6);
  if (header.family !== AF_INET && header.family !== AF_INET6 && header.family !== AF_UNSPEC)
    throw new Refusal("EAFNOSUPPORT");
  const family = header.family === AF_INET6 ? "inet6" : "inet";
  if (type === "RTM_GETROUTE") return joined(...ns.routes.filter((one) => one.family === family).map(reply));
  const forDelete = type === "RTM_DELROUTE";
  const route: FakeRoute = {
    family,
    dst: a.dst,
    dstLen: header.dstLen,
    link: a.oif === undefined ? undefined : kernel.links.at(ns, a.oif),
    gateway: a.gateway,
    metric: a.priority ?? (family === "inet6" && !forDelete ? IP6_RT_PRIO_USER : 0),
    protocol: header.protocol,
    scope: family === "inet6" ? 0 : header.scope,
    type: header.type,
    tos: header.tos,
    onlink: (header.flags & rtnhFlags.RTNH_F_ONLINK) !== 0,
    prefsrc: a.prefsrc,
    metrics: a.metrics,
    multipath: a.multipath,
  };
  if ((a.table ?? header.table) !== rtTable.RT_TABLE_MAIN)
    throw new Refusal("EOPNOTSUPP", "the fake kernel has a main table only");
  if (forDelete) removeRoute(ns, route);
  else {
    addRoute(ns, route, {
      create: (flags & nlmFlags.NLM_F_CREATE) !== 0,
      excl: (flags & nlmFlags.NLM_F_EXCL) !== 0,
      replace: (flags & nlmFlags.NLM_F_REPLACE) !== 0,
      append: (flags & nlmFlags.NLM_F_APPEND) !== 0,
    });
  }
  return new Uint8Array();
}

function reply(one: FakeRoute): Uint8Array {
  return encodeMessage(routeNoun, {
    type: "RTM_NEWROUTE",
    header: {
      family: one.family === "inet" ? AF_INET : AF_INET6,
      dstLen: one.dstLen,
      table: rtTable.RT_TABLE_MAIN,
      protocol: one.protocol,
      scope: one.scope,
      type: one.type,
      tos: one.tos,
      flags: one.onlink ? rtnhFlags.RTNH_F_ONLINK : 0,
    },
    attributes: {
      table: rtTable.RT_TABLE_MAIN,
      ...(one.dst === undefined ? {} : { dst: one.dst }),
      ...(one.link === undefined ? {} : { oif: one.link.index }),
      ...(one.gateway === undefined ? {} : { gateway: one.gateway }),
      ...(one.metric === 0 ? {} : { priority: one.metric }),
      ...(one.prefsrc === undefined ? {} : { prefsrc: one.prefsrc }),
      ...(one.metrics === undefined ? {} : { metrics: one.metrics }),
      ...(one.multipath === undefined ? {} : { multipath: one.multipath }),
      ...(one.family === "inet6" ? { pref: 0 } : {}),
    },
  }).bytes;
}
