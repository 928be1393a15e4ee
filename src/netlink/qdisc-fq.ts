import { defineAttributes, row } from "./attribute.js";
import { u8, u32 } from "./attribute-integer.js";
import { defineStruct } from "./struct.js";

/** TCA_FQ_*, linux/pkt_sched.h: times in microseconds, the slack in nanoseconds, rates in bytes per second. */
export const fqAttributes = defineAttributes("TCA_FQ", {
  bucketsLog: row("TCA_FQ_BUCKETS_LOG", 8, u32),
  plimit: row("TCA_FQ_PLIMIT", 1, u32),
  flowPlimit: row("TCA_FQ_FLOW_PLIMIT", 2, u32),
  quantum: row("TCA_FQ_QUANTUM", 3, u32),
  initialQuantum: row("TCA_FQ_INITIAL_QUANTUM", 4, u32),
  rateEnable: row("TCA_FQ_RATE_ENABLE", 5, u32),
  flowMaxRate: row("TCA_FQ_FLOW_MAX_RATE", 7, u32),
  lowRateThreshold: row("TCA_FQ_LOW_RATE_THRESHOLD", 11, u32),
  flowDefaultRate: row("TCA_FQ_FLOW_DEFAULT_RATE", 6, u32),
  flowRefillDelay: row("TCA_FQ_FLOW_REFILL_DELAY", 9, u32),
  orphanMask: row("TCA_FQ_ORPHAN_MASK", 10, u32),
  ceThreshold: row("TCA_FQ_CE_THRESHOLD", 12, u32),
  timerSlack: row("TCA_FQ_TIMER_SLACK", 13, u32),
  horizon: row("TCA_FQ_HORIZON", 14, u32),
  horizonDrop: row("TCA_FQ_HORIZON_DROP", 15, u8),
});

export const tcFqQdStats = defineStruct("tc_fq_qd_stats", 104, "", {
  gcFlows: [0, "u64"],
  highprioPackets: [8, "u64"],
  tcpRetrans: [16, "u64"],
  throttled: [24, "u64"],
  flowsPlimit: [32, "u64"],
  pktsTooLong: [40, "u64"],
  allocationErrors: [48, "u64"],
  timeNextDelayedFlow: [56, "s64"],
  flows: [64, "u32"],
  inactiveFlows: [68, "u32"],
  throttledFlows: [72, "u32"],
  unthrottleLatencyNs: [76, "u32"],
  ceMark: [80, "u64"],
  horizonDrops: [88, "u64"],
  horizonCaps: [96, "u64"],
});

/** TCA_FQ_CODEL_*, linux/pkt_sched.h: times in microseconds. */
export const fqCodelAttributes = defineAttributes("TCA_FQ_CODEL", {
  limit: row("TCA_FQ_CODEL_LIMIT", 2, u32),
  flows: row("TCA_FQ_CODEL_FLOWS", 5, u32),
  quantum: row("TCA_FQ_CODEL_QUANTUM", 6, u32),
  interval: row("TCA_FQ_CODEL_INTERVAL", 3, u32),
  target: row("TCA_FQ_CODEL_TARGET", 1, u32),
  ecn: row("TCA_FQ_CODEL_ECN", 4, u32),
  ceThreshold: row("TCA_FQ_CODEL_CE_THRESHOLD", 7, u32),
  ceThresholdMask: row("TCA_FQ_CODEL_CE_THRESHOLD_MASK", 11, u8),
  ceThresholdSelector: row("TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR", 10, u8),
  memoryLimit: row("TCA_FQ_CODEL_MEMORY_LIMIT", 9, u32),
  dropBatchSize: row("TCA_FQ_CODEL_DROP_BATCH_SIZE", 8, u32),
});

/** Which of the two structs below follows the first four bytes of struct tc_fq_codel_xstats. */
export const fqCodelXstats = { TCA_FQ_CODEL_XSTATS_QDISC: 0, TCA_FQ_CODEL_XSTATS_CLASS: 1 } as const;
export const tcFqCodelQdStats = defineStruct("tc_fq_codel_qd_stats", 36, "", {
  maxpacket: [0, "u32"],
  dropOverlimit: [4, "u32"],
  ecnMark: [8, "u32"],
  newFlowCount: [12, "u32"],
  newFlowsLen: [16, "u32"],
  oldFlowsLen: [20, "u32"],
  ceMark: [24, "u32"],
  memoryUsage: [28, "u32"],
  dropOvermemory: [32, "u32"],
});
export const tcFqCodelClStats = defineStruct("tc_fq_codel_cl_stats", 24, "", {
  deficit: [0, "s32"],
  ldelay: [4, "u32"],
  count: [8, "u32"],
  lastcount: [12, "u32"],
  dropping: [16, "u32"],
  dropNext: [20, "s32"],
});

/** TCA_CODEL_*, linux/pkt_sched.h: times in microseconds. */
export const codelAttributes = defineAttributes("TCA_CODEL", {
  limit: row("TCA_CODEL_LIMIT", 2, u32),
  interval: row("TCA_CODEL_INTERVAL", 3, u32),
  target: row("TCA_CODEL_TARGET", 1, u32),
  ecn: row("TCA_CODEL_ECN", 4, u32),
  ceThreshold: row("TCA_CODEL_CE_THRESHOLD", 5, u32),
});

export const tcCodelXstats = defineStruct("tc_codel_xstats", 36, "", {
  maxpacket: [0, "u32"],
  count: [4, "u32"],
  lastcount: [8, "u32"],
  ldelay: [12, "u32"],
  dropNext: [16, "s32"],
  dropOverlimit: [20, "u32"],
  ecnMark: [24, "u32"],
  dropping: [28, "u32"],
  ceMark: [32, "u32"],
});
