import { defineAttributes, row } from "./attribute.js";
import { cstring, ip } from "./attribute-bytes.js";
import { s32, u8, u32 } from "./attribute-integer.js";
import { structOf } from "./attribute-nested.js";
import type { Noun } from "./message.js";
import { defineStruct } from "./struct.js";

/** struct ifaddrmsg, linux/if_addr.h. */
export const ifaddrmsg = defineStruct("ifaddrmsg", 8, "ifa_", {
  family: [0, "u8"],
  prefixlen: [1, "u8"],
  flags: [2, "u8"],
  scope: [3, "u8"],
  index: [4, "reference"],
});

/** struct ifa_cacheinfo, linux/if_addr.h: lifetimes in seconds (0xffffffff is for ever), stamps in 1/100 s since boot. */
export const ifaCacheinfo = defineStruct("ifa_cacheinfo", 16, "", {
  ifaPrefered: [0, "u32"],
  ifaValid: [4, "u32"],
  cstamp: [8, "u32"],
  tstamp: [12, "u32"],
});

/** Multicast groups of notices about addresses, linux/rtnetlink.h. */
export const RTNLGRP_IPV4_IFADDR = 5;
export const RTNLGRP_IPV6_IFADDR = 9;

/** Address flags, linux/if_addr.h. The low eight also fit the header. */
export const ifaFlags = {
  IFA_F_SECONDARY: 0x01,
  IFA_F_NODAD: 0x02,
  IFA_F_OPTIMISTIC: 0x04,
  IFA_F_DADFAILED: 0x08,
  IFA_F_HOMEADDRESS: 0x10,
  IFA_F_DEPRECATED: 0x20,
  IFA_F_TENTATIVE: 0x40,
  IFA_F_PERMANENT: 0x80,
  IFA_F_MANAGETEMPADDR: 0x100,
  IFA_F_NOPREFIXROUTE: 0x200,
  IFA_F_MCAUTOJOIN: 0x400,
} as const;

/** Who made an address (IFA_PROTO), linux/if_addr.h. */
export const ifaProt = {
  IFAPROT_UNSPEC: 0,
  IFAPROT_KERNEL_LO: 1,
  IFAPROT_KERNEL_RA: 2,
  IFAPROT_KERNEL_LL: 3,
} as const;

/** IFA_*, linux/if_addr.h. On an ordinary link IFA_LOCAL and IFA_ADDRESS are equal; IPv6 has IFA_ADDRESS alone. */
export const addressAttributes = defineAttributes("IFA", {
  address: row("IFA_ADDRESS", 1, ip),
  local: row("IFA_LOCAL", 2, ip),
  label: row("IFA_LABEL", 3, cstring(16)),
  broadcast: row("IFA_BROADCAST", 4, ip),
  cacheinfo: row("IFA_CACHEINFO", 6, structOf(ifaCacheinfo)),
  flags: row("IFA_FLAGS", 8, u32),
  rtPriority: row("IFA_RT_PRIORITY", 9, u32),
  targetNetnsid: row("IFA_TARGET_NETNSID", 10, s32),
  proto: row("IFA_PROTO", 11, u8),
});

/** RTM_*ADDR, linux/rtnetlink.h. */
export const address = {
  name: "address",
  types: { RTM_NEWADDR: 20, RTM_DELADDR: 21, RTM_GETADDR: 22 },
  header: ifaddrmsg,
  attributes: addressAttributes,
} satisfies Noun<(typeof ifaddrmsg)["fields"], (typeof addressAttributes)["rows"]>;
