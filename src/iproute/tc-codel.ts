import type { AttributesIn, AttributesOut } from "../netlink/attribute.js";
import {
  type codelAttributes,
  type fqCodelAttributes,
  fqCodelXstats,
  tcCodelXstats,
  tcFqCodelClStats,
  tcFqCodelQdStats,
} from "../netlink/qdisc-fq.js";
import { decodeStruct } from "../netlink/struct.js";
import { Reader } from "../netlink/wire.js";
import type { Shown } from "./shown.js";
import { sizeText, timeText } from "./tc-format.js";
import type { QdiscKind } from "./tc-kind.js";
import { count, countOf, size, time } from "./tc-number.js";
import { type Options, readOptions } from "./tc-options.js";
import { atLeast } from "./tc-stats.js";
import type { Words } from "./words.js";

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type CodelIn = Writable<AttributesIn<(typeof codelAttributes)["rows"]>>;
type FqCodelIn = Writable<AttributesIn<(typeof fqCodelAttributes)["rows"]>>;
type FqCodelOut = AttributesOut<(typeof fqCodelAttributes)["rows"]>;

/** All ones is what the kernel has where there is no threshold, and nothing is what it takes for its default. */
const said = (value: number) => (value === 0 ? undefined : value);
const notAll = (value: number) => (value === 0xffff_ffff ? undefined : value);

/** What both kinds have. */
function common(words: Words, to: CodelIn): Options {
  return {
    limit: () => {
      to.limit = said(count(words, "a number of packets"));
    },
    target: () => {
      to.target = said(time(words));
    },
    ce_threshold: () => {
      to.ceThreshold = notAll(time(words));
    },
    interval: () => {
      to.interval = said(time(words));
    },
    ecn: () => {
      to.ecn = 1;
    },
    noecn: () => {
      to.ecn = 0;
    },
  };
}

function parseCodel(words: Words): CodelIn {
  const to: CodelIn = {};
  readOptions(words, "qdisc codel", common(words, to));
  return to;
}

function parseFqCodel(words: Words): FqCodelIn {
  const to: FqCodelIn = {};
  readOptions(words, "qdisc fq_codel", {
    ...common(words, to),
    flows: () => {
      to.flows = said(count(words));
    },
    quantum: () => {
      to.quantum = said(count(words, "a number of bytes"));
    },
    drop_batch: () => {
      to.dropBatchSize = said(count(words, "a number of packets"));
    },
    ce_threshold_selector: () => {
      const word = words.argument("a value and a mask");
      const [value, mask, more] = word.text.split("/");
      if (mask === undefined || more !== undefined)
        throw words.refuse(word, "is not a value and a mask", "such as 0x01/0x03");
      to.ceThresholdMask = countOf(words, { ...word, text: mask }, "a mask", 0, 0xff);
      const selector = countOf(words, { ...word, text: value ?? "" }, "a value", 0, 0xff);
      if (selector === 0xff) to.ceThresholdMask = undefined;
      else to.ceThresholdSelector = selector;
    },
    memory_limit: () => {
      to.memoryLimit = notAll(size(words));
    },
  });
  return to;
}

function show(shown: Shown, o: FqCodelOut): void {
  const number = (key: string, value: number | undefined, unit = "") => {
    if (value !== undefined) shown.put(key, value, `${key} ${value}${unit} `);
  };
  const duration = (key: string, value: number | undefined) => {
    if (value !== undefined) shown.put(key, value, `${key} ${timeText(value)} `);
  };
  number("limit", o.limit, "p");
  number("flows", o.flows);
  number("quantum", o.quantum);
  duration("target", o.target);
  duration("ce_threshold", o.ceThreshold);
  const [selector, mask] = [o.ceThresholdSelector ?? 0, o.ceThresholdMask ?? 0];
  if (selector !== 0 || mask !== 0) {
    const hex = (value: number) => (value === 0 ? "0" : `0x${value.toString(16)}`);
    shown.put("ce_threshold_selector", selector, `ce_threshold_selector ${hex(selector)}`);
    shown.put("ce_threshold_mask", mask, `/${hex(mask)} `);
  }
  duration("interval", o.interval);
  if (o.memoryLimit !== undefined) shown.put("memory_limit", o.memoryLimit, `memory_limit ${sizeText(o.memoryLimit)} `);
  if (o.ecn) shown.put("ecn", true, "ecn ");
  if (o.dropBatchSize) number("drop_batch", o.dropBatchSize);
}

/** A moment that may lie behind. */
function dropNext(shown: Shown, value: number): void {
  shown.put("drop_next", value, ` drop_next ${value < 0 ? "-" : ""}${timeText(Math.abs(value))}`);
}

function showFqCodelStats(shown: Shown, bytes: Uint8Array): void {
  const all = atLeast(bytes, 4 + tcFqCodelQdStats.size);
  const type = new Reader(all).u32(0);
  const rest = new Reader(all.subarray(4));
  const put = (key: string, value: number, gap = " ") => shown.put(key, value, `${gap}${key} ${value}`);
  if (type === fqCodelXstats.TCA_FQ_CODEL_XSTATS_QDISC) {
    const s = decodeStruct(rest, tcFqCodelQdStats);
    put("maxpacket", s.maxpacket, "  ");
    put("drop_overlimit", s.dropOverlimit);
    put("new_flow_count", s.newFlowCount);
    put("ecn_mark", s.ecnMark);
    if (s.ceMark !== 0) put("ce_mark", s.ceMark);
    if (s.memoryUsage !== 0) put("memory_used", s.memoryUsage);
    if (s.dropOvermemory !== 0) put("drop_overmemory", s.dropOvermemory);
    shown.newline();
    put("new_flows_len", s.newFlowsLen, "  ");
    put("old_flows_len", s.oldFlowsLen);
  } else if (type === fqCodelXstats.TCA_FQ_CODEL_XSTATS_CLASS) {
    const s = decodeStruct(rest, tcFqCodelClStats);
    put("deficit", s.deficit, "  ");
    put("count", s.count);
    put("lastcount", s.lastcount);
    shown.put("ldelay", s.ldelay, ` ldelay ${timeText(s.ldelay)}`);
    if (s.dropping === 0) return;
    shown.put("dropping", true, " dropping");
    dropNext(shown, s.dropNext);
  }
}

function showCodelStats(shown: Shown, bytes: Uint8Array): void {
  const s = decodeStruct(new Reader(atLeast(bytes, tcCodelXstats.size)), tcCodelXstats);
  const put = (key: string, value: number, gap = " ") => shown.put(key, value, `${gap}${key} ${value}`);
  put("count", s.count, "  ");
  put("lastcount", s.lastcount);
  shown.put("ldelay", s.ldelay, ` ldelay ${timeText(s.ldelay)}`);
  if (s.dropping !== 0) shown.put("dropping", true, " dropping");
  dropNext(shown, s.dropNext);
  shown.newline();
  put("maxpacket", s.maxpacket, "  ");
  put("ecn_mark", s.ecnMark);
  put("drop_overlimit", s.dropOverlimit);
  if (s.ceMark !== 0) put("ce_mark", s.ceMark);
}

export const codel: QdiscKind = { qdisc: parseCodel, show, showStats: showCodelStats };
export const fqCodel: QdiscKind = { qdisc: parseFqCodel, show, showStats: showFqCodelStats };
