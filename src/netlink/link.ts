import { defineAttributes, manyRow, row } from "./attribute.js";
import { bareString, bytes, cstring, mac } from "./attribute-bytes.js";
import { reference, s32, u8, u32 } from "./attribute-integer.js";
import { messageOf, nested, nestedByKind, nestedStrict } from "./attribute-nested.js";
import { bridgeAttributes, bridgePortAttributes } from "./link-bridge.js";
import { ipoibAttributes } from "./link-ipoib.js";
import { ipvlanAttributes } from "./link-ipvlan.js";
import { macvlanAttributes } from "./link-macvlan.js";
import { vlanAttributes } from "./link-vlan.js";
import { vrfAttributes } from "./link-vrf.js";
import type { Noun } from "./message.js";
import { defineStruct } from "./struct.js";

/** struct ifinfomsg, linux/rtnetlink.h. `change` is the mask of the bits of `flags` that are meant. */
export const ifinfomsg = defineStruct("ifinfomsg", 16, "ifi_", {
  family: [0, "u8"],
  type: [2, "u16"],
  index: [4, "reference"],
  flags: [8, "u32"],
  change: [12, "u32"],
});

/** Interface flags, linux/if.h. */
export const ifFlags = {
  IFF_UP: 0x1,
  IFF_BROADCAST: 0x2,
  IFF_LOOPBACK: 0x8,
  IFF_POINTOPOINT: 0x10,
  IFF_RUNNING: 0x40,
  IFF_NOARP: 0x80,
  IFF_PROMISC: 0x100,
  IFF_ALLMULTI: 0x200,
  IFF_SLAVE: 0x800,
  IFF_MULTICAST: 0x1000,
  IFF_LOWER_UP: 0x10000,
} as const;

/** Link-layer types, linux/if_arp.h. */
export const arphrd = { ARPHRD_ETHER: 1, ARPHRD_INFINIBAND: 32, ARPHRD_LOOPBACK: 772, ARPHRD_NONE: 0xfffe } as const;

/** What a link dump or get is to leave out or bring along (IFLA_EXT_MASK, linux/rtnetlink.h). */
export const extMask = {
  RTEXT_FILTER_VF: 1,
  RTEXT_FILTER_BRVLAN: 2,
  RTEXT_FILTER_BRVLAN_COMPRESSED: 4,
  RTEXT_FILTER_SKIP_STATS: 8,
} as const;

/** Multicast group of notices about links, linux/rtnetlink.h. */
export const RTNLGRP_LINK = 1;

/** Operational states, linux/if.h (RFC 2863). */
export const ifOper = {
  IF_OPER_UNKNOWN: 0,
  IF_OPER_NOTPRESENT: 1,
  IF_OPER_DOWN: 2,
  IF_OPER_LOWERLAYERDOWN: 3,
  IF_OPER_TESTING: 4,
  IF_OPER_DORMANT: 5,
  IF_OPER_UP: 6,
} as const;

/** Their names, by number. */
export const operStates: readonly string[] = Object.keys(ifOper).map((name) =>
  name.slice("IF_OPER_".length).toLowerCase(),
);

/** IFLA_INET_CONF: an array of u32 indexed by devconf number - 1 on reading, nested (number: u32) on writing. */
const inetConfAttributes = defineAttributes("IPV4_DEVCONF", {
  arpNotify: row("IPV4_DEVCONF_ARP_NOTIFY", 22, u32),
});
const inetAttributes = defineAttributes("IFLA_INET", {
  conf: row("IFLA_INET_CONF", 1, {
    ...nested(inetConfAttributes),
    // The kernel answers with a plain array of u32, one per setting; setting n lies at index n - 1.
    decode: (r) => (r.length >= 22 * 4 ? { arpNotify: r.u32(21 * 4) } : {}),
  }),
});
const inet6Attributes = defineAttributes("IFLA_INET6", {
  addrGenMode: row("IFLA_INET6_ADDR_GEN_MODE", 8, u8),
});
/** IFLA_AF_SPEC is nested by address family (AF_INET 2, AF_INET6 10). */
const afSpecAttributes = defineAttributes("AF", {
  inet: row("AF_INET", 2, nested(inetAttributes)),
  inet6: row("AF_INET6", 10, nested(inet6Attributes)),
});

