import { handleOf, tcHandles } from "../netlink/tcmsg.js";
import { vocabulary } from "./vocabulary.js";
import type { Word, Words } from "./words.js";

/** A number with a unit, as strtod(3) splits it. */
function splitUnit(text: string): { value: number; unit: string } | undefined {
  const match = /^\s*([+-]?(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?))(.*)$/is.exec(text);
  return match === null ? undefined : { value: Number(match[1]), unit: (match[2] as string).toLowerCase() };
}

/** The word as a number times the scale of its unit; refused when it is none, negative, or as large as `limit`. */
function scaled(
  words: Words,
  word: Word,
  what: string,
  units: Readonly<Record<string, number>>,
  limit: number,
): number {
  const split = splitUnit(word.text);
  if (split === undefined) throw words.refuse(word, `is not ${what}`, `a number, and one of ${unitList(units)}`);
  const scale = Object.hasOwn(units, split.unit) ? units[split.unit] : undefined;
  if (scale === undefined)
    throw words.refuse(word, `${JSON.stringify(split.unit)} is no unit of ${what}`, `one of ${unitList(units)}`);
  const value = split.value * scale;
  if (value < 0 || value >= limit) throw words.refuse(word, `is not ${what}: out of range`);
  return value;
}

function unitList(units: Readonly<Record<string, number>>): string {
  return Object.keys(units)
    .filter((unit) => unit !== "")
    .join(" ");
}

const KI = 1024;
const sizeUnits = {
  "": 1,
  b: 1,
  k: KI,
  kb: KI,
  m: KI ** 2,
  mb: KI ** 2,
  g: KI ** 3,
  gb: KI ** 3,
  kbit: KI / 8,
  mbit: KI ** 2 / 8,
  gbit: KI ** 3 / 8,
};
const rateUnits = {
  "": 1,
  bit: 1,
  kbit: 1e3,
  mbit: 1e6,
  gbit: 1e9,
  tbit: 1e12,
  kibit: KI,
  mibit: KI ** 2,
  gibit: KI ** 3,
  tibit: KI ** 4,
  bps: 8,
  kbps: 8e3,
  mbps: 8e6,
  gbps: 8e9,
  tbps: 8e12,
  kibps: 8 * KI,
  mibps: 8 * KI ** 2,
  gibps: 8 * KI ** 3,
  tibps: 8 * KI ** 4,
};
const microseconds = {
  "": 1,
  us: 1,
  usec: 1,
  usecs: 1,
  ms: 1e3,
  msec: 1e3,
  msecs: 1e3,
  s: 1e6,
  sec: 1e6,
  secs: 1e6,
};
const nanoseconds = Object.fromEntries([
  ...Object.entries(microseconds).map(([unit, scale]) => [unit, unit === "" ? 1 : scale * 1e3]),
  ...["ns", "nsec", "nsecs"].map((unit) => [unit, 1]),
]) as Record<string, number>;

/** 32 and 64 bits. */
const U32 = 2 ** 32;
const U64 = 2 ** 64;

/** Bytes, behind the last word. */
export function size(words: Words): number {
  return sizeOf(words, words.argument("a size"));
}

function sizeOf(words: Words, word: Word): number {
  return Math.trunc(scaled(words, word, "a size", sizeUnits, U32));
}

/** Bytes, and behind a slash the size of a cell, a power of two whose logarithm is returned. */
export function sizeAndCell(words: Words): { size: number; cellLog?: number } {
  const word = words.argument("a size");
  const slash = word.text.indexOf("/");
  if (slash < 0) return { size: sizeOf(words, word) };
  const cell = parseInteger(word.text.slice(slash + 1), 0);
  const cellLog = cell === undefined ? -1 : Math.log2(cell);
  if (!Number.isInteger(cellLog) || cellLog < 0 || cellLog > 30)
    throw words.refuse(word, "the size of a cell behind the slash is no power of two");
  return { size: sizeOf(words, { ...word, text: word.text.slice(0, slash) }), cellLog };
}

/** Bytes per second from bits per second, up to 64 bits. */
export function rate(words: Words): number {
  return rateBelow(words, U64);
}

/** The same where the kernel has 32 bits. */
export function rate32(words: Words): number {
  return rateBelow(words, U32);
}

function rateBelow(words: Words, limit: number): number {
  const word = words.argument("a rate");
  if (word.text.endsWith("%"))
    throw words.refuse(word, "a share of the link's speed is not known here", "name the rate itself, such as 10mbit");
  return Math.trunc(scaled(words, word, "a rate", rateUnits, limit * 8) / 8);
}

/** Microseconds of 32 bits. */
export function time(words: Words): number {
  return Math.trunc(scaled(words, words.argument("a time"), "a time", microseconds, U32));
}

/** Nanoseconds. */
export function time64(words: Words): bigint {
  return BigInt(Math.trunc(scaled(words, words.argument("a time"), "a time", nanoseconds, U64 / 2)));
}

