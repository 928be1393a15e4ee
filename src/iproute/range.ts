import { unsigned } from "./number.js";
import type { Words } from "./words.js";

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** `A-B`, or where one number will do, `A`. Both ends are part of it. */
export function rangeArgument(words: Words, what: string, max: number, { alone }: { alone: boolean }): Range {
  const word = words.argument(what);
  const match = /^(\d+)(?:-(\d+))?$/.exec(word.text);
  if (match === null || (match[2] === undefined && !alone))
    throw words.refuse(word, `is not ${what}`, alone ? "a number, or two joined by -" : "two numbers joined by -");
  const start = unsigned(words, { ...word, text: String(Number(match[1])) }, what, max);
  const end = match[2] === undefined ? start : unsigned(words, { ...word, text: String(Number(match[2])) }, what, max);
  return { start, end };
}
