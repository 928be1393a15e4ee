import { parseUnsigned } from "./number.js";
import type { Words } from "./words.js";

const MAX = 0xffffffffffffffffn;

/** The number of 64 bits behind the last word, in network byte order as tunnels have it. */
export function be64Argument(words: Words, what: string): Uint8Array {
  const word = words.argument(what);
  const value = parseUnsigned(word.text);
  if (value === undefined || value > MAX) throw words.refuse(word, `is not ${what}`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, false);
  return bytes;
}

/** The number in such bytes; undefined where they are not eight. */
export function be64Value(bytes: Uint8Array): bigint | undefined {
  return bytes.length === 8 ? new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, false) : undefined;
}
