import { defineAttributes, row } from "./attribute.js";
import { bytes } from "./attribute-bytes.js";
import { flag, u32, u64 } from "./attribute-integer.js";
import { structOf } from "./attribute-nested.js";
import { defineStruct } from "./struct.js";

/** Lower four bits of `linklayer`, linux/pkt_sched.h. */
export const tcLinkLayer = { TC_LINKLAYER_UNAWARE: 0, TC_LINKLAYER_ETHERNET: 1, TC_LINKLAYER_ATM: 2 } as const;

/** struct tc_ratespec, linux/pkt_sched.h: bytes per second; 0xffffffff where the rate is in an attribute of 64 bits. */
export const tcRatespec = defineStruct("tc_ratespec", 12, "", {
  cellLog: [0, "u8"],
  linklayer: [1, "u8"],
  overhead: [2, "u16"],
  cellAlign: [4, "s16"],
  mpu: [6, "u16"],
  rate: [8, "u32"],
});

/** struct tc_tbf_qopt: `limit` in bytes, `buffer` and `mtu` in ticks of the packet scheduler. */
export const tcTbfQopt = defineStruct("tc_tbf_qopt", 36, "", {
  rate: [0, tcRatespec],
  peakrate: [12, tcRatespec],
  limit: [24, "u32"],
  buffer: [28, "u32"],
  mtu: [32, "u32"],
});

/** TCA_TBF_*, linux/pkt_sched.h: rates in bytes per second, bursts in bytes, tables of 256 transmission times. */
export const tbfAttributes = defineAttributes("TCA_TBF", {
  parms: row("TCA_TBF_PARMS", 1, structOf(tcTbfQopt)),
  burst: row("TCA_TBF_BURST", 6, u32),
  rate64: row("TCA_TBF_RATE64", 4, u64),
  rtab: row("TCA_TBF_RTAB", 2, bytes),
  prate64: row("TCA_TBF_PRATE64", 5, u64),
  pburst: row("TCA_TBF_PBURST", 7, u32),
  ptab: row("TCA_TBF_PTAB", 3, bytes),
});

/** struct tc_htb_opt of a class: buffers in ticks of the packet scheduler; `level` is the kernel's to say. */
export const tcHtbOpt = defineStruct("tc_htb_opt", 44, "", {
  rate: [0, tcRatespec],
  ceil: [12, tcRatespec],
  buffer: [24, "u32"],
  cbuffer: [28, "u32"],
  quantum: [32, "u32"],
  level: [36, "u32"],
  prio: [40, "u32"],
});

/** struct tc_htb_glob of the qdisc. */
export const tcHtbGlob = defineStruct("tc_htb_glob", 20, "", {
  version: [0, "u32"],
  rate2quantum: [4, "u32"],
  defcls: [8, "u32"],
  debug: [12, "u32"],
  directPkts: [16, "u32"],
});

export const tcHtbXstats = defineStruct("tc_htb_xstats", 20, "", {
  lends: [0, "u32"],
  borrows: [4, "u32"],
  giants: [8, "u32"],
  tokens: [12, "s32"],
  ctokens: [16, "s32"],
});

/** TCA_HTB_*, linux/pkt_sched.h. */
export const htbAttributes = defineAttributes("TCA_HTB", {
  rate64: row("TCA_HTB_RATE64", 6, u64),
  ceil64: row("TCA_HTB_CEIL64", 7, u64),
  parms: row("TCA_HTB_PARMS", 1, structOf(tcHtbOpt)),
  init: row("TCA_HTB_INIT", 2, structOf(tcHtbGlob)),
  rtab: row("TCA_HTB_RTAB", 4, bytes),
  ctab: row("TCA_HTB_CTAB", 3, bytes),
  directQlen: row("TCA_HTB_DIRECT_QLEN", 5, u32),
  offload: row("TCA_HTB_OFFLOAD", 9, flag),
});

/** struct tc_hfsc_qopt: the minor number of the class for what nothing classifies. */
export const tcHfscQopt = defineStruct("tc_hfsc_qopt", 2, "", { defcls: [0, "u16"] });

/** struct tc_service_curve: slopes in bytes per second, `d` in microseconds. */
export const tcServiceCurve = defineStruct("tc_service_curve", 12, "", {
  m1: [0, "u32"],
  d: [4, "u32"],
  m2: [8, "u32"],
});

export const tcHfscStats = defineStruct("tc_hfsc_stats", 24, "", {
  work: [0, "u64"],
  rtwork: [8, "u64"],
  period: [16, "u32"],
  level: [20, "u32"],
});

/** TCA_HFSC_* of a class, linux/pkt_sched.h. */
export const hfscAttributes = defineAttributes("TCA_HFSC", {
  rsc: row("TCA_HFSC_RSC", 1, structOf(tcServiceCurve)),
  fsc: row("TCA_HFSC_FSC", 2, structOf(tcServiceCurve)),
  usc: row("TCA_HFSC_USC", 3, structOf(tcServiceCurve)),
});
