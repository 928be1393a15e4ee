import { major, minor, tcHandles } from "../netlink/tcmsg.js";
import { roundToEven } from "./tc-number.js";

/** printf's %.<digits>g. */
export function general(value: number, digits = 6): string {
  if (value === 0) return "0";
  const exponent = Number(value.toExponential(digits - 1).split("e")[1]);
  if (exponent < -4 || exponent >= digits) {
    const [mantissa, power] = value.toExponential(digits - 1).split("e") as [string, string];
    const sign = power.startsWith("-") ? "-" : "+";
    return `${withoutZeros(mantissa)}e${sign}${power.replace(/^[+-]/, "").padStart(2, "0")}`;
  }
  return withoutZeros(value.toFixed(digits - 1 - exponent));
}

function withoutZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Bytes: whole megabytes and kilobytes where it is near to them. */
export function sizeText(bytes: number): string {
  for (const [scale, name, near] of [
    [1024 * 1024, "Mb", 1024],
    [1024, "Kb", 16],
  ] as const) {
    const whole = roundToEven(bytes / scale);
    if (bytes >= scale && Math.abs(scale * whole - bytes) < near) return `${general(whole)}${name}`;
  }
  return `${bytes}b`;
}

/** Bytes per second in bits: decimal prefixes, or binary ones for -iec, as long as at least four digits remain exact. */
export function rateText(bytesPerSecond: number | bigint, iec = false): string {
  const step = iec ? 1024n : 1000n;
  const prefixes = ["", "K", "M", "G", "T"];
  let bits = BigInt.asUintN(64, BigInt(bytesPerSecond) * 8n);
  let prefix = 0;
  while (prefix < prefixes.length - 1 && bits >= step && (bits % step === 0n || bits >= 1000n * step)) {
    bits /= step;
    prefix++;
  }
  return `${bits}${prefixes[prefix]}${prefix > 0 && iec ? "i" : ""}bit`;
}

/** Microseconds. */
export function timeText(microseconds: number): string {
  if (microseconds >= 1_000_000) return `${general(microseconds / 1_000_000, 3)}s`;
  if (microseconds >= 1000) return `${general(microseconds / 1000, 3)}ms`;
  return `${Math.trunc(microseconds)}us`;
}

/** Nanoseconds. */
export function time64Text(nanoseconds: bigint | number): string {
  const value = Number(nanoseconds);
  if (value >= 1e9) return `${general(value / 1e9, 3)}s`;
  if (value >= 1e6) return `${general(value / 1e6, 3)}ms`;
  if (value >= 1e3) return `${general(value / 1e3, 3)}us`;
  return `${value}ns`;
}

const WHOLE = 0xffff_ffff;

/** A share of 0xffffffff in percent. */
export function percentText(share: number): string {
  return `${general((100 * share) / WHOLE)}%`;
}

/** The same as a share of one, with the digits that JSON gets of it. */
export function shareOf(share: number): number {
  return Number(general(share / WHOLE));
}

/** 1:10, 1:, :10, root or none. */
export function classidText(handle: number): string {
  if (handle === tcHandles.TC_H_ROOT) return "root";
  if (handle === tcHandles.TC_H_UNSPEC) return "none";
  const upper = major(handle) === 0 ? "" : major(handle).toString(16);
  const lower = minor(handle) === 0 ? "" : minor(handle).toString(16);
  return `${upper}:${lower}`;
}

const linkLayers = ["unspec", "ethernet", "atm"];

export function linkLayerText(number: number): string {
  return linkLayers[number] ?? "unknown";
}

/** A number of 32 bits as eight hexadecimal digits. */
export function hex8(value: number): string {
  return value.toString(16).padStart(8, "0");
}
