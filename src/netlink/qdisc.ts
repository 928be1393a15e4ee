import { defineAttributes, row } from "./attribute.js";
import { bytes, cstring } from "./attribute-bytes.js";
import { flag, u8, u32 } from "./attribute-integer.js";
import { messageOf, nested, structOf, typedByKind } from "./attribute-nested.js";
import type { Noun } from "./message.js";
import { tcFifoQopt, tcPrioQopt, tcSfqQoptV1 } from "./qdisc-fifo.js";
import { codelAttributes, fqAttributes, fqCodelAttributes } from "./qdisc-fq.js";
import { netemAttributes, tcNetemQopt } from "./qdisc-netem.js";
import { hfscAttributes, htbAttributes, tbfAttributes, tcHfscQopt } from "./qdisc-rate.js";
import { redAttributes } from "./qdisc-red.js";
import { defineStruct } from "./struct.js";
import { tcStatsAttributes } from "./tc-stats.js";
import { tcmsg } from "./tcmsg.js";

/** struct tc_sizespec, linux/pkt_sched.h: sizes in bytes. */
export const tcSizespec = defineStruct("tc_sizespec", 24, "", {
  cellLog: [0, "u8"],
  sizeLog: [1, "u8"],
  cellAlign: [2, "s16"],
  overhead: [4, "s32"],
  linklayer: [8, "u32"],
  mpu: [12, "u32"],
  mtu: [16, "u32"],
  tsize: [20, "u32"],
});

const stabAttributes = defineAttributes("TCA_STAB", {
  base: row("TCA_STAB_BASE", 1, structOf(tcSizespec)),
  data: row("TCA_STAB_DATA", 2, bytes),
});

/** struct tc_estimator, linux/pkt_sched.h: `interval` is a signed byte, the logarithm of quarters of a second. */
export const tcEstimator = defineStruct("tc_estimator", 2, "", { interval: [0, "u8"], ewma_log: [1, "u8"] });

/** Rows of TCA_* that qdiscs, classes and filters share, linux/rtnetlink.h. */
export const tcaCommon = {
  rate: row("TCA_RATE", 5, structOf(tcEstimator)),
  /** struct tc_stats, for those who do not know TCA_STATS2. */
  stats: row("TCA_STATS", 3, bytes),
  xstats: row("TCA_XSTATS", 4, bytes),
  stats2: row("TCA_STATS2", 7, nested(tcStatsAttributes)),
} as const;

/** Room for a kind, its zero included: IFNAMSIZ. */
export const tcaKind = row("TCA_KIND", 1, cstring(16));

const fifo = structOf(tcFifoQopt);

/** What TCA_OPTIONS of a qdisc holds, by its kind. */
const qdiscOptions = typedByKind("kind", {
  netem: messageOf(tcNetemQopt, netemAttributes),
  tbf: nested(tbfAttributes),
  htb: nested(htbAttributes),
  hfsc: structOf(tcHfscQopt),
  prio: structOf(tcPrioQopt),
  pfifo_fast: structOf(tcPrioQopt),
  pfifo: fifo,
  bfifo: fifo,
  pfifo_head_drop: fifo,
  sfq: structOf(tcSfqQoptV1),
  red: nested(redAttributes),
  fq: nested(fqAttributes),
  fq_codel: nested(fqCodelAttributes),
  codel: nested(codelAttributes),
});

/** TCA_* of a qdisc, linux/rtnetlink.h. */
export const qdiscAttributes = defineAttributes("TCA", {
  kind: tcaKind,
  ...tcaCommon,
  ingressBlock: row("TCA_INGRESS_BLOCK", 13, u32),
  egressBlock: row("TCA_EGRESS_BLOCK", 14, u32),
  options: row("TCA_OPTIONS", 2, qdiscOptions),
  stab: row("TCA_STAB", 8, nested(stabAttributes)),
  dumpInvisible: row("TCA_DUMP_INVISIBLE", 10, flag),
  hwOffload: row("TCA_HW_OFFLOAD", 12, u8),
});

/** RTM_*QDISC, linux/rtnetlink.h. `info` of a reply is the reference count. */
export const qdisc = {
  name: "qdisc",
  types: { RTM_NEWQDISC: 36, RTM_DELQDISC: 37, RTM_GETQDISC: 38 },
  header: tcmsg,
  attributes: qdiscAttributes,
} satisfies Noun<(typeof tcmsg)["fields"], (typeof qdiscAttributes)["rows"]>;

/** TCA_* of a class: as of a qdisc, with options of its own. */
export const classAttributes = defineAttributes("TCA", {
  kind: tcaKind,
  ...tcaCommon,
  options: row("TCA_OPTIONS", 2, typedByKind("kind", { htb: nested(htbAttributes), hfsc: nested(hfscAttributes) })),
});

/** RTM_*TCLASS, linux/rtnetlink.h. `info` of a reply is the handle of the qdisc below the class. */
export const tclass = {
  name: "class",
  types: { RTM_NEWTCLASS: 40, RTM_DELTCLASS: 41, RTM_GETTCLASS: 42 },
  header: tcmsg,
  attributes: classAttributes,
} satisfies Noun<(typeof tcmsg)["fields"], (typeof classAttributes)["rows"]>;
