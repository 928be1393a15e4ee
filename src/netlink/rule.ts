import { defineAttributes, row } from "./attribute.js";
import { bytes, cstring, ip } from "./attribute-bytes.js";
import { u8, u32 } from "./attribute-integer.js";
import { structOf } from "./attribute-nested.js";
import type { Noun } from "./message.js";
import { defineStruct } from "./struct.js";

/** struct fib_rule_hdr, linux/fib_rules.h: struct rtmsg with other names. `table` is for numbers below 256. */
export const fibRuleHdr = defineStruct("fib_rule_hdr", 12, "", {
  family: [0, "u8"],
  dstLen: [1, "u8"],
  srcLen: [2, "u8"],
  tos: [3, "u8"],
  table: [4, "u8"],
  action: [7, "u8"],
  flags: [8, "u32"],
});

/** Both ends are part of the range. */
export const fibRuleUidRange = defineStruct("fib_rule_uid_range", 8, "", { start: [0, "u32"], end: [4, "u32"] });
export const fibRulePortRange = defineStruct("fib_rule_port_range", 4, "", { start: [0, "u16"], end: [2, "u16"] });

/** What a rule does with a packet, linux/fib_rules.h. */
export const ruleActions = {
  FR_ACT_UNSPEC: 0,
  FR_ACT_TO_TBL: 1,
  FR_ACT_GOTO: 2,
  FR_ACT_NOP: 3,
  FR_ACT_BLACKHOLE: 6,
  FR_ACT_UNREACHABLE: 7,
  FR_ACT_PROHIBIT: 8,
} as const;

/** Flags of struct fib_rule_hdr, linux/fib_rules.h. */
export const ruleFlags = {
  FIB_RULE_PERMANENT: 0x1,
  FIB_RULE_INVERT: 0x2,
  FIB_RULE_UNRESOLVED: 0x4,
  FIB_RULE_IIF_DETACHED: 0x8,
  FIB_RULE_OIF_DETACHED: 0x10,
} as const;

/** FRA_*, linux/fib_rules.h. */
export const ruleAttributes = defineAttributes("FRA", {
  dst: row("FRA_DST", 1, ip),
  src: row("FRA_SRC", 2, ip),
  iifname: row("FRA_IIFNAME", 3, cstring(16)),
  goto: row("FRA_GOTO", 4, u32),
  priority: row("FRA_PRIORITY", 6, u32),
  fwmark: row("FRA_FWMARK", 10, u32),
  flow: row("FRA_FLOW", 11, u32),
  /** A number of 64 bits in network byte order. */
  tunId: row("FRA_TUN_ID", 12, bytes),
  suppressIfgroup: row("FRA_SUPPRESS_IFGROUP", 13, u32),
  suppressPrefixlen: row("FRA_SUPPRESS_PREFIXLEN", 14, u32),
  table: row("FRA_TABLE", 15, u32),
  fwmask: row("FRA_FWMASK", 16, u32),
  oifname: row("FRA_OIFNAME", 17, cstring(16)),
  l3mdev: row("FRA_L3MDEV", 19, u8),
  uidRange: row("FRA_UID_RANGE", 20, structOf(fibRuleUidRange)),
  protocol: row("FRA_PROTOCOL", 21, u8),
  ipProto: row("FRA_IP_PROTO", 22, u8),
  sportRange: row("FRA_SPORT_RANGE", 23, structOf(fibRulePortRange)),
  dportRange: row("FRA_DPORT_RANGE", 24, structOf(fibRulePortRange)),
});

/** RTM_*RULE, linux/rtnetlink.h. */
export const rule = {
  name: "rule",
  types: { RTM_NEWRULE: 32, RTM_DELRULE: 33, RTM_GETRULE: 34 },
  header: fibRuleHdr,
  attributes: ruleAttributes,
} satisfies Noun<(typeof fibRuleHdr)["fields"], (typeof ruleAttributes)["rows"]>;
