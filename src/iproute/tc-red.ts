import type { AttributesIn, AttributesOut } from "../netlink/attribute.js";
import { type redAttributes, tcRedFlags, tcRedXstats } from "../netlink/qdisc-red.js";
import { decodeStruct } from "../netlink/struct.js";
import { Reader } from "../netlink/wire.js";
import { invalid } from "../values/error.js";
import type { Shown } from "./shown.js";
import { transmissionTicks } from "./tc-clock.js";
import { general, sizeText } from "./tc-format.js";
import type { QdiscKind, TcContext } from "./tc-kind.js";
import { count, countOf, probability, rate32, size } from "./tc-number.js";
import { readOptions } from "./tc-options.js";
import type { Words } from "./words.js";

type In = AttributesIn<(typeof redAttributes)["rows"]>;
type Out = AttributesOut<(typeof redAttributes)["rows"]>;

/** -log2 of the weight of the moving average, from Floyd's rule: burst + 1 - min/avpkt < (1 - (1-W)^burst) / W. */
export function averageLog(min: number, burst: number, avpkt: number): number | undefined {
  const packets = burst + 1 - min / avpkt;
  if (packets < 1) return undefined;
  for (let log = 1; log < 32; log++) {
    const weight = 2 ** -log;
    if (packets <= (1 - (1 - weight) ** burst) / weight) return log;
  }
  return undefined;
}

/** -log2 of the growth of the probability with each byte between the thresholds. */
export function probabilityLog(min: number, max: number, most: number): number | undefined {
  if (max === min) return 0;
  if (max < min) return undefined;
  let growth = most / (max - min);
  for (let log = 0; log < 32; log++) {
    if (growth > 1) return log;
    growth *= 2;
  }
  return undefined;
}

/** How far the average falls while nothing is queued: -log(1-W) * t / (time of a packet), in steps of 1 << cellLog ticks. */
function idleDamping({ clock }: TcContext, log: number, avpkt: number, rate: number) {
  const perTick = -Math.log(1 - 1 / 2 ** log) / transmissionTicks(clock, rate, avpkt);
  const longest = 31 / perTick;
  let cellLog = 0;
  while (cellLog < 32 && longest / 2 ** cellLog >= 512) cellLog++;
  if (cellLog >= 32) return undefined;
  const table = Uint8Array.from({ length: 256 }, (_, i) => Math.min(31, Math.trunc(i * 2 ** cellLog * perTick) & 0xff));
  table[255] = 31;
  return { cellLog, table };
}

