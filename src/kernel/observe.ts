import { address } from "../netlink/address.js";
import type { Selection } from "../netlink/attribute.js";
import { bridgeVlan, bridgeVlanInfo } from "../netlink/bridge-vlan.js";
import { AF_INET, AF_INET6, type Family } from "../netlink/family.js";
import { link } from "../netlink/link.js";
import { decodeMessage, decodeReplies, splitMessages } from "../netlink/message.js";
import { route, rtnhFlags, rtnType, rtTable } from "../netlink/route.js";
import type { PortVlans } from "../plan/port-vlan.js";
import type { AddressView, LinkView, RouteView } from "../plan/view.js";
import { PipeworkError } from "../values/error.js";
import { errnoName, errnoText } from "./errno.js";
import type { Answer } from "./transaction.js";

/** Fails on every errno but those that mean "not there". */
export function replies(
  answer: Answer | undefined,
  what: string,
  absent: readonly string[] = [],
): Uint8Array | undefined {
  if (answer === undefined) return undefined;
  if (answer.errno === 0) return answer.replies;
  const name = errnoName(answer.errno);
  if (absent.includes(name)) return undefined;
  throw new PipeworkError({
    code: name === "EPERM" ? "not-permitted" : "kernel-refused",
    message: `reading ${what}: ${answer.text ?? errnoText(answer.errno)} (${name})`,
    errno: answer.errno,
    errnoName: name,
    kernelText: answer.text ?? errnoText(answer.errno),
  });
}

type DecodedLink = ReturnType<
  typeof decodeReplies<(typeof link)["header"]["fields"], (typeof link)["attributes"]["rows"]>
>[number];

export function linkView({ header, attributes: a }: DecodedLink): LinkView {
  const info = a.linkinfo;
  const data = info?.data;
  return {
    index: header.index,
    name: a.ifname ?? "",
    ...(info?.kind === undefined ? {} : { kind: info.kind }),
    ...(info?.slaveKind === undefined ? {} : { slaveKind: info.slaveKind }),
    type: header.type,
    flags: header.flags,
    mtu: a.mtu ?? 0,
    ...(a.address === undefined ? {} : { address: a.address }),
    ...(a.master === undefined ? {} : { master: a.master }),
    group: a.group ?? 0,
    ...(a.ifalias === undefined ? {} : { alias: a.ifalias }),
    ...(a.link === undefined ? {} : { link: a.link }),
    ...(a.linkNetnsid === undefined ? {} : { linkNetnsid: a.linkNetnsid }),
    ...(a.numTxQueues === undefined ? {} : { txQueues: a.numTxQueues }),
    operstate: a.operstate ?? 0,
    ...(info?.kind === "macvlan" && data !== undefined && "mode" in data && data.mode !== undefined
      ? { macvlanMode: data.mode }
      : {}),
    ...(info?.kind === "macvlan" && data !== undefined && "macaddrData" in data && data.macaddrData !== undefined
      ? { macvlanSources: data.macaddrData.macaddrs ?? [] }
      : {}),
    ...(info?.kind === "ipoib" && data !== undefined && "pkey" in data && data.pkey !== undefined
      ? { pkey: data.pkey }
      : {}),
    ...(info?.kind === "ipvlan" && data !== undefined && "mode" in data && data.mode !== undefined
      ? { ipvlanMode: data.mode }
      : {}),
    ...(info?.kind === "vlan" && data !== undefined && "id" in data && data.id !== undefined
      ? {
          vlanId: data.id,
          ...("protocol" in data && data.protocol !== undefined ? { vlanProtocol: data.protocol } : {}),
        }
      : {}),
    ...(info?.kind === "bridge" && data !== undefined && "stpState" in data ? { stp: data.stpState !== 0 } : {}),
    ...(info?.kind === "bridge" && data !== undefined && "vlanFiltering" in data
      ? { vlanFiltering: data.vlanFiltering !== 0 }
      : {}),
    ...(info?.kind === "bridge" && data !== undefined && "vlanDefaultPvid" in data && data.vlanDefaultPvid !== undefined
      ? { vlanDefaultPvid: data.vlanDefaultPvid }
      : {}),
    ...(a.permAddress === undefined ? {} : { permAddress: a.permAddress }),
    ...(a.txqlen === undefined ? {} : { txqlen: a.txqlen }),
    ...(a.qdisc === undefined ? {} : { qdisc: a.qdisc }),
    ...(a.parentDevBusName === undefined ? {} : { parentBus: a.parentDevBusName }),
    ...(a.parentDevName === undefined ? {} : { parentDev: a.parentDevName }),
    ...(a.propList?.altIfnames === undefined ? {} : { altNames: a.propList.altIfnames }),
    ...(a.afSpec?.inet?.conf?.arpNotify === undefined ? {} : { arpNotify: a.afSpec.inet.conf.arpNotify }),
  };
}

