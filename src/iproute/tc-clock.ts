import { invalid } from "../values/error.js";

/**
 * The packet scheduler's clock, as /proc/net/psched tells it: burst sizes and some times are sent as its ticks, and the
 * kernel computes them back into sizes. Numbers are rounded exactly as C does with double and unsigned int, so that the
 * kernel ends with the same state as after tc.
 */
export interface TcClock {
  readonly ticksPerMicrosecond: number;
  /** How often in a second a class may expect to be served, for default bursts. */
  readonly hz: number;
}

/** @param text the four hexadecimal numbers of /proc/net/psched */
export function parsePsched(text: string): TcClock {
  const numbers = text.trim().split(/\s+/);
  const [tick, perTick, resolution, fourth] = numbers.map((digits) => Number.parseInt(digits, 16));
  if (!tick || !perTick || !resolution || !fourth)
    throw invalid(
      "/proc/net/psched is not the four numbers of a packet scheduler's clock",
      "does this kernel have tc?",
    );
  // A kernel that counts nanoseconds says 1000 there for the sake of old programs, and means 1.
  const ratio = resolution === 1_000_000_000 ? 1 : tick / perTick;
  return {
    ticksPerMicrosecond: (ratio * resolution) / 1_000_000,
    hz: resolution === 1_000_000 ? fourth : 100,
  };
}

/** C's conversion of a double to unsigned int, as x86-64 does it. */
export function toU32(value: number): number {
  return Math.abs(value) < 2 ** 63 ? Number(BigInt.asUintN(32, BigInt(Math.trunc(value)))) : 0;
}

/** Microseconds to ticks. */
export function ticksOf({ ticksPerMicrosecond }: TcClock, microseconds: number): number {
  return toU32(toU32(microseconds) * ticksPerMicrosecond);
}

/** Ticks to microseconds. */
export function microsecondsOf({ ticksPerMicrosecond }: TcClock, ticks: number): number {
  return toU32(ticks / ticksPerMicrosecond);
}

/** How many ticks `size` bytes take at `rate` bytes per second. */
export function transmissionTicks(clock: TcClock, rate: number, size: number): number {
  return ticksOf(clock, 1_000_000 * (size / rate));
}

/** The way back: bytes that fit into so many ticks. */
export function transmittedBytes(clock: TcClock, rate: number, ticks: number): number {
  return toU32((rate * microsecondsOf(clock, ticks)) / 1_000_000);
}

/** An ATM cell is 53 bytes and carries 48. */
function atmSize(size: number): number {
  return Math.ceil(size / 48) * 53;
}

export function linkSize(size: number, mpu: number, atm: boolean): number {
  const least = Math.max(size, mpu);
  return atm ? atmSize(least) : least;
}

/** Logarithm of the size of a table's cell, such that `mtu` lies within 256 cells. */
export function cellLogOf(mtu: number): number {
  let log = 0;
  while ((mtu === 0 ? 2047 : mtu) >>> log > 255) log++;
  return log;
}

/** TCA_*_RTAB: the transmission time of each size, in steps of 1 << cellLog. */
export function rateTable(
  clock: TcClock,
  { rate, cellLog, mpu, atm }: { rate: number; cellLog: number; mpu: number; atm: boolean },
): Uint8Array {
  const table = new Uint32Array(256);
  for (const i of table.keys()) {
    const size = linkSize(((i + 1) << cellLog) >>> 0, mpu, atm);
    const ticks = Math.trunc(1_000_000 * (size / rate)) * clock.ticksPerMicrosecond;
    // No kernel since 3.8 looks at the table but for its cells; what does not fit is nothing, as in tc's.
    table[i] = ticks < 2 ** 32 ? ticks : 0;
  }
  return new Uint8Array(table.buffer);
}