/** A share of one, from percent with or without the sign. */
export function share(words: Words): number {
  const word = words.argument("a percentage");
  const split = splitUnit(word.text);
  if (split === undefined || !["", "%"].includes(split.unit) || split.value < 0 || split.value > 100)
    throw words.refuse(word, "is not a percentage between 0% and 100%");
  return split.value / 100;
}

/** A share of one, as a plain number. */
export function probability(words: Words): number {
  const word = words.argument("a probability");
  const split = splitUnit(word.text);
  if (split === undefined || split.unit !== "" || split.value < 0 || split.value > 1)
    throw words.refuse(word, "is not a probability between 0 and 1");
  return split.value;
}

/** C's rint(3): halves go to the even neighbour. */
export function roundToEven(value: number): number {
  const below = Math.floor(value);
  const over = value - below;
  if (over !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** A share of one as the kernel's share of 0xffffffff. */
export function wholeOf(part: number): number {
  return roundToEven(part * (U32 - 1));
}

export function percent(words: Words): number {
  return wholeOf(share(words));
}

/** The next word, if it begins with a digit: an optional value. */
export function numberFollows(words: Words, { signed = false } = {}): boolean {
  const text = words.peek()?.text ?? "";
  return signed ? /^[-\d]/.test(text) : /^\d/.test(text);
}

type Base = 0 | 10 | 16;
const digits: Readonly<Record<Base, RegExp>> = {
  0: /^([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)$/i,
  10: /^([+-]?)(\d+)$/,
  16: /^([+-]?)((?:0x)?[0-9a-f]+)$/i,
};

/** As strtol(3) reads a whole word: base 0 takes 0x and octal as well. */
export function parseInteger(text: string, base: Base): number | undefined {
  const match = digits[base].exec(text);
  if (match === null) return undefined;
  const [, sign, body] = match as unknown as [string, string, string];
  const octal = base === 0 && /^0[0-7]+$/.test(body);
  const value = octal
    ? Number.parseInt(body, 8)
    : base === 16
      ? Number.parseInt(body, 16)
      : body.toLowerCase().startsWith("0x")
        ? Number.parseInt(body, 16)
        : Number(body);
  return sign === "-" ? -value : value;
}

/** A whole number of at most `max` behind the last word. */
export function count(words: Words, what = "a number", base: Base = 0, max = U32 - 1): number {
  return countOf(words, words.argument(what), what, base, max);
}

export function countOf(words: Words, word: Word, what: string, base: Base = 0, max = U32 - 1): number {
  const value = parseInteger(word.text, base);
  if (value === undefined || value < 0 || value > max)
    throw words.refuse(
      word,
      `is not ${what}`,
      `${base === 16 ? "hexadecimal digits" : "a whole number"} up to ${base === 16 ? max.toString(16) : max}`,
    );
  return value === 0 ? 0 : value;
}

/** A whole number with a sign, of 32 bits. */
export function integer(words: Words, what = "a number", base: Base = 0): number {
  const word = words.argument(what);
  const value = parseInteger(word.text, base);
  if (value === undefined || value < -(2 ** 31) || value >= 2 ** 31) throw words.refuse(word, `is not ${what}`);
  return value === 0 ? 0 : value;
}

const hex16 = (text: string): number | undefined => {
  const value = /^(0x)?[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : undefined;
  return value === undefined || value > 0xffff ? undefined : value;
};

/** 1: or 1 or none, the handle of a qdisc. */
export function qdiscHandle(words: Words): number {
  const word = words.argument("the handle of a qdisc");
  if (word.text === "none") return 0;
  // What follows the colon is not looked at, by tc either.
  const upper = hex16(word.text.replace(/:.*$/s, ""));
  if (upper === undefined)
    throw words.refuse(word, "is not the handle of a qdisc", "up to four hexadecimal digits and a colon, such as 1:");
  return handleOf(upper, 0);
}

/** 1:10, 1:, :10, root or none. */
export function classid(words: Words, what = "the id of a class"): number {
  const word = words.argument(what);
  const { text } = word;
  if (text === "root") return tcHandles.TC_H_ROOT;
  if (text === "none") return tcHandles.TC_H_UNSPEC;
  const colon = text.indexOf(":");
  if (colon < 0) {
    const whole = parseInteger(text, 16);
    if (whole !== undefined && whole >= 0 && whole < U32) return whole;
  } else {
    const upper = colon === 0 ? 0 : hex16(text.slice(0, colon));
    const lower = colon === text.length - 1 ? 0 : hex16(text.slice(colon + 1));
    if (upper !== undefined && lower !== undefined) return handleOf(upper, lower);
  }
  throw words.refuse(word, `is not ${what}`, "hexadecimal numbers with a colon between, such as 1:10");
}

const linkLayers = vocabulary({ ethernet: "ethernet*", atm: ["atm*", "adsl*"] });

export function linkLayer(words: Words): "ethernet" | "atm" {
  return words.choice(linkLayers, "a link layer");
}
