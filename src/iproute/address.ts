import { invalid } from "../values/error.js";
import { type Family, formatIp, parseIp } from "../values/ipaddress.js";
import { parseUnsigned } from "./number.js";
import type { Word, Words } from "./words.js";

/** An address, or the beginning of one: `address` is undefined where all are meant, of any family or of one. */
export interface AddressPrefix {
  readonly family?: Family | undefined;
  readonly address?: string;
  readonly prefixlen: number;
}

const addressBits: Readonly<Record<Family, number>> = { inet: 32, inet6: 128 };

/** IPv4 as iproute2 reads it: parts in decimal, 0x or octal, those left out at the end being zero: 10.5 is 10.5.0.0. */
function shortQuad(text: string): string | undefined {
  const parts = text.split(".");
  if (parts.length > 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    const value = parseUnsigned(part);
    if (value === undefined || value > 255n) return undefined;
    bytes[i] = Number(value);
  }
  return formatIp(bytes);
}

function familyName(family: Family | undefined): string {
  return family === undefined ? "IP" : family === "inet" ? "IPv4" : "IPv6";
}

function parseAddress(text: string, family: Family | undefined): { family: Family; address: string } {
  if (text.includes(":")) {
    if (family === "inet") throw invalid(`${JSON.stringify(text)} is not an IPv4 address, which is wanted here`);
    return { family: "inet6", address: parseIp(text) };
  }
  if (family === "inet6") throw invalid(`${JSON.stringify(text)} is not an IPv6 address, which is wanted here`);
  const address = shortQuad(text);
  if (address === undefined)
    throw invalid(
      `${JSON.stringify(text)} is not an ${familyName(family)} address`,
      "such as 192.168.1.1, 10.5 (10.5.0.0) or fd00::1",
    );
  return { family: "inet", address };
}

/** The prefix length behind a slash: a number, or a netmask. */
function prefixLength(text: string, whole: string): number {
  const number = parseUnsigned(text);
  if (number !== undefined) return number > 128n ? 129 : Number(number);
  const mask = text.includes(".") ? shortQuad(text) : undefined;
  if (mask === undefined) throw invalid(`${JSON.stringify(whole)}: ${JSON.stringify(text)} is no prefix length`);
  const bits = mask
    .split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0"))
    .join("");
  if (!/^1*0*$/.test(bits))
    throw invalid(`${JSON.stringify(whole)}: ${JSON.stringify(text)} is not a netmask: its ones are not all in front`);
  return bits.lastIndexOf("1") + 1;
}

/** The address in the word. Throws a refusal that names the word. */
export function readAddress(words: Words, word: Word, family: Family | undefined): { family: Family; address: string } {
  return words.placed(word, (text) => parseAddress(text, family));
}

/** A prefix, a single address, or `default`, `any`, `all`. Throws a refusal that names the word. */
export function readPrefix(words: Words, word: Word, family: Family | undefined): AddressPrefix {
  if (/^(default|any|all)$/.test(word.text)) return { family, prefixlen: 0 };
  return words.placed(word, (text) => {
    const slash = text.indexOf("/");
    const found = parseAddress(slash < 0 ? text : text.slice(0, slash), family);
    const bits = addressBits[found.family];
    if (slash < 0) return { ...found, prefixlen: bits };
    const prefixlen = prefixLength(text.slice(slash + 1), text);
    if (prefixlen > bits)
      throw invalid(`${JSON.stringify(text)}: the prefix length of ${familyName(found.family)} is at most ${bits}`);
    return { ...found, prefixlen };
  });
}

/** Whether the prefix is that of one address. */
export function isHost({ family, prefixlen }: AddressPrefix): boolean {
  return family !== undefined && prefixlen === addressBits[family];
}
