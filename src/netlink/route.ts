import { defineAttributes, row } from "./attribute.js";
import { bareString, bytes, ip } from "./attribute-bytes.js";
import { be16, reference, u8, u16, u32 } from "./attribute-integer.js";
import { nested } from "./attribute-nested.js";
import type { Noun } from "./message.js";
import { nexthops } from "./nexthops.js";
import { defineStruct } from "./struct.js";

/** struct rtmsg, linux/rtnetlink.h. */
export const rtmsg = defineStruct("rtmsg", 12, "rtm_", {
  family: [0, "u8"],
  dstLen: [1, "u8"],
  srcLen: [2, "u8"],
  tos: [3, "u8"],
  table: [4, "u8"],
  protocol: [5, "u8"],
  scope: [6, "u8"],
  type: [7, "u8"],
  flags: [8, "u32"],
});

/** Multicast groups of notices about routes, linux/rtnetlink.h. */
export const RTNLGRP_IPV4_ROUTE = 7;
export const RTNLGRP_IPV6_ROUTE = 11;

/** Who installed a route, linux/rtnetlink.h. */
export const rtProt = {
  RTPROT_UNSPEC: 0,
  RTPROT_REDIRECT: 1,
  RTPROT_KERNEL: 2,
  RTPROT_BOOT: 3,
  RTPROT_STATIC: 4,
  RTPROT_RA: 9,
  RTPROT_DHCP: 16,
} as const;
export const rtScope = {
  RT_SCOPE_UNIVERSE: 0,
  RT_SCOPE_SITE: 200,
  RT_SCOPE_LINK: 253,
  RT_SCOPE_HOST: 254,
  RT_SCOPE_NOWHERE: 255,
} as const;
export const rtnType = {
  RTN_UNSPEC: 0,
  RTN_UNICAST: 1,
  RTN_LOCAL: 2,
  RTN_BROADCAST: 3,
  RTN_ANYCAST: 4,
  RTN_MULTICAST: 5,
  RTN_BLACKHOLE: 6,
  RTN_UNREACHABLE: 7,
  RTN_PROHIBIT: 8,
  RTN_THROW: 9,
  RTN_NAT: 10,
  RTN_XRESOLVE: 11,
} as const;
export const rtTable = { RT_TABLE_UNSPEC: 0, RT_TABLE_DEFAULT: 253, RT_TABLE_MAIN: 254, RT_TABLE_LOCAL: 255 } as const;
/** Next hop flags, linux/rtnetlink.h. */
export const rtnhFlags = {
  RTNH_F_DEAD: 1,
  RTNH_F_PERVASIVE: 2,
  RTNH_F_ONLINK: 4,
  RTNH_F_OFFLOAD: 8,
  RTNH_F_LINKDOWN: 16,
  RTNH_F_UNRESOLVED: 32,
  RTNH_F_TRAP: 64,
} as const;
/** Further flags of a route (a clone is a cached one), and what a request for one asks for, linux/rtnetlink.h. */
export const rtmFlags = {
  RTM_F_NOTIFY: 0x100,
  RTM_F_CLONED: 0x200,
  RTM_F_EQUALIZE: 0x400,
  RTM_F_PREFIX: 0x800,
  RTM_F_LOOKUP_TABLE: 0x1000,
  RTM_F_FIB_MATCH: 0x2000,
  RTM_F_OFFLOAD: 0x4000,
  RTM_F_TRAP: 0x8000,
  RTM_F_OFFLOAD_FAILED: 0x20000000,
} as const;
/** What the kernel says of a route it has resolved, in the upper half of rtm_flags, linux/in_route.h. */
export const rtcfFlags = {
  RTCF_NOTIFY: 0x10000,
  RTCF_DIRECTDST: 0x20000,
  RTCF_REDIRECTED: 0x40000,
  RTCF_TPROXY: 0x80000,
  RTCF_FAST: 0x200000,
  RTCF_MASQ: 0x400000,
  RTCF_SNAT: 0x800000,
  RTCF_DOREDIRECT: 0x1000000,
  RTCF_DIRECTSRC: 0x4000000,
  RTCF_DNAT: 0x8000000,
  RTCF_BROADCAST: 0x10000000,
  RTCF_MULTICAST: 0x20000000,
  RTCF_REJECT: 0x40000000,
  RTCF_LOCAL: 0x80000000,
} as const;
/** Per-route switches of TCP (RTAX_FEATURES), linux/rtnetlink.h. */
export const rtaxFeatures = { RTAX_FEATURE_ECN: 1 } as const;
/** RTA_PREF, linux/icmpv6.h (RFC 4191): two bits in two's complement. */
export const routerPref = {
  ICMPV6_ROUTER_PREF_MEDIUM: 0,
  ICMPV6_ROUTER_PREF_HIGH: 1,
  ICMPV6_ROUTER_PREF_INVALID: 2,
  ICMPV6_ROUTER_PREF_LOW: 3,
} as const;

