import type { Word, Words } from "./words.js";

/** Decimal, 0x hexadecimal or 0 octal, as strtoul(3) with base 0 reads it; undefined for anything else. */
export function parseUnsigned(text: string): bigint | undefined {
  const match = /^\+?(?:0x([0-9a-f]+)|(0[0-7]*)|([1-9][0-9]*))$/i.exec(text);
  if (match === null) return undefined;
  const [, hex, octal, decimal] = match;
  if (hex !== undefined) return BigInt(`0x${hex}`);
  if (octal !== undefined) return BigInt(`0o${octal}`);
  return BigInt(decimal as string);
}

/** The same of a word of at most 32 bits. Throws a refusal that names the word. */
export function unsigned(words: Words, word: Word, what: string, max = 0xffffffff): number {
  const value = parseUnsigned(word.text);
  if (value === undefined) throw words.refuse(word, `is not ${what}`, "decimal, 0x hexadecimal or 0 octal digits");
  if (value > BigInt(max)) throw words.refuse(word, `is not ${what}: the greatest is ${max}`);
  return Number(value);
}

/** The number behind the last word. */
export function unsignedArgument(words: Words, what: string, max = 0xffffffff): number {
  return unsigned(words, words.argument(what), what, max);
}
