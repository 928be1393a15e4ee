import { defineAttributes, row } from "./attribute.js";
import { bytes } from "./attribute-bytes.js";
import { u32 } from "./attribute-integer.js";
import { structOf } from "./attribute-nested.js";
import { defineStruct } from "./struct.js";

/** `flags` of struct tc_red_qopt and tc_sfq_qopt_v1, linux/pkt_sched.h. */
export const tcRedFlags = { TC_RED_ECN: 1, TC_RED_HARDDROP: 2, TC_RED_ADAPTATIVE: 4, TC_RED_NODROP: 8 } as const;

/** struct tc_red_qopt, linux/pkt_sched.h: limits in bytes, the rest logarithms to base 2. */
export const tcRedQopt = defineStruct("tc_red_qopt", 16, "", {
  limit: [0, "u32"],
  qthMin: [4, "u32"],
  qthMax: [8, "u32"],
  Wlog: [12, "u8"],
  Plog: [13, "u8"],
  Scell_log: [14, "u8"],
  flags: [15, "u8"],
});

/** Flags and which of them are meant, linux/netlink.h. */
export const nlaBitfield32 = defineStruct("nla_bitfield32", 8, "", { value: [0, "u32"], selector: [4, "u32"] });

export const tcRedXstats = defineStruct("tc_red_xstats", 16, "", {
  early: [0, "u32"],
  pdrop: [4, "u32"],
  other: [8, "u32"],
  marked: [12, "u32"],
});

/** TCA_RED_*, linux/pkt_sched.h. */
export const redAttributes = defineAttributes("TCA_RED", {
  parms: row("TCA_RED_PARMS", 1, structOf(tcRedQopt)),
  stab: row("TCA_RED_STAB", 2, bytes),
  maxP: row("TCA_RED_MAX_P", 3, u32),
  flags: row("TCA_RED_FLAGS", 4, structOf(nlaBitfield32)),
  earlyDropBlock: row("TCA_RED_EARLY_DROP_BLOCK", 5, u32),
  markBlock: row("TCA_RED_MARK_BLOCK", 6, u32),
});
