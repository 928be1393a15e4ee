import { type tcSfqQoptV1, tcSfqXstats } from "../netlink/qdisc-fifo.js";
import { tcRedFlags } from "../netlink/qdisc-red.js";
import { decodeStruct, type StructIn, type StructOut } from "../netlink/struct.js";
import { Reader } from "../netlink/wire.js";
import { invalid } from "../values/error.js";
import type { Shown } from "./shown.js";
import { general, sizeText } from "./tc-format.js";
import type { QdiscKind } from "./tc-kind.js";
import { count, integer, probability, size } from "./tc-number.js";
import { readOptions } from "./tc-options.js";
import { averageLog, probabilityLog, showRedFlags } from "./tc-red.js";
import type { Word, Words } from "./words.js";

type In = StructIn<(typeof tcSfqQoptV1)["fields"]>;
type Out = StructOut<(typeof tcSfqQoptV1)["fields"]>;

function parse(words: Words): In | undefined {
  const v0 = { quantum: 0, perturbPeriod: 0, limit: 0, divisor: 0, flows: 0 };
  const red = { limit: 0, min: 0, max: 0, burst: 0, avpkt: 1000, probability: 0.02, flags: 0 };
  let depth = 0;
  let headdrop = 0;
  let asksRed = false;
  if (words.done) return undefined;
  const ofRed = (read: () => void) => () => {
    asksRed = true;
    read();
  };
  readOptions(words, "qdisc sfq", {
    quantum: () => {
      v0.quantum = size(words);
    },
    perturb: () => {
      v0.perturbPeriod = integer(words, "a number of seconds");
    },
    limit: () => {
      v0.limit = count(words, "a number of packets");
      if (v0.limit < 2) throw words.refuse(words.last as Word, "is too small: 2 packets are the least");
    },
    divisor: () => {
      v0.divisor = count(words);
    },
    flows: () => {
      v0.flows = count(words);
    },
    depth: () => {
      depth = count(words, "a number of packets");
    },
    headdrop: () => {
      headdrop = 1;
    },
    redflowlimit: ofRed(() => {
      red.limit = count(words, "a number of bytes");
    }),
    min: ofRed(() => {
      red.min = count(words, "a number of bytes");
    }),
    max: ofRed(() => {
      red.max = count(words, "a number of bytes");
    }),
    burst: ofRed(() => {
      red.burst = count(words, "a number of packets");
    }),
    avpkt: ofRed(() => {
      red.avpkt = size(words);
    }),
    probability: ofRed(() => {
      red.probability = probability(words);
    }),
    ecn: ofRed(() => {
      red.flags |= tcRedFlags.TC_RED_ECN;
    }),
    harddrop: ofRed(() => {
      red.flags |= tcRedFlags.TC_RED_HARDDROP;
    }),
  });
  return { v0, depth, headdrop, ...(asksRed ? redOptions(red) : {}) };
}

function redOptions(red: {
  limit: number;
  min: number;
  max: number;
  burst: number;
  avpkt: number;
  probability: number;
  flags: number;
}): In {
  const { limit, avpkt, flags } = red;
  if (limit === 0) throw invalid("qdisc sfq: the words of RED need a redflowlimit", "such as: redflowlimit 100000");
  if (avpkt === 0) throw invalid("qdisc sfq: avpkt is nothing");
  const max = red.max || Math.floor(limit / 4);
  const min = red.min || Math.floor(max / 3);
  const burst = red.burst || Math.floor((2 * min + max) / (3 * avpkt));
  if (max > limit) throw invalid("qdisc sfq: max is larger than redflowlimit");
  if (min >= max) throw invalid("qdisc sfq: min is not smaller than max");
  const Wlog = averageLog(min, burst, avpkt);
  if (Wlog === undefined)
    throw invalid(`qdisc sfq: a burst of ${burst} packets is too small`, `${1 + Math.floor(min / avpkt)} would do`);
  const Plog = probabilityLog(min, max, red.probability);
  if (Plog === undefined) throw invalid("qdisc sfq: the probability is too small");
  const max_P = Math.min(Math.trunc(red.probability * 2 ** 32), 0xffff_ffff);
  return { limit, qthMin: min, qthMax: max, Wlog, Plog, flags, max_P };
}

function show(shown: Shown, { v0, ...v1 }: Out): void {
  shown.put("limit", v0.limit, `limit ${v0.limit}p `);
  shown.put("quantum", v0.quantum, `quantum ${sizeText(v0.quantum)} `);
  if (v1.depth !== 0) shown.put("depth", v1.depth, `depth ${v1.depth} `);
  if (v1.headdrop !== 0) shown.put("headdrop", true, "headdrop ");
  if (shown.flags.details) shown.put("flows", v0.flows, `flows ${v0.flows} `);
  shown.put("divisor", v0.divisor, `divisor ${v0.divisor} `);
  if (v0.perturbPeriod !== 0) shown.put("perturb", v0.perturbPeriod, `perturb ${v0.perturbPeriod}sec `);
  if (v1.qthMin === 0) return;
  shown.put("ewma", v1.Wlog, `ewma ${v1.Wlog} `);
  shown.put("min", v1.qthMin, `min ${sizeText(v1.qthMin)} `);
  shown.put("max", v1.qthMax, `max ${sizeText(v1.qthMax)} `);
  const most = general(v1.max_P / 2 ** 32);
  shown.put("probability", Number(most), `probability ${most} `);
  showRedFlags(shown, v1.flags);
  if (!shown.flags.stats) return;
  const { stats } = v1;
  shown.newline();
  shown.put("prob_mark", stats.probMark, `  prob_mark ${stats.probMark}`);
  shown.put("prob_mark_head", stats.probMarkHead, ` prob_mark_head ${stats.probMarkHead}`);
  shown.put("prob_drop", stats.probDrop, ` prob_drop ${stats.probDrop}`);
  shown.newline();
  shown.put("forced_mark", stats.forcedMark, `  forced_mark ${stats.forcedMark}`);
  shown.put("forced_mark_head", stats.forcedMarkHead, ` forced_mark_head ${stats.forcedMarkHead}`);
  shown.put("forced_drop", stats.forcedDrop, ` forced_drop ${stats.forcedDrop}`);
}

function showStats(shown: Shown, bytes: Uint8Array): void {
  const reader = new Reader(bytes);
  if (reader.length < tcSfqXstats.size) return;
  const { allot } = decodeStruct(reader, tcSfqXstats);
  shown.put("allot", allot, `  allot ${allot}`);
}

export const sfq: QdiscKind = { qdisc: parse, show, showStats };
