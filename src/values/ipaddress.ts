import { invalid, type PipeworkError } from "./error.js";

/** Address families by the names the kernel's tools use. */
export type Family = "inet" | "inet6";

const DOT = 46;
const ZERO = 48;
const NINE = 57;

/** Strictly four decimal parts without leading zeros, in text[start..]; undefined when it is anything else. */
function dottedQuad(text: string, start: number, into: Uint8Array, at: number): Uint8Array | undefined {
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= ZERO && c <= NINE) {
      if (digits > 0 && value === 0) return undefined;
      value = value * 10 + (c - ZERO);
      digits++;
      if (value > 255) return undefined;
    } else if (c === DOT && digits > 0 && part < 3) {
      into[at + part++] = value;
      digits = 0;
      value = 0;
    } else {
      return undefined;
    }
  }
  if (part !== 3 || digits === 0) return undefined;
  into[at + 3] = value;
  return into;
}

/** One side of "::", groups of up to four hex digits, the last of all possibly a dotted quad (RFC 4291, 2.2). */
function groupsOf(text: string, quadAllowed: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const words = text.split(":");
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (/^[0-9a-f]{1,4}$/i.test(word)) {
      groups.push(Number.parseInt(word, 16));
    } else {
      const quad = quadAllowed && i === words.length - 1 ? dottedQuad(word, 0, new Uint8Array(4), 0) : undefined;
      if (quad === undefined) return undefined;
      const [a, b, c, d] = quad as unknown as [number, number, number, number];
      groups.push((a << 8) | b, (c << 8) | d);
    }
  }
  return groups;
}

function parseInet6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [front, back] = halves as [string, string | undefined];
  const left = groupsOf(front, back === undefined);
  const right = back === undefined ? [] : groupsOf(back, true);
  if (left === undefined || right === undefined) return undefined;
  const zeros = 8 - left.length - right.length;
  // "::" stands for at least one group; inet_pton(3) takes exactly one as well.
  if (back === undefined ? zeros !== 0 : zeros < 1) return undefined;
  const bytes = new Uint8Array(16);
  let at = 0;
  for (const group of left) {
    bytes[at++] = group >> 8;
    bytes[at++] = group & 0xff;
  }
  at = 16 - right.length * 2;
  for (const group of right) {
    bytes[at++] = group >> 8;
    bytes[at++] = group & 0xff;
  }
  return bytes;
}

function parse(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseInet6(text) : dottedQuad(text, 0, new Uint8Array(4), 0);
}

/** Why it is no address, with the spelling that was probably meant. */
function refusal(text: string): PipeworkError {
  if (text === "") return invalid("an IP address is missing");
  if (text.includes("%")) {
    return invalid(
      `"${text}" names a zone, and the interface is known already`,
      `write ${text.slice(0, text.indexOf("%"))}`,
    );
  }
  if (text.includes("/")) return invalid(`"${text}" is an address with a prefix, and an address alone is wanted here`);
  if (text.includes(":")) {
    return invalid(
      `"${text}" is not an IPv6 address`,
      "it has eight groups of hex digits, one run of zeros may be written as ::, such as fd00::1",
    );
  }
  if (!/^\d+(\.\d+)*\.?$/.test(text)) {
    return invalid(`"${text}" is not an IP address`, "IPv4 looks like 192.168.1.2, IPv6 like fd00::1");
  }
  const parts = text.replace(/\.$/, "").split(".").map(Number);
  const outside = parts.find((part) => part > 255);
  if (outside !== undefined) return invalid(`"${text}" is not an IPv4 address: ${outside} is more than 255`);
  const decimal = parts.join(".");
  if (parts.length > 4) return invalid(`"${text}" is not an IPv4 address: it has ${parts.length} parts, not four`);
  if (parts.length < 4) {
    // ip(8) pads on the right, inet_aton(3) in the middle: the same text means two addresses, so it means none here.
    const padded = [...parts, 0, 0, 0].slice(0, 4).join(".");
    const middle = [...parts.slice(0, -1), ...[0, 0, 0].slice(parts.length - 1), parts.at(-1)].join(".");
    const choice = padded === middle ? padded : `${padded} or ${middle}`;
    return invalid(
      `"${text}" is a shortened IPv4 address, which programs read differently`,
      `write all four parts: ${choice}`,
    );
  }
  if (text.endsWith(".")) return invalid(`"${text}" is not an IPv4 address`, `write ${decimal}`);
  return invalid(`"${text}" has parts with leading zeros, which some programs read as octal`, `write ${decimal}`);
}

/**
 * The bytes of an address, 4 or 16, in network order.
 * Throws PipeworkError "invalid-request" with the right spelling where one can be guessed.
 */
export function ipBytes(text: string): Uint8Array {
  const bytes = parse(text);
  if (bytes === undefined) throw refusal(text);
  return bytes;
}

/** IPv6 as RFC 5952 wants it: lower case, no leading zeros, the longest (first) run of zero groups as ::. */
function formatInet6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
  // Section 5: addresses known to hold an IPv4 address (::ffff:0:0/96) are written with it.
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (mapped) return `::ffff:${bytes.subarray(12).join(".")}`;
  let best = -1;
  let bestLength = 1; // one zero group alone is not shortened (4.2.2)
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > bestLength) {
      best = i;
      bestLength = end - i;
    }
    i = Math.max(i, end - 1);
  }
  const hex = groups.map((group) => group.toString(16));
  if (best < 0) return hex.join(":");
  return `${hex.slice(0, best).join(":")}::${hex.slice(best + bestLength).join(":")}`;
}

/** Canonical text of 4 or 16 bytes in network order; any other length is a fault of the caller. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  if (bytes.length === 16) return formatInet6(bytes);
  throw new RangeError(`an IP address of ${bytes.length} bytes`);
}

/** The family of a parsed address, or of its prefix text. */
export function familyOf(text: string): Family {
  return text.includes(":") ? "inet6" : "inet";
}

/** Canonical text. Throws PipeworkError "invalid-request" with a reason. */
export function parseIp(text: string): string {
  return formatIp(ipBytes(text));
}
