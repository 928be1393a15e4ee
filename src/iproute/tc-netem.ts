import type { AttributesIn } from "../netlink/attribute.js";
import type { netemAttributes, tcNetemQopt } from "../netlink/qdisc-netem.js";
import type { StructIn } from "../netlink/struct.js";
import { ticksOf } from "./tc-clock.js";
import type { QdiscKind, TcContext } from "./tc-kind.js";
import { showNetem } from "./tc-netem-show.js";
import { count, integer, numberFollows, percent, rate, share, size, time, time64, wholeOf } from "./tc-number.js";
import { readOptions } from "./tc-options.js";
import { vocabulary } from "./vocabulary.js";
import type { Word, Words } from "./words.js";

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Attributes = Writable<AttributesIn<(typeof netemAttributes)["rows"]>>;
type Header = Writable<StructIn<(typeof tcNetemQopt)["fields"]>>;

const WHOLE = 0xffff_ffff;

function ticks(words: Words, { clock }: TcContext): number {
  const microseconds = time(words);
  const longest = 2 ** 32 / clock.ticksPerMicrosecond;
  if (microseconds >= longest)
    throw words.refuse(words.last as Word, `is too long: netem waits ${Math.floor(longest / 1e6)}s at most`);
  return ticksOf(clock, microseconds);
}

/** TCA_NETEM_*_DIST: the numbers as the machine has them. */
function distribution(words: Words, context: TcContext): Uint8Array {
  const word = words.argument("the name of a distribution");
  const found = context.distribution(word.text);
  if ("reason" in found) throw words.refuse(word, `no such distribution can be had: ${found.reason}`);
  return new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
}

/** Reads as many percentages as follow, into these fields in turn, and says how many they were. */
function percentages<K extends string>(words: Words, into: Record<K, number>, fields: readonly K[]): number {
  let read = 0;
  for (const field of fields) {
    if (!numberFollows(words)) break;
    into[field] = percent(words);
    read++;
  }
  return read;
}

const lossModels = vocabulary({ random: "random", state: "state", gemodel: "gemodel" });
const slotPackets = vocabulary({ packets: "packets*" });
const slotBytes = vocabulary({ bytes: "bytes*" });

export const netem: QdiscKind = {
  qdisc(words, context) {
    const header: Header = { limit: 1000 };
    const attributes: Attributes = {};
    const corr = { delayCorr: 0, lossCorr: 0, dupCorr: 0 };
    let gapAt: Word | undefined;
    let distributionAt: Word | undefined;
    /** An optional correlation. The attribute of all three goes along whenever one was said, for reorder and corrupt too. */
    const correlation = (): number | undefined => {
      if (!numberFollows(words)) return undefined;
      attributes.corr = corr;
      return percent(words);
    };
    const impaired = () => ({ probability: percent(words), correlation: correlation() });
    const loss = (word: Word) => {
      if (header.loss || attributes.loss !== undefined) throw words.refuse(word, "there is one kind of loss already");
      // Without the word random it is the oldest way to say it.
      const model = numberFollows(words) ? "random" : words.choice(lossModels, "a kind of loss");
      if (model === "random") {
        header.loss = percent(words);
        corr.lossCorr = correlation() ?? corr.lossCorr;
      } else if (model === "state") {
        const p13 = share(words);
        const gi = { p13: wholeOf(p13), p31: wholeOf(1 - p13), p32: 0, p23: WHOLE, p14: 0 };
        percentages(words, gi, ["p31", "p32", "p23", "p14"]);
        attributes.loss = { gi };
      } else {
        const p = share(words);
        const ge = { p: wholeOf(p), r: wholeOf(1 - p), h: 0, k1: 0 };
        // The words name 1-h, the kernel wants h.
        if (percentages(words, ge, ["r", "h"]) === 2) {
          ge.h = WHOLE - ge.h;
          percentages(words, ge, ["k1"]);
        }
        attributes.loss = { ge };
      }
    };
    readOptions(words, "qdisc netem", {
      "limit*": () => {
        header.limit = size(words);
      },
      "latency*|delay*": () => {
        header.latency = ticks(words, context);
        if (!numberFollows(words)) return;
        header.jitter = ticks(words, context);
        corr.delayCorr = correlation() ?? corr.delayCorr;
      },
      "loss*|drop*": loss,
      "ecn*": () => {
        attributes.ecn = 1;
      },
      "reorder*": () => {
        attributes.reorder = impaired();
      },
      "corrupt*": () => {
        attributes.corrupt = impaired();
      },
      "gap*": (word) => {
        gapAt = word;
        header.gap = count(words);
      },
      "duplicate*": () => {
        header.duplicate = percent(words);
        corr.dupCorr = correlation() ?? corr.dupCorr;
      },
      "distribution*": (word) => {
        distributionAt = word;
        attributes.delayDist = distribution(words, context);
      },
      "rate*": () => netemRate(words, attributes),
      "slot*": () => slot(words, context, attributes),
    });
    if (attributes.reorder?.probability) {
      if (!header.latency)
        throw words.refuse(words.last as Word, "reordering needs a delay", "such as: delay 10ms reorder 25%");
      header.gap ||= 1;
    } else if (gapAt !== undefined && header.gap)
      throw words.refuse(gapAt, "a gap is of reordering, which there is none of", "such as: reorder 25% gap 5");
    if (attributes.ecn === 1 && !header.loss && attributes.loss === undefined)
      throw words.refuse(words.last as Word, "ecn marks what would be lost, and nothing is", "such as: loss 1% ecn");
    if (distributionAt !== undefined && (!header.latency || !header.jitter))
      throw words.refuse(
        distributionAt,
        "a distribution needs a delay and a jitter",
        "such as: delay 100ms 10ms distribution normal",
      );
    return { header, attributes };
  },
  show: showNetem,
};

function netemRate(words: Words, attributes: Attributes): void {
  const bytesPerSecond = rate(words);
  attributes.rate64 = bytesPerSecond >= 2 ** 32 ? BigInt(bytesPerSecond) : undefined;
  attributes.rate = {
    rate: Math.min(bytesPerSecond, WHOLE),
    packetOverhead: numberFollows(words, { signed: true }) ? integer(words) : 0,
    cellSize: numberFollows(words) ? count(words) : 0,
    cellOverhead: numberFollows(words, { signed: true }) ? integer(words) : 0,
  };
}

function slot(words: Words, context: TcContext, attributes: Attributes): void {
  const one: Writable<NonNullable<Attributes["slot"]>> = {};
  if (numberFollows(words)) {
    one.minDelay = time64(words);
    one.maxDelay = numberFollows(words) ? time64(words) : one.minDelay;
    if (one.maxDelay < one.minDelay) throw words.refuse(words.last as Word, "is below the shortest delay");
  } else {
    const word = words.argument("a delay");
    if (word.text !== "distribution")
      throw words.unknown(word, ["distribution"], "is neither a delay nor distribution");
    attributes.slotDist = distribution(words, context);
    one.distDelay = time64(words);
    one.distJitter = time64(words);
    if (one.distJitter === 0n) throw words.refuse(words.last as Word, "without jitter there is no distribution");
  }
  if (words.keyword(slotPackets)) one.maxPackets = integer(words);
  if (words.keyword(slotBytes)) one.maxBytes = size(words) | 0;
  attributes.slot = one;
}
