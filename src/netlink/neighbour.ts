import { defineAttributes, row } from "./attribute.js";
import { ip, mac } from "./attribute-bytes.js";
import { be16, s32, u8, u16, u32 } from "./attribute-integer.js";
import { structOf } from "./attribute-nested.js";
import type { Noun } from "./message.js";
import { defineStruct } from "./struct.js";

/** struct ndmsg, linux/neighbour.h. `type` is an RTN_* in what the kernel reports. */
export const ndmsg = defineStruct("ndmsg", 12, "ndm_", {
  family: [0, "u8"],
  ifindex: [4, "reference"],
  state: [8, "u16"],
  flags: [10, "u8"],
  type: [11, "u8"],
});

/** struct nda_cacheinfo, linux/neighbour.h; the first three in 1/100 s (USER_HZ) before now. */
export const ndaCacheinfo = defineStruct("nda_cacheinfo", 16, "ndm_", {
  confirmed: [0, "u32"],
  used: [4, "u32"],
  updated: [8, "u32"],
  refcnt: [12, "u32"],
});

/** States of a neighbour, linux/neighbour.h. */
export const nudStates = {
  NUD_NONE: 0x00,
  NUD_INCOMPLETE: 0x01,
  NUD_REACHABLE: 0x02,
  NUD_STALE: 0x04,
  NUD_DELAY: 0x08,
  NUD_PROBE: 0x10,
  NUD_FAILED: 0x20,
  NUD_NOARP: 0x40,
  NUD_PERMANENT: 0x80,
} as const;

/** Flags of a neighbour, linux/neighbour.h. */
export const ntfFlags = {
  NTF_USE: 0x01,
  NTF_SELF: 0x02,
  NTF_MASTER: 0x04,
  NTF_PROXY: 0x08,
  NTF_EXT_LEARNED: 0x10,
  NTF_OFFLOADED: 0x20,
  NTF_STICKY: 0x40,
  NTF_ROUTER: 0x80,
} as const;

/** NDA_*, linux/neighbour.h. */
export const neighbourAttributes = defineAttributes("NDA", {
  dst: row("NDA_DST", 1, ip),
  lladdr: row("NDA_LLADDR", 2, mac),
  cacheinfo: row("NDA_CACHEINFO", 3, structOf(ndaCacheinfo)),
  probes: row("NDA_PROBES", 4, u32),
  vlan: row("NDA_VLAN", 5, u16),
  port: row("NDA_PORT", 6, be16),
  vni: row("NDA_VNI", 7, u32),
  ifindex: row("NDA_IFINDEX", 8, u32),
  master: row("NDA_MASTER", 9, u32),
  linkNetnsid: row("NDA_LINK_NETNSID", 10, s32),
  srcVni: row("NDA_SRC_VNI", 11, u32),
  protocol: row("NDA_PROTOCOL", 12, u8),
  flagsExt: row("NDA_FLAGS_EXT", 15, u32),
});

/** RTM_*NEIGH, linux/rtnetlink.h. */
export const neighbour = {
  name: "neighbour",
  types: { RTM_NEWNEIGH: 28, RTM_DELNEIGH: 29, RTM_GETNEIGH: 30 },
  header: ndmsg,
  attributes: neighbourAttributes,
} satisfies Noun<(typeof ndmsg)["fields"], (typeof neighbourAttributes)["rows"]>;