function parse(words: Words, context: TcContext): In {
  let limit = 0;
  let min = 0;
  let max = 0;
  let burst = 0;
  let avpkt = 0;
  let most = 0.02;
  let bandwidth = 0;
  let flags = 0;
  const blocks: { earlyDropBlock?: number; markBlock?: number } = {};
  const flag = (bit: number) => () => {
    flags |= bit;
  };
  readOptions(words, "qdisc red", {
    limit: () => {
      limit = size(words);
    },
    min: () => {
      min = size(words);
    },
    max: () => {
      max = size(words);
    },
    burst: () => {
      burst = count(words, "a number of packets");
    },
    avpkt: () => {
      avpkt = size(words);
    },
    probability: () => {
      most = probability(words);
    },
    bandwidth: () => {
      bandwidth = rate32(words);
    },
    ecn: flag(tcRedFlags.TC_RED_ECN),
    harddrop: flag(tcRedFlags.TC_RED_HARDDROP),
    nodrop: flag(tcRedFlags.TC_RED_NODROP),
    "adaptative|adaptive": flag(tcRedFlags.TC_RED_ADAPTATIVE),
    "qevent*": () => {
      const event = words.argument("early_drop or mark");
      const key = event.text === "early_drop" ? "earlyDropBlock" : event.text === "mark" ? "markBlock" : undefined;
      if (key === undefined) throw words.unknown(event, ["early_drop", "mark"], "is no event of qdisc red");
      const word = words.argument("the word block");
      if (word.text !== "block") throw words.unknown(word, ["block"], "is not the word block");
      if (blocks[key] !== undefined) throw words.refuse(event, "is there twice");
      const number = words.argument("the number of a block");
      blocks[key] = countOf(words, number, "the number of a block", 10);
      if (blocks[key] === 0) throw words.refuse(number, "is not the number of a block");
    },
  });
  if (limit === 0 || avpkt === 0)
    throw invalid("qdisc red: limit and avpkt are needed", "such as: red limit 400000 avpkt 1000 bandwidth 10mbit");
  max ||= min !== 0 ? (min * 3) >>> 0 : Math.floor(limit / 4);
  min ||= Math.floor(max / 3);
  burst ||= Math.floor((2 * min + max) / (3 * avpkt));
  const Wlog = averageLog(min, burst, avpkt);
  if (Wlog === undefined)
    throw invalid(`qdisc red: a burst of ${burst} packets is too small`, `${1 + Math.floor(min / avpkt)} would do`);
  const Plog = probabilityLog(min, max, most);
  if (Plog === undefined) throw invalid("qdisc red: max must be larger than min, and the probability not too small");
  const damping = idleDamping(context, Wlog, avpkt, bandwidth || 10_000_000 / 8);
  if (damping === undefined) throw invalid("qdisc red: the bandwidth is too small");
  return {
    parms: { limit, qthMin: min, qthMax: max, Wlog, Plog, Scell_log: damping.cellLog },
    stab: damping.table,
    maxP: Math.min(Math.trunc(most * 2 ** 32), 0xffff_ffff),
    flags: { value: flags, selector: 0xf },
    ...blocks,
  };
}

/** Those that are not set stand in the data as well. */
export function showRedFlags(shown: Shown, flags: number): void {
  for (const [key, bit] of [
    ["ecn", tcRedFlags.TC_RED_ECN],
    ["harddrop", tcRedFlags.TC_RED_HARDDROP],
    ["adaptive", tcRedFlags.TC_RED_ADAPTATIVE],
    ["nodrop", tcRedFlags.TC_RED_NODROP],
  ] as const) {
    shown.data(key, (flags & bit) !== 0);
    if ((flags & bit) !== 0) shown.text(`${key} `);
  }
}

function show(shown: Shown, { parms, maxP, flags, earlyDropBlock, markBlock }: Out): void {
  if (parms === undefined) return;
  shown.put("limit", parms.limit, `limit ${sizeText(parms.limit)} `);
  shown.put("min", parms.qthMin, `min ${sizeText(parms.qthMin)} `);
  shown.put("max", parms.qthMax, `max ${sizeText(parms.qthMax)} `);
  showRedFlags(shown, flags?.value ?? parms.flags);
  if (shown.flags.details) {
    shown.put("ewma", parms.Wlog, `ewma ${parms.Wlog} `);
    if (maxP) shown.put("probability", Number(general(maxP / 2 ** 32)), `probability ${general(maxP / 2 ** 32)} `);
    else shown.put("Plog", parms.Plog, `Plog ${parms.Plog} `);
    shown.put("Scell_log", parms.Scell_log, `Scell_log ${parms.Scell_log}`);
  }
  const events = [["early_drop", earlyDropBlock] as const, ["mark", markBlock] as const].filter(([, block]) => block);
  if (events.length === 0) return;
  shown.array("qevents", () => {
    for (const [kind, block] of events) {
      shown.object(null, () => {
        shown.put("kind", kind, `qevent ${kind}`);
        shown.put("block", block as number, ` block ${block} `);
      });
    }
  });
}

function showStats(shown: Shown, bytes: Uint8Array): void {
  const reader = new Reader(bytes);
  if (reader.length < tcRedXstats.size) return;
  const stats = decodeStruct(reader, tcRedXstats);
  shown.text("  ");
  for (const key of ["marked", "early", "pdrop", "other"] as const) shown.put(key, stats[key], `${key} ${stats[key]} `);
}

export const red: QdiscKind = { qdisc: parse, show, showStats };