/** What a LinkView holds. */
const wholeLink = {
  address: true,
  ifname: true,
  mtu: true,
  link: true,
  master: true,
  operstate: true,
  linkinfo: {
    kind: true,
    data: {
      mode: true,
      stpState: true,
      id: true,
      protocol: true,
      vlanFiltering: true,
      vlanDefaultPvid: true,
      macaddrData: true,
      pkey: true,
    },
    slaveKind: true,
  },
  ifalias: true,
  afSpec: { inet: true },
  group: true,
  numTxQueues: true,
  linkNetnsid: true,
  permAddress: true,
  propList: true,
  txqlen: true,
  qdisc: true,
  parentDevName: true,
  parentDevBusName: true,
} as const;

/** What tells a link that a plan has just made. */
export const bornLink = { address: true, ifname: true, mtu: true } as const;

/** One link by name or index; ENODEV is "not there". */
export function linkFrom(answer: Answer | undefined, what: string, only: Selection = wholeLink): LinkView | undefined {
  const bytes = replies(answer, what, ["ENODEV"]);
  const [first] = bytes === undefined ? [] : decodeReplies(link, bytes, only);
  return first === undefined ? undefined : linkView(first);
}

export function linksFrom(answer: Answer | undefined, what: string): LinkView[] {
  const bytes = replies(answer, what);
  return bytes === undefined ? [] : decodeReplies(link, bytes, wholeLink).map(linkView);
}

const familyOfNumber: Record<number, Family> = { [AF_INET]: "inet", [AF_INET6]: "inet6" };

export function addressesFrom(answer: Answer | undefined, what: string, index?: number): AddressView[] {
  const bytes = replies(answer, what);
  if (bytes === undefined) return [];
  return decodeReplies(address, bytes).flatMap(({ header, attributes }) => {
    const family = familyOfNumber[header.family];
    const text = attributes.local ?? attributes.address;
    // Kernels without strict checking ignore the filter and send the addresses of all links.
    if (family === undefined || text === undefined || (index !== undefined && header.index !== index)) return [];
    return [{ family, index: header.index, address: text, prefixlen: header.prefixlen }];
  });
}

/** Route fields that RouteView holds, besides those that the kernel reports and that need not be kept. */
const simple = new Set(["dst", "oif", "gateway", "priority", "prefsrc", "table", "cacheinfo", "pref"]);

/** As records hold messages. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Routes of the main table. A family that the kernel lacks has none. */
export function routesFrom(answer: Answer | undefined, what: string): RouteView[] {
  const bytes = replies(answer, what, ["EAFNOSUPPORT", "EOPNOTSUPP", "ENOENT"]);
  if (bytes === undefined) return [];
  const views: RouteView[] = [];
  for (const reader of splitMessages(bytes)) {
    if (reader.u16(4) !== route.types.RTM_NEWROUTE) continue;
    const { header: h, attributes: a } = decodeMessage(route, reader);
    const family = familyOfNumber[h.family];
    if (family === undefined || (a.table ?? h.table) !== rtTable.RT_TABLE_MAIN) continue;
    const exotic =
      h.type !== rtnType.RTN_UNICAST || Object.keys(a).some((field) => !simple.has(field)) || (a.pref ?? 0) !== 0;
    views.push({
      family,
      ...(a.dst === undefined ? {} : { dst: a.dst }),
      dstLen: h.dstLen,
      ...(a.oif === undefined ? {} : { oif: a.oif }),
      ...(a.gateway === undefined ? {} : { via: a.gateway }),
      metric: a.priority ?? 0,
      protocol: h.protocol,
      scope: h.scope,
      type: h.type,
      tos: h.tos,
      onlink: (h.flags & rtnhFlags.RTNH_F_ONLINK) !== 0,
      ...(a.prefsrc === undefined ? {} : { prefsrc: a.prefsrc }),
      ...(exotic ? { raw: hex(reader.bytes) } : {}),
    });
  }
  return views;
}

/** VLANs of bridge ports by ifindex, from a dump of the family AF_BRIDGE. A kernel without VLAN filtering has none. */
export function portVlansFrom(answer: Answer | undefined): Map<number, PortVlans> {
  const ports = new Map<number, PortVlans>();
  const bytes = replies(answer, "the VLANs of bridge ports", ["EOPNOTSUPP"]);
  if (bytes === undefined) return ports;
  const { BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED, BRIDGE_VLAN_INFO_RANGE_BEGIN, BRIDGE_VLAN_INFO_RANGE_END } =
    bridgeVlanInfo;
  for (const { header, attributes } of decodeReplies(bridgeVlan, bytes)) {
    const [ids, untagged]: [number[], number[]] = [[], []];
    let pvid: number | undefined;
    let first = 0;
    for (const { flags, vid } of attributes.afSpec?.vlans ?? []) {
      if ((flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) !== 0) {
        first = vid;
        continue;
      }
      if ((flags & BRIDGE_VLAN_INFO_RANGE_END) === 0) first = vid;
      for (let id = first; id <= vid; id++) {
        ids.push(id);
        if ((flags & BRIDGE_VLAN_INFO_UNTAGGED) !== 0) untagged.push(id);
      }
      if ((flags & BRIDGE_VLAN_INFO_PVID) !== 0) pvid = vid;
    }
    ports.set(header.index, { ids, untagged, ...(pvid === undefined ? {} : { pvid }) });
  }
  return ports;
}
