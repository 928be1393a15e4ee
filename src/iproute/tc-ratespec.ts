import { tcLinkLayer, type tcRatespec } from "../netlink/qdisc-rate.js";
import type { StructIn } from "../netlink/struct.js";
import { cellLogOf, rateTable, type TcClock } from "./tc-clock.js";
import { linkLayerText } from "./tc-format.js";

export interface RateWords {
  /** Bytes per second. */
  readonly rate: number;
  /** Bytes; 0 is as good as 2047. */
  readonly mtu: number;
  readonly cellLog?: number | undefined;
  readonly mpu: number;
  readonly overhead: number;
  readonly linklayer: "ethernet" | "atm";
}

/** 0xffffffff where the true rate goes into an attribute of 64 bits. */
export function rateField(rate: number): number {
  return Math.min(rate, 0xffff_ffff);
}

/** The attribute of 64 bits, where it is needed. */
export function wideRate(rate: number): bigint | undefined {
  return rate >= 2 ** 32 ? BigInt(rate) : undefined;
}

/** struct tc_ratespec and the table of transmission times that goes along with it. */
export function ratespec(
  clock: TcClock,
  { rate, mtu, cellLog, mpu, overhead, linklayer }: RateWords,
): { spec: StructIn<(typeof tcRatespec)["fields"]>; table: Uint8Array } {
  const cell = cellLog ?? cellLogOf(mtu);
  const atm = linklayer === "atm";
  const spec = {
    cellLog: cell,
    linklayer: atm ? tcLinkLayer.TC_LINKLAYER_ATM : tcLinkLayer.TC_LINKLAYER_ETHERNET,
    overhead,
    cellAlign: -1,
    mpu,
    rate: rateField(rate),
  };
  return { spec, table: rateTable(clock, { rate, cellLog: cell, mpu, atm }) };
}

/** Name of the link layer, where it is worth telling. */
export function tellLinkLayer(linklayer: number, details: number | undefined): string | undefined {
  const layer = linklayer & 0x0f;
  return layer > tcLinkLayer.TC_LINKLAYER_ETHERNET || (details ?? 0) > 0 ? linkLayerText(layer) : undefined;
}
