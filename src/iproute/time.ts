import { parseUnsigned } from "./number.js";
import type { Words } from "./words.js";

const HINT = "a number with s or ms, or one in the kernel's units";

/**
 * A time of a route's metrics, as the kernel takes it.
 * @param unit what a millisecond is in the kernel's units: 8 of rtt, 4 of rttvar, 1 of rto_min. A number without `s` or
 *   `ms` is in those units already
 */
export function timeArgument(words: Words, unit: number): number {
  const word = words.argument("a time, such as 30ms or 0.2s");
  const match = /^(.*?)(s|secs?|ms|msecs?)?$/i.exec(word.text);
  const [, digits, suffix] = match as unknown as [string, string, string | undefined];
  const decimal = /^\+?(\d+\.\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits) ? Number(digits) : undefined;
  const value = decimal ?? parseUnsigned(digits);
  if (value === undefined) throw words.refuse(word, "is not a time", HINT);
  const milliseconds = suffix === undefined || !/^s/i.test(suffix) ? 1 : 1000;
  // Parts round up, as a timeout never is to be shorter than asked for.
  const result = Math.ceil(Number(value) * milliseconds) * (suffix === undefined ? 1 : unit);
  if (!(result <= 0xffffffff)) throw words.refuse(word, "is longer than the kernel can hold");
  return result;
}
