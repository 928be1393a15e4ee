import { defineAttributes, row } from "./attribute.js";
import { bytes } from "./attribute-bytes.js";
import { u64 } from "./attribute-integer.js";
import { structOf } from "./attribute-nested.js";
import { defineStruct } from "./struct.js";

/** Structs of linux/gen_stats.h. */
export const gnetStatsBasic = defineStruct("gnet_stats_basic", 16, "", { bytes: [0, "u64"], packets: [8, "u32"] });
const gnetStatsQueue = defineStruct("gnet_stats_queue", 20, "", {
  qlen: [0, "u32"],
  backlog: [4, "u32"],
  drops: [8, "u32"],
  requeues: [12, "u32"],
  overlimits: [16, "u32"],
});
const gnetStatsRateEst = defineStruct("gnet_stats_rate_est", 8, "", { bps: [0, "u32"], pps: [4, "u32"] });
const gnetStatsRateEst64 = defineStruct("gnet_stats_rate_est64", 16, "", { bps: [0, "u64"], pps: [8, "u64"] });

/** TCA_STATS_*, linux/gen_stats.h: bytes per second in the estimates; `app` is the qdisc's own struct. */
export const tcStatsAttributes = defineAttributes("TCA_STATS", {
  basic: row("TCA_STATS_BASIC", 1, structOf(gnetStatsBasic)),
  rateEst: row("TCA_STATS_RATE_EST", 2, structOf(gnetStatsRateEst)),
  queue: row("TCA_STATS_QUEUE", 3, structOf(gnetStatsQueue)),
  app: row("TCA_STATS_APP", 4, bytes),
  rateEst64: row("TCA_STATS_RATE_EST64", 5, structOf(gnetStatsRateEst64)),
  basicHw: row("TCA_STATS_BASIC_HW", 7, structOf(gnetStatsBasic)),
  pkt64: row("TCA_STATS_PKT64", 8, u64),
});

/** struct tcf_t, linux/pkt_cls.h: since when, in 1/100 s (USER_HZ). */
export const tcfT = defineStruct("tcf_t", 32, "", {
  install: [0, "u64"],
  lastuse: [8, "u64"],
  expires: [16, "u64"],
  firstuse: [24, "u64"],
});
