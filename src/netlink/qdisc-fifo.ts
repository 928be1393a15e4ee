import { defineStruct } from "./struct.js";

/** struct tc_fifo_qopt, linux/pkt_sched.h: bytes of a bfifo, packets of a pfifo. */
export const tcFifoQopt = defineStruct("tc_fifo_qopt", 4, "", { limit: [0, "u32"] });

/** struct tc_prio_qopt: the band for each of the sixteen priorities. */
export const tcPrioQopt = defineStruct("tc_prio_qopt", 20, "", { bands: [0, "s32"], priomap: [4, "u8[16]"] });

const tcSfqQopt = defineStruct("tc_sfq_qopt", 20, "", {
  quantum: [0, "u32"],
  perturbPeriod: [4, "s32"],
  limit: [8, "u32"],
  divisor: [12, "u32"],
  flows: [16, "u32"],
});

const tcSfqredStats = defineStruct("tc_sfqred_stats", 24, "", {
  probDrop: [0, "u32"],
  forcedDrop: [4, "u32"],
  probMark: [8, "u32"],
  forcedMark: [12, "u32"],
  probMarkHead: [16, "u32"],
  forcedMarkHead: [20, "u32"],
});

/** struct tc_sfq_qopt_v1, linux/pkt_sched.h: `quantum` and thresholds in bytes, `perturbPeriod` in seconds. */
export const tcSfqQoptV1 = defineStruct("tc_sfq_qopt_v1", 72, "", {
  v0: [0, tcSfqQopt],
  depth: [20, "u32"],
  headdrop: [24, "u32"],
  limit: [28, "u32"],
  qthMin: [32, "u32"],
  qthMax: [36, "u32"],
  Wlog: [40, "u8"],
  Plog: [41, "u8"],
  Scell_log: [42, "u8"],
  flags: [43, "u8"],
  max_P: [44, "u32"],
  stats: [48, tcSfqredStats],
});

export const tcSfqXstats = defineStruct("tc_sfq_xstats", 4, "", { allot: [0, "s32"] });