/** Rows that both a link and the peer of a veth have. */
const commonRows = {
  address: row("IFLA_ADDRESS", 1, mac),
  broadcast: row("IFLA_BROADCAST", 2, mac),
  ifname: row("IFLA_IFNAME", 3, cstring(16)),
  mtu: row("IFLA_MTU", 4, u32),
  link: row("IFLA_LINK", 5, reference),
  qdisc: row("IFLA_QDISC", 6, cstring(16)),
  master: row("IFLA_MASTER", 10, reference),
  txqlen: row("IFLA_TXQLEN", 13, u32),
  operstate: row("IFLA_OPERSTATE", 16, u8),
  linkmode: row("IFLA_LINKMODE", 17, u8),
  netNsPid: row("IFLA_NET_NS_PID", 19, u32),
  ifalias: row("IFLA_IFALIAS", 20, bareString(255)),
  afSpec: row("IFLA_AF_SPEC", 26, nested(afSpecAttributes)),
  group: row("IFLA_GROUP", 27, u32),
  netNsFd: row("IFLA_NET_NS_FD", 28, reference),
  extMask: row("IFLA_EXT_MASK", 29, u32),
  promiscuity: row("IFLA_PROMISCUITY", 30, u32),
  numTxQueues: row("IFLA_NUM_TX_QUEUES", 31, u32),
  numRxQueues: row("IFLA_NUM_RX_QUEUES", 32, u32),
  carrier: row("IFLA_CARRIER", 33, u8),
  carrierChanges: row("IFLA_CARRIER_CHANGES", 35, u32),
  linkNetnsid: row("IFLA_LINK_NETNSID", 37, s32),
  carrierUpCount: row("IFLA_CARRIER_UP_COUNT", 47, u32),
  carrierDownCount: row("IFLA_CARRIER_DOWN_COUNT", 48, u32),
  newIfindex: row("IFLA_NEW_IFINDEX", 49, u32),
  minMtu: row("IFLA_MIN_MTU", 50, u32),
  maxMtu: row("IFLA_MAX_MTU", 51, u32),
  permAddress: row("IFLA_PERM_ADDRESS", 54, mac),
  parentDevName: row("IFLA_PARENT_DEV_NAME", 56, cstring(256)),
  parentDevBusName: row("IFLA_PARENT_DEV_BUS_NAME", 57, cstring(256)),
};

const peerAttributes = defineAttributes("IFLA", commonRows);

const vethAttributes = defineAttributes("VETH_INFO", {
  peer: row("VETH_INFO_PEER", 1, messageOf(ifinfomsg, peerAttributes)),
});

/** One row per link kind: what IFLA_INFO_DATA holds. */
const infoDataSets = {
  veth: vethAttributes,
  bridge: bridgeAttributes,
  macvlan: macvlanAttributes,
  ipvlan: ipvlanAttributes,
  vlan: vlanAttributes,
  ipoib: ipoibAttributes,
  vrf: vrfAttributes,
};
const infoSlaveDataSets = { bridge: bridgePortAttributes };

export const linkInfoAttributes = defineAttributes("IFLA_INFO", {
  kind: row("IFLA_INFO_KIND", 1, bareString(63)),
  data: row("IFLA_INFO_DATA", 2, nestedByKind("kind", infoDataSets)),
  xstats: row("IFLA_INFO_XSTATS", 3, bytes),
  slaveKind: row("IFLA_INFO_SLAVE_KIND", 4, cstring(64)),
  slaveData: row("IFLA_INFO_SLAVE_DATA", 5, nestedByKind("slaveKind", infoSlaveDataSets)),
});

const altNames = defineAttributes("IFLA_PROP_LIST", {
  altIfnames: manyRow("IFLA_ALT_IFNAME", 53, cstring(128)),
});

export const linkAttributes = defineAttributes("IFLA", {
  ...commonRows,
  linkinfo: row("IFLA_LINKINFO", 18, nested(linkInfoAttributes)),
  propList: row("IFLA_PROP_LIST", 52, nestedStrict(altNames)),
  altIfname: row("IFLA_ALT_IFNAME", 53, cstring(128)),
});

/** RTM_*LINK, linux/rtnetlink.h. */
export const link = {
  name: "link",
  types: {
    RTM_NEWLINK: 16,
    RTM_DELLINK: 17,
    RTM_GETLINK: 18,
    RTM_SETLINK: 19,
    RTM_NEWLINKPROP: 108,
    RTM_DELLINKPROP: 109,
  },
  header: ifinfomsg,
  attributes: linkAttributes,
} satisfies Noun<(typeof ifinfomsg)["fields"], (typeof linkAttributes)["rows"]>;
