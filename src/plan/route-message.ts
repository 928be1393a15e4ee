import type { AttributesIn } from "../netlink/attribute.js";
import { AF_INET6, type Family, familyNumber } from "../netlink/family.js";
import type { Message, NlmFlag } from "../netlink/message.js";
import { type route, rtnhFlags, rtnType, rtProt, rtScope, rtTable } from "../netlink/route.js";
import type { StructIn } from "../netlink/struct.js";
import type { Slot } from "../netlink/wire.js";

type RouteHeader = StructIn<(typeof route)["header"]["fields"]>;
type RouteAttributes = AttributesIn<(typeof route)["attributes"]["rows"]>;
export type RouteMessage = Message<"route", RouteHeader, RouteAttributes>;

/** A unicast route of the main table. Defaults are those of `ip route`. */
export interface RouteSpec {
  readonly family: Family;
  /** Absent: the default route. */
  readonly dst?: string;
  readonly dstLen?: number;
  readonly oif: number | Slot;
  readonly via?: string;
  readonly metric?: number;
  readonly protocol?: number;
  readonly scope?: number;
  readonly onlink?: boolean;
  readonly prefsrc?: string;
}

function routeMessage(type: keyof (typeof route)["types"], spec: RouteSpec, flags: readonly NlmFlag[]): RouteMessage {
  const { family, dst, dstLen, oif, via, metric, prefsrc } = spec;
  // IPv6 knows no scope: its routes are all RT_SCOPE_UNIVERSE (linux/rtnetlink.h, net/ipv6/route.c).
  const onLinkScope = via === undefined && family === "inet" ? rtScope.RT_SCOPE_LINK : rtScope.RT_SCOPE_UNIVERSE;
  return {
    noun: "route",
    type,
    flags,
    header: {
      family: familyNumber[family],
      dstLen: dstLen ?? 0,
      table: rtTable.RT_TABLE_MAIN,
      protocol: spec.protocol ?? rtProt.RTPROT_BOOT,
      scope: spec.scope ?? onLinkScope,
      type: rtnType.RTN_UNICAST,
      ...(spec.onlink === true ? { flags: rtnhFlags.RTNH_F_ONLINK } : {}),
    },
    attributes: {
      ...(dst === undefined ? {} : { dst }),
      oif,
      ...(via === undefined ? {} : { gateway: via }),
      ...(metric === undefined || metric === 0 ? {} : { priority: metric }),
      ...(prefsrc === undefined ? {} : { prefsrc }),
    },
  };
}

/** Adds beside what is there; an identical route is EEXIST. */
export function appendRoute(spec: RouteSpec): RouteMessage {
  return routeMessage("RTM_NEWROUTE", spec, ["NLM_F_CREATE", "NLM_F_APPEND"]);
}

/** Adds where there is none to that destination of that metric; EEXIST where there is. */
export function createRoute(spec: RouteSpec): RouteMessage {
  return routeMessage("RTM_NEWROUTE", spec, ["NLM_F_CREATE", "NLM_F_EXCL"]);
}

/** Takes the place of the route of the same destination and metric, without a moment between. */
export function replaceRoute(spec: RouteSpec): RouteMessage {
  return routeMessage("RTM_NEWROUTE", spec, ["NLM_F_CREATE", "NLM_F_REPLACE"]);
}

export function deleteRoute(spec: RouteSpec): RouteMessage {
  return routeMessage("RTM_DELROUTE", spec, []);
}

/** Routes of all tables through one link; without strict checking the kernel sends all, and the reader filters. */
export function dumpRoutesOf(family: Family, oif: number): RouteMessage {
  return {
    noun: "route",
    type: "RTM_GETROUTE",
    flags: ["NLM_F_DUMP"],
    header: { family: familyNumber[family] },
    attributes: { oif },
  };
}

/** All routes of the main table of one family. */
export function dumpRoutes(family: Family): RouteMessage {
  return {
    noun: "route",
    type: "RTM_GETROUTE",
    flags: ["NLM_F_DUMP"],
    header: { family: familyNumber[family] },
    attributes: { table: rtTable.RT_TABLE_MAIN },
  };
}

/** Routes of all tables of one address family; through one link, where the kernel checks what it is asked strictly. */
export function dumpRoutesThrough(family: number, oif?: number): RouteMessage {
  return {
    noun: "route",
    type: "RTM_GETROUTE",
    flags: ["NLM_F_DUMP"],
    header: { family },
    attributes: oif === undefined ? {} : { oif },
  };
}

/** How a packet to this address would go if it had to leave by that link; a local address is in RT_TABLE_LOCAL. */
export function routeTo(family: number, dst: string, oif?: number | Slot): RouteMessage {
  return {
    noun: "route",
    type: "RTM_GETROUTE",
    header: { family, dstLen: family === AF_INET6 ? 128 : 32 },
    attributes: { dst, ...(oif === undefined ? {} : { oif }) },
  };
}
