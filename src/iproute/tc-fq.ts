import type { AttributesIn, AttributesOut } from "../netlink/attribute.js";
import { type fqAttributes, tcFqQdStats } from "../netlink/qdisc-fq.js";
import { decodeStruct } from "../netlink/struct.js";
import { Reader } from "../netlink/wire.js";
import type { Shown } from "./shown.js";
import { rateText, sizeText, time64Text, timeText } from "./tc-format.js";
import type { QdiscKind } from "./tc-kind.js";
import { count, rate32, time, time64 } from "./tc-number.js";
import { readOptions } from "./tc-options.js";
import { atLeast } from "./tc-stats.js";
import type { Word, Words } from "./words.js";

type Rows = (typeof fqAttributes)["rows"];
type In = { -readonly [K in keyof AttributesIn<Rows>]: AttributesIn<Rows>[K] };
type Out = AttributesOut<Rows>;

const ALL_ONES = 0xffff_ffff;

function parse(words: Words): In {
  const to: In = {};
  readOptions(words, "qdisc fq", {
    limit: () => {
      to.plimit = count(words, "a number of packets");
    },
    flow_limit: () => {
      to.flowPlimit = count(words, "a number of packets");
    },
    buckets: () => {
      const buckets = count(words, "a number of buckets");
      // The kernel takes powers of two; what lies between is rounded up.
      to.bucketsLog = buckets === 0 ? undefined : Math.ceil(Math.log2(buckets));
    },
    maxrate: () => {
      to.flowMaxRate = rate32(words);
    },
    low_rate_threshold: () => {
      to.lowRateThreshold = rate32(words);
    },
    ce_threshold: () => {
      to.ceThreshold = time(words);
    },
    timer_slack: () => {
      const nanoseconds = time64(words);
      if (nanoseconds > ALL_ONES) throw words.refuse(words.last as Word, "is too long: 4.29s is the longest");
      to.timerSlack = Number(nanoseconds);
    },
    horizon_drop: () => {
      to.horizonDrop = 1;
    },
    horizon_cap: () => {
      to.horizonDrop = 0;
    },
    horizon: () => {
      to.horizon = time(words);
    },
    defrate: () => {
      to.flowDefaultRate = rate32(words);
    },
    quantum: () => {
      to.quantum = count(words, "a number of bytes");
    },
    initial_quantum: () => {
      to.initialQuantum = count(words, "a number of bytes");
    },
    orphan_mask: () => {
      to.orphanMask = count(words, "a mask");
    },
    refill_delay: () => {
      to.flowRefillDelay = time(words);
    },
    pacing: () => {
      to.rateEnable = 1;
    },
    nopacing: () => {
      to.rateEnable = 0;
    },
  });
  return to;
}

function show(shown: Shown, o: Out): void {
  const number = (key: string, value: number | undefined, unit = "") => {
    if (value !== undefined) shown.put(key, value, `${key} ${value}${unit} `);
  };
  const bytes = (key: string, value: number | undefined) => {
    if (value !== undefined) shown.put(key, value, `${key} ${sizeText(value)} `);
  };
  const rate = (key: string, value: number | undefined, unset: number) => {
    if (value !== undefined && value !== unset) shown.put(key, value, `${key} ${rateText(value, shown.flags.iec)} `);
  };
  const duration = (key: string, value: number | undefined, text = timeText) => {
    if (value !== undefined) shown.put(key, value, `${key} ${text(value)} `);
  };
  number("limit", o.plimit, "p");
  number("flow_limit", o.flowPlimit, "p");
  number("buckets", o.bucketsLog === undefined ? undefined : 2 ** o.bucketsLog);
  number("orphan_mask", o.orphanMask);
  if (o.rateEnable === 0) shown.put("pacing", false, "nopacing ");
  bytes("quantum", o.quantum);
  bytes("initial_quantum", o.initialQuantum);
  rate("maxrate", o.flowMaxRate, ALL_ONES);
  rate("defrate", o.flowDefaultRate, 0);
  rate("low_rate_threshold", o.lowRateThreshold, 0);
  duration("refill_delay", o.flowRefillDelay);
  if (o.ceThreshold !== ALL_ONES) duration("ce_threshold", o.ceThreshold);
  duration("timer_slack", o.timerSlack, time64Text);
  duration("horizon", o.horizon);
  if (o.horizonDrop === undefined) return;
  const word = o.horizonDrop === 0 ? "horizon_cap" : "horizon_drop";
  shown.put(word, null, `${word} `);
}

function showStats(shown: Shown, bytes: Uint8Array): void {
  const s = decodeStruct(new Reader(atLeast(bytes, tcFqQdStats.size)), tcFqQdStats);
  const some = (key: string, value: bigint, gap = " ") => {
    if (value !== 0n) shown.put(key, value, `${gap}${key} ${value}`);
  };
  shown.put("flows", s.flows, `  flows ${s.flows}`);
  shown.put("inactive", s.inactiveFlows, ` (inactive ${s.inactiveFlows}`);
  shown.put("throttled", s.throttledFlows, ` throttled ${s.throttledFlows})`);
  if (s.timeNextDelayedFlow > 0n)
    shown.put("next_packet_delay", s.timeNextDelayedFlow, ` next_packet_delay ${time64Text(s.timeNextDelayedFlow)}`);
  shown.newline();
  shown.put("gc", s.gcFlows, `  gc ${s.gcFlows}`);
  shown.put("highprio", s.highprioPackets, ` highprio ${s.highprioPackets}`);
  some("retrans", s.tcpRetrans);
  shown.put("throttled", s.throttled, ` throttled ${s.throttled}`);
  if (s.unthrottleLatencyNs !== 0)
    shown.put("latency", s.unthrottleLatencyNs, ` latency ${time64Text(s.unthrottleLatencyNs)}`);
  some("ce_mark", s.ceMark);
  some("flows_plimit", s.flowsPlimit);
  if ((s.pktsTooLong | s.allocationErrors | s.horizonDrops | s.horizonCaps) === 0n) return;
  shown.newline();
  some("pkts_too_long", s.pktsTooLong);
  some("alloc_errors", s.allocationErrors);
  some("horizon_drops", s.horizonDrops);
  some("horizon_caps", s.horizonCaps, "  ");
}

export const fq: QdiscKind = { qdisc: parse, show, showStats };
