import { defineAttributes, row } from "./attribute.js";
import { bytes } from "./attribute-bytes.js";
import { s64, u32, u64 } from "./attribute-integer.js";
import { nestedStrict, structOf } from "./attribute-nested.js";
import { defineStruct } from "./struct.js";

/**
 * struct tc_netem_qopt, linux/pkt_sched.h: times in ticks of the packet scheduler, shares of 0xffffffff. It stands in
 * front of the attributes, which no other qdisc does.
 */
export const tcNetemQopt = defineStruct("tc_netem_qopt", 24, "", {
  latency: [0, "u32"],
  limit: [4, "u32"],
  loss: [8, "u32"],
  gap: [12, "u32"],
  duplicate: [16, "u32"],
  jitter: [20, "u32"],
});

const tcNetemCorr = defineStruct("tc_netem_corr", 12, "", {
  delayCorr: [0, "u32"],
  lossCorr: [4, "u32"],
  dupCorr: [8, "u32"],
});
const tcNetemReorder = defineStruct("tc_netem_reorder", 8, "", { probability: [0, "u32"], correlation: [4, "u32"] });
const tcNetemCorrupt = defineStruct("tc_netem_corrupt", 8, "", { probability: [0, "u32"], correlation: [4, "u32"] });
const tcNetemRate = defineStruct("tc_netem_rate", 16, "", {
  rate: [0, "u32"],
  packetOverhead: [4, "s32"],
  cellSize: [8, "u32"],
  cellOverhead: [12, "s32"],
});
/** Times in nanoseconds. */
const tcNetemSlot = defineStruct("tc_netem_slot", 40, "", {
  minDelay: [0, "s64"],
  maxDelay: [8, "s64"],
  maxPackets: [16, "s32"],
  maxBytes: [20, "s32"],
  distDelay: [24, "s64"],
  distJitter: [32, "s64"],
});
/** States: 1 received in a gap, 2 received in a burst, 3 lost in a burst, 4 lost in a gap. */
const tcNetemGimodel = defineStruct("tc_netem_gimodel", 20, "", {
  p13: [0, "u32"],
  p31: [4, "u32"],
  p32: [8, "u32"],
  p14: [12, "u32"],
  p23: [16, "u32"],
});
const tcNetemGemodel = defineStruct("tc_netem_gemodel", 16, "", {
  p: [0, "u32"],
  r: [4, "u32"],
  h: [8, "u32"],
  k1: [12, "u32"],
});

const netemLossAttributes = defineAttributes("NETEM_LOSS", {
  gi: row("NETEM_LOSS_GI", 1, structOf(tcNetemGimodel)),
  ge: row("NETEM_LOSS_GE", 2, structOf(tcNetemGemodel)),
});

/** TCA_NETEM_*, linux/pkt_sched.h: times in nanoseconds, rates in bytes per second, distributions as arrays of __s16. */
export const netemAttributes = defineAttributes("TCA_NETEM", {
  corr: row("TCA_NETEM_CORR", 1, structOf(tcNetemCorr)),
  reorder: row("TCA_NETEM_REORDER", 3, structOf(tcNetemReorder)),
  ecn: row("TCA_NETEM_ECN", 7, u32),
  corrupt: row("TCA_NETEM_CORRUPT", 4, structOf(tcNetemCorrupt)),
  slot: row("TCA_NETEM_SLOT", 12, structOf(tcNetemSlot)),
  loss: row("TCA_NETEM_LOSS", 5, nestedStrict(netemLossAttributes)),
  rate64: row("TCA_NETEM_RATE64", 8, u64),
  rate: row("TCA_NETEM_RATE", 6, structOf(tcNetemRate)),
  delayDist: row("TCA_NETEM_DELAY_DIST", 2, bytes),
  slotDist: row("TCA_NETEM_SLOT_DIST", 13, bytes),
  latency64: row("TCA_NETEM_LATENCY64", 10, s64),
  jitter64: row("TCA_NETEM_JITTER64", 11, s64),
});
