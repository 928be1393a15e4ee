import type { AttributesOut } from "../netlink/attribute.js";
import type { tbfAttributes } from "../netlink/qdisc-rate.js";
import { invalid } from "../values/error.js";
import type { Shown } from "./shown.js";
import { microsecondsOf, transmissionTicks, transmittedBytes } from "./tc-clock.js";
import { hex8, rateText, sizeText, timeText } from "./tc-format.js";
import type { QdiscKind, TcContext } from "./tc-kind.js";
import { count, linkLayer, rate, size, sizeAndCell, time } from "./tc-number.js";
import { once, readOptions } from "./tc-options.js";
import { rateField, ratespec, tellLinkLayer, wideRate } from "./tc-ratespec.js";
import type { Words } from "./words.js";

type Options = AttributesOut<(typeof tbfAttributes)["rows"]>;

const example = "such as: tbf rate 10mbit burst 32kb latency 50ms";

function parse(words: Words, { clock }: TcContext) {
  let limit: number | undefined;
  let latency: number | undefined;
  let burst: ReturnType<typeof sizeAndCell> | undefined;
  let mtu: ReturnType<typeof sizeAndCell> | undefined;
  let mpu: number | undefined;
  let bytesPerSecond: number | undefined;
  let peak: number | undefined;
  let overhead = 0;
  let linklayer: "ethernet" | "atm" = "ethernet";
  readOptions(words, "qdisc tbf", {
    "limit*": (word) => {
      once(words, word, limit);
      if (latency !== undefined) throw words.refuse(word, "says the same as latency, which is there already");
      limit = size(words);
    },
    "latency*": (word) => {
      once(words, word, latency);
      if (limit !== undefined) throw words.refuse(word, "says the same as limit, which is there already");
      latency = time(words);
    },
    "burst*|buffer|maxburst": (word) => {
      once(words, word, burst);
      burst = sizeAndCell(words);
    },
    "mtu|minburst": (word) => {
      once(words, word, mtu);
      mtu = sizeAndCell(words);
    },
    mpu: (word) => {
      once(words, word, mpu);
      mpu = size(words);
    },
    rate: (word) => {
      once(words, word, bytesPerSecond);
      bytesPerSecond = rate(words);
    },
    "peakrate*": (word) => {
      once(words, word, peak);
      peak = rate(words);
    },
    "overhead*": () => {
      overhead = count(words, "a number of bytes", 10, 0xffff);
    },
    "linklayer*": () => {
      linklayer = linkLayer(words);
    },
  });
  if (!bytesPerSecond) throw invalid("qdisc tbf: the rate is missing", example);
  if (!burst?.size) throw invalid("qdisc tbf: the burst is missing", example);
  if (peak && !mtu?.size)
    throw invalid("qdisc tbf: a peakrate needs an mtu", "the size of the largest packet, such as: mtu 1540");
  if (!limit && !latency) throw invalid("qdisc tbf: neither limit nor latency is there", example);
  const within = (bytes: number, much: number) => (bytes * (latency ?? 0)) / 1_000_000 + much;
  const most = Math.min(
    within(bytesPerSecond, burst.size),
    peak ? within(peak, mtu?.size ?? 0) : Number.POSITIVE_INFINITY,
  );
  const common = { mtu: mtu?.size ?? 0, mpu: mpu ?? 0, overhead, linklayer };
  const { spec, table } = ratespec(clock, { ...common, rate: rateField(bytesPerSecond), cellLog: burst.cellLog });
  const parms = {
    rate: spec,
    limit: limit || Math.min(Math.trunc(most), 0xffff_ffff),
    buffer: transmissionTicks(clock, rateField(bytesPerSecond), burst.size),
  };
  const attributes = { burst: burst.size, rate64: wideRate(bytesPerSecond), rtab: table };
  if (!peak) return { parms, ...attributes };
  const peakSpec = ratespec(clock, { ...common, rate: rateField(peak), cellLog: mtu?.cellLog });
  return {
    parms: { ...parms, peakrate: peakSpec.spec, mtu: transmissionTicks(clock, rateField(peak), common.mtu) },
    ...attributes,
    prate64: wideRate(peak),
    pburst: common.mtu,
    ptab: peakSpec.table,
  };
}

/** A burst, with -details the size of its cells as well. */
function burstOf(shown: Shown, key: string, briefKey: string, bytes: number, cellLog: number, mpu: number): void {
  if (!shown.flags.details) {
    shown.put(briefKey, bytes, `${briefKey} ${sizeText(bytes)} `);
    return;
  }
  const text = `${sizeText(bytes)}/${2 ** cellLog}`;
  shown.put(key, text, `${key} ${text} `);
  shown.put("mpu", mpu, `mpu ${sizeText(mpu)} `);
}

function show(shown: Shown, { parms, rate64, prate64 }: Options, { clock }: TcContext): void {
  if (parms === undefined) return;
  const { iec, raw, details } = shown.flags;
  const bytesPerSecond = Number(rate64 ?? parms.rate.rate);
  const peak = Number(prate64 ?? parms.peakrate.rate);
  shown.put("rate", rate64 ?? parms.rate.rate, `rate ${rateText(rate64 ?? parms.rate.rate, iec)} `);
  const { cellLog, mpu } = parms.rate;
  burstOf(shown, "burst", "burst", transmittedBytes(clock, bytesPerSecond, parms.buffer), cellLog, mpu);
  if (raw) shown.put("burst_raw", parms.buffer.toString(16), `[${hex8(parms.buffer)}] `);
  if (peak !== 0) {
    shown.put("peakrate", prate64 ?? parms.peakrate.rate, `peakrate ${rateText(prate64 ?? parms.peakrate.rate, iec)} `);
    if (parms.mtu !== 0 || parms.peakrate.mpu !== 0) {
      const bytes = transmittedBytes(clock, peak, parms.mtu);
      burstOf(shown, "mtu", "minburst", bytes, parms.peakrate.cellLog, parms.peakrate.mpu);
      if (raw) shown.put("mtu_raw", parms.mtu.toString(16), `[${hex8(parms.mtu)}] `);
    }
  }
  const after = (rate: number, ticks: number) => 1_000_000 * (parms.limit / rate) - microsecondsOf(clock, ticks);
  const latency = Math.max(after(bytesPerSecond, parms.buffer), peak === 0 ? -Infinity : after(peak, parms.mtu));
  if (latency >= 0) shown.put("lat", Math.trunc(latency), `lat ${timeText(Math.trunc(latency))} `);
  if (raw || latency < 0) shown.put("limit", parms.limit, `limit ${sizeText(parms.limit)} `);
  if (parms.rate.overhead !== 0) shown.put("overhead", parms.rate.overhead, `overhead ${parms.rate.overhead} `);
  const layer = tellLinkLayer(parms.rate.linklayer, details);
  if (layer !== undefined) shown.put("linklayer", layer, `linklayer ${layer} `);
}

export const tbf: QdiscKind = { qdisc: parse, show };
