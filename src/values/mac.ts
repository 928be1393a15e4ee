import { invalid } from "./error.js";
import { identityDigest } from "./identity.js";
import { md5 } from "./md5.js";

/** A link-layer address of hex groups joined by one kind of separator, or undefined. Of any length: InfiniBand has 20 bytes. */
function parse(text: string): Uint8Array | undefined {
  const groups = text.split(text.includes("-") ? "-" : ":");
  if (groups.length < 2) return undefined;
  const bytes = new Uint8Array(groups.length);
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i] as string;
    if (!/^[0-9a-f]{1,2}$/i.test(group)) return undefined;
    bytes[i] = Number.parseInt(group, 16);
  }
  return bytes;
}

/** Value of a lower-case or upper-case hex digit, -1 for anything else. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** The canonical form of six pairs, which is what nearly every address has by the time it is encoded. */
function parseSixPairs(text: string): Uint8Array | undefined {
  if (text.length !== 17) return undefined;
  const bytes = new Uint8Array(6);
  for (let i = 0; i < 6; i++) {
    const high = hexDigit(text.charCodeAt(i * 3));
    const low = hexDigit(text.charCodeAt(i * 3 + 1));
    if (high < 0 || low < 0 || (i < 5 && text.charCodeAt(i * 3 + 2) !== 58)) return undefined;
    bytes[i] = high * 16 + low;
  }
  return bytes;
}

/** The bytes of a link-layer address; six for Ethernet. Throws PipeworkError "invalid-request". */
export function macBytes(text: string): Uint8Array {
  const bytes = parseSixPairs(text) ?? parse(text);
  if (bytes === undefined) {
    throw invalid(`"${text}" is not a MAC address`, "it has six pairs of hex digits, such as 02:42:ac:11:00:02");
  }
  return bytes;
}

const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Lower-case pairs joined by colons, whatever the length. */
export function formatMac(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += (i === 0 ? "" : ":") + pairs[bytes[i] as number];
  return text;
}

/**
 * A MAC that an Ethernet interface may have, in canonical spelling. Throws PipeworkError "invalid-request" for what
 * the kernel's is_valid_ether_addr (linux/etherdevice.h) refuses: multicast, and all zeros.
 */
export function parseMac(text: string): string {
  const bytes = macBytes(text);
  if (bytes.length !== 6) {
    throw invalid(
      `MAC ${text} has ${bytes.length} bytes, and an Ethernet interface takes 6`,
      "such as 02:42:ac:11:00:02",
    );
  }
  const mac = formatMac(bytes);
  if (bytes.every((byte) => byte === 0)) throw invalid(`MAC ${mac} is all zeros, which no interface may have`);
  if (bytes.every((byte) => byte === 0xff))
    throw invalid(`MAC ${mac} is the broadcast address, which no interface may have`);
  const [first] = bytes as unknown as [number];
  if ((first & 1) !== 0) {
    const unicast = formatMac(Uint8Array.from([first & 0xfe, ...bytes.subarray(1)]));
    throw invalid(
      `MAC ${mac} is a multicast address (the lowest bit of its first byte is set), which no interface may have`,
      `did you mean ${unicast}?`,
    );
  }
  return mac;
}

/** A first byte of our choice and ten hex digits. */
function macOf(first: string, digits: string): string {
  return `${first}:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4, 6)}:${digits.slice(6, 8)}:${digits.slice(8, 10)}`;
}

/**
 * The MAC of `U:text` (without the `U:`), as the shell script makes it from `echo $text | md5sum`: the shell splits
 * words on white space, echo joins them by one space and adds a newline. Throws PipeworkError "invalid-request" when
 * there is no text.
 */
export function uniqueMac(text: string): string {
  const words = text.split(/[ \t\n]+/).filter((word) => word !== "");
  if (words.length === 0) throw invalid('"U:" needs a text to make a MAC address from', "such as U:web1");
  return macOf("02", md5(`${words.join(" ")}\n`));
}

/** The MAC of an attachment that asks for none: locally administered, the same for the same guest and interface. */
export function attachmentMac(guestId: string, ifname: string): string {
  return macOf("02", identityDigest(guestId, ifname));
}

/** Hex digits that the MACs below need from a caller who draws them at random. */
export const SEED_DIGITS = 30;

/** The MAC of a host end. A bridge that was given no address takes the lowest of its ports, so these are high. */
export function hostEndMac(seed: string): string {
  return macOf("fe", seed);
}

/** The MAC of a bridge that we make. */
export function bridgeMac(seed: string): string {
  return macOf("02", seed.slice(10));
}

/** The MAC of an attachment whose guest has no identity that outlives it. */
export function randomMac(seed: string): string {
  return macOf("02", seed.slice(20));
}
