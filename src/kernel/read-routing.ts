import type { Devices } from "../iproute/device.js";
import type { ResolvedFilter } from "../iproute/route-filter.js";
import { decodeRoute, type RouteReply } from "../iproute/route-view.js";
import { decodeRule, type RuleReply } from "../iproute/rule-view.js";
import { AF_INET, AF_INET6, familyNumber } from "../netlink/family.js";
import { link } from "../netlink/link.js";
import { decodeReplies, NLMSG_HDRLEN, splitMessages } from "../netlink/message.js";
import { route, rtmFlags, rtmsg } from "../netlink/route.js";
import { rule } from "../netlink/rule.js";
import { dumpLinks } from "../plan/link-message.js";
import type { RouteMessage } from "../plan/route-message.js";
import type { Family } from "../values/ipaddress.js";
import { replies } from "./observe.js";
import type { Answer, Ask } from "./transaction.js";

export const devicesAsk: Ask = { netns: "guest", message: dumpLinks() };

const deviceFields = { ifname: true, propList: true, linkinfo: { kind: true, data: { table: true } } } as const;

/** The interfaces of the guest, by name and by number. */
export function devicesFrom(answer: Answer | undefined): Devices {
  const bytes = replies(answer, "the guest's links") ?? new Uint8Array();
  const indexes = new Map<string, number>();
  const names = new Map<number, string>();
  const tables = new Map<string, number>();
  for (const { header, attributes: a } of decodeReplies(link, bytes, deviceFields)) {
    const name = a.ifname ?? "";
    names.set(header.index, name);
    for (const one of [name, ...(a.propList?.altIfnames ?? [])]) {
      indexes.set(one, header.index);
      const data = a.linkinfo?.data;
      if (a.linkinfo?.kind === "vrf" && data !== undefined && "table" in data && data.table !== undefined)
        tables.set(one, data.table);
    }
  }
  return {
    index: (name) => indexes.get(name),
    name: (index) => names.get(index),
    vrfTable: (name) => tables.get(name),
    names: [...indexes.keys()],
  };
}

function dump(family: Family, flags: number, table: number | undefined): RouteMessage {
  return {
    noun: "route",
    type: "RTM_GETROUTE",
    flags: ["NLM_F_DUMP"],
    header: { family: familyNumber[family], ...(flags === 0 ? {} : { flags }) },
    attributes: table === undefined ? {} : { table },
  };
}

/** Where rtm_dst_len lies in a route message. */
const RTM_DST_LEN = NLMSG_HDRLEN + rtmsg.fields.dstLen[0];

/**
 * All routes of a family, of every table.
 * @param lengths of the prefixes that matter; absent: all. A guest may have a million others
 */
export function routesAsk(family: Family, lengths?: readonly number[]): Ask {
  const message = dump(family, 0, undefined);
  if (lengths === undefined) return { netns: "guest", message };
  return { netns: "guest", message, keep: { offset: RTM_DST_LEN, value: Uint8Array.from(new Set(lengths)) } };
}

/** What a selection of routes asks the kernel for; a table that is not there is refused by the kernel itself. */
export function selectionAsks({ family, table, cached }: ResolvedFilter): Ask[] {
  const families: readonly Family[] = family === undefined ? ["inet", "inet6"] : [family];
  const flags = cached === true ? rtmFlags.RTM_F_CLONED : 0;
  const wanted = cached === true || table === 0 ? undefined : table;
  return families.map((one) => ({ netns: "guest", message: dump(one, flags, wanted) }));
}

/** Routes in a reply, those of other families than IP left out. */
export function routeRepliesFrom(
  answer: Answer | undefined,
  what: string,
  absent: readonly string[] = [],
): RouteReply[] {
  const bytes = replies(answer, what, absent);
  if (bytes === undefined) return [];
  const found: RouteReply[] = [];
  for (const reader of splitMessages(bytes)) {
    if (reader.u16(4) !== route.types.RTM_NEWROUTE) continue;
    const reply = decodeRoute(reader);
    if (reply.header.family === AF_INET || reply.header.family === AF_INET6) found.push(reply);
  }
  return found;
}

/** All rules of a family. */
export function rulesAsk(family: Family): Ask {
  const header = { family: familyNumber[family] };
  return {
    netns: "guest",
    message: { noun: "rule", type: "RTM_GETRULE", flags: ["NLM_F_DUMP"], header, attributes: {} },
  };
}

export function ruleRepliesFrom(answer: Answer | undefined, what: string, absent: readonly string[] = []): RuleReply[] {
  const bytes = replies(answer, what, absent);
  if (bytes === undefined) return [];
  return [...splitMessages(bytes)].filter((reader) => reader.u16(4) === rule.types.RTM_NEWRULE).map(decodeRule);
}