/** Payload of RTA_CACHEINFO: times in 1/100 s (USER_HZ), linux/rtnetlink.h. Of a route, `expires` is what is left. */
export const rtaCacheinfo = defineStruct("rta_cacheinfo", 32, "rta_", {
  clntref: [0, "u32"],
  lastuse: [4, "u32"],
  expires: [8, "s32"],
  error: [12, "u32"],
  used: [16, "u32"],
  id: [20, "u32"],
  ts: [24, "u32"],
  tsage: [28, "u32"],
});

/** RTAX_*, linux/rtnetlink.h: sizes in bytes; rtt in 1/8 ms, rttvar in 1/4 ms, rtoMin in ms. `lock` is a bit for each. */
export const routeMetrics = defineAttributes("RTAX", {
  lock: row("RTAX_LOCK", 1, u32),
  mtu: row("RTAX_MTU", 2, u32),
  window: row("RTAX_WINDOW", 3, u32),
  rtt: row("RTAX_RTT", 4, u32),
  rttvar: row("RTAX_RTTVAR", 5, u32),
  ssthresh: row("RTAX_SSTHRESH", 6, u32),
  cwnd: row("RTAX_CWND", 7, u32),
  advmss: row("RTAX_ADVMSS", 8, u32),
  reordering: row("RTAX_REORDERING", 9, u32),
  hoplimit: row("RTAX_HOPLIMIT", 10, u32),
  initcwnd: row("RTAX_INITCWND", 11, u32),
  features: row("RTAX_FEATURES", 12, u32),
  rtoMin: row("RTAX_RTO_MIN", 13, u32),
  initrwnd: row("RTAX_INITRWND", 14, u32),
  quickack: row("RTAX_QUICKACK", 15, u32),
  ccAlgo: row("RTAX_CC_ALGO", 16, bareString(15)),
  fastopenNoCookie: row("RTAX_FASTOPEN_NO_COOKIE", 17, u32),
});

/** RTA_*, linux/rtnetlink.h. */
export const routeAttributes = defineAttributes("RTA", {
  dst: row("RTA_DST", 1, ip),
  src: row("RTA_SRC", 2, ip),
  iif: row("RTA_IIF", 3, u32),
  oif: row("RTA_OIF", 4, reference),
  gateway: row("RTA_GATEWAY", 5, ip),
  priority: row("RTA_PRIORITY", 6, u32),
  prefsrc: row("RTA_PREFSRC", 7, ip),
  metrics: row("RTA_METRICS", 8, nested(routeMetrics)),
  multipath: row("RTA_MULTIPATH", 9, nexthops),
  flow: row("RTA_FLOW", 11, u32),
  cacheinfo: row("RTA_CACHEINFO", 12, bytes),
  table: row("RTA_TABLE", 15, u32),
  mark: row("RTA_MARK", 16, u32),
  via: row("RTA_VIA", 18, bytes),
  newdst: row("RTA_NEWDST", 19, ip),
  pref: row("RTA_PREF", 20, u8),
  encapType: row("RTA_ENCAP_TYPE", 21, u16),
  encap: row("RTA_ENCAP", 22, bytes),
  expires: row("RTA_EXPIRES", 23, u32),
  uid: row("RTA_UID", 25, u32),
  ttlPropagate: row("RTA_TTL_PROPAGATE", 26, u8),
  ipProto: row("RTA_IP_PROTO", 27, u8),
  sport: row("RTA_SPORT", 28, be16),
  dport: row("RTA_DPORT", 29, be16),
  nhId: row("RTA_NH_ID", 30, u32),
});

/** RTM_*ROUTE, linux/rtnetlink.h. */
export const route = {
  name: "route",
  types: { RTM_NEWROUTE: 24, RTM_DELROUTE: 25, RTM_GETROUTE: 26 },
  header: rtmsg,
  attributes: routeAttributes,
} satisfies Noun<(typeof rtmsg)["fields"], (typeof routeAttributes)["rows"]>;
