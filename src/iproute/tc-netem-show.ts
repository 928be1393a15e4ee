import type { AttributesOut } from "../netlink/attribute.js";
import type { netemAttributes, tcNetemQopt } from "../netlink/qdisc-netem.js";
import type { StructOut } from "../netlink/struct.js";
import type { Shown } from "./shown.js";
import { microsecondsOf } from "./tc-clock.js";
import { general, percentText, rateText, shareOf, time64Text, timeText } from "./tc-format.js";
import type { TcContext } from "./tc-kind.js";

type Options = {
  header: StructOut<(typeof tcNetemQopt)["fields"]>;
  attributes: AttributesOut<(typeof netemAttributes)["rows"]>;
};

const float = (value: number) => Number(general(value));

/** Percent in the text, a share of one in the data. */
function share(shown: Shown, key: string, value: number, label = ` ${key}`): void {
  shown.put(key, shareOf(value), `${label} ${percentText(value)}`);
}

/** The text has a correlation only where there is one. */
function correlation(shown: Shown, value: number, present: boolean): void {
  shown.data("correlation", shareOf(value));
  if (present) shown.text(` ${percentText(value)}`);
}

function signed(shown: Shown, key: string, value: number): void {
  shown.data(key, value);
  if (value !== 0) shown.text(` ${key} ${value}`);
}

function time64(shown: Shown, key: string, value: bigint, label: string): void {
  shown.put(key, float(Number(value) / 1e9), `${label} ${time64Text(value)}`);
}

export function showNetem(shown: Shown, { header, attributes: a }: Options, { clock }: TcContext): void {
  const { corr } = a;
  shown.put("limit", header.limit, `limit ${header.limit | 0}`);
  if (header.latency !== 0) {
    shown.object("delay", () => {
      const [delay, jitter] = [microsecondsOf(clock, header.latency), microsecondsOf(clock, header.jitter)];
      shown.put("delay", float(delay / 1e6), ` delay ${timeText(delay)}`);
      shown.data("jitter", float(jitter / 1e6));
      if (header.jitter !== 0) shown.text(`  ${timeText(jitter)}`);
      correlation(shown, corr?.delayCorr ?? 0, header.jitter !== 0 && (corr?.delayCorr ?? 0) !== 0);
    });
  }
  const { loss } = a;
  if (header.loss !== 0) {
    shown.object("loss-random", () => {
      share(shown, "loss", header.loss);
      correlation(shown, corr?.lossCorr ?? 0, (corr?.lossCorr ?? 0) !== 0);
    });
  }
  const gi = loss?.gi;
  if (gi !== undefined) {
    shown.object("loss-state", () => {
      share(shown, "p13", gi.p13, " loss state p13");
      for (const key of ["p31", "p32", "p23", "p14"] as const) share(shown, key, gi[key]);
    });
  }
  const ge = loss?.ge;
  if (ge !== undefined) {
    shown.object("loss-gemodel", () => {
      share(shown, "p", ge.p, " loss gemodel p");
      share(shown, "r", ge.r);
      share(shown, "1-h", 0xffff_ffff - ge.h);
      share(shown, "1-k", ge.k1);
    });
  }
  if (header.duplicate !== 0) {
    shown.object("duplicate", () => {
      share(shown, "duplicate", header.duplicate);
      correlation(shown, corr?.dupCorr ?? 0, (corr?.dupCorr ?? 0) !== 0);
    });
  }
  for (const key of ["reorder", "corrupt"] as const) {
    const one = a[key];
    if (one === undefined || one.probability === 0) continue;
    shown.object(key, () => {
      share(shown, key, one.probability);
      correlation(shown, one.correlation, one.correlation !== 0);
    });
  }
  showRateAndSlot(shown, a);
  shown.data("ecn", a.ecn !== undefined);
  if (a.ecn !== undefined) shown.text(" ecn ");
  shown.data("gap", header.gap);
  if (header.gap !== 0) shown.text(` gap ${header.gap}`);
}

function showRateAndSlot(shown: Shown, { rate, rate64, slot }: Options["attributes"]): void {
  if (rate !== undefined && rate.rate !== 0) {
    shown.object("rate", () => {
      const bytesPerSecond = rate64 || BigInt(rate.rate);
      shown.put("rate", bytesPerSecond, ` rate ${rateText(bytesPerSecond, shown.flags.iec)}`);
      signed(shown, "packetoverhead", rate.packetOverhead);
      signed(shown, "cellsize", rate.cellSize);
      signed(shown, "celloverhead", rate.cellOverhead);
    });
  }
  if (slot === undefined) return;
  shown.object("slot", () => {
    if (slot.distJitter > 0n) {
      time64(shown, "distribution", slot.distDelay, " slot distribution");
      time64(shown, "jitter", slot.distJitter, "");
    } else {
      time64(shown, "min-delay", slot.minDelay, " slot");
      time64(shown, "max-delay", slot.maxDelay, "");
    }
    signed(shown, "packets", slot.maxPackets);
    signed(shown, "bytes", slot.maxBytes);
  });
}
