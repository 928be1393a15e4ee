import { invalid } from "./error.js";
import { type Family, familyOf, formatIp, ipBytes } from "./ipaddress.js";

/** An address with its prefix length, parsed and checked. All addresses are canonical text. */
export interface Prefix {
  readonly family: Family;
  readonly address: string;
  readonly prefixlen: number;
  /** `address` with the host bits cleared. */
  readonly network: string;
  /** IPv4 with a prefix of at most 30: /31 and /32 have none (RFC 3021). */
  readonly broadcast?: string;
}

/** `bytes` with the bits behind the prefix cleared or set. */
function fill(bytes: Uint8Array, prefixlen: number, ones: boolean): Uint8Array {
  return bytes.map((byte, i) => {
    const kept = Math.min(8, Math.max(0, prefixlen - i * 8));
    const host = 0xff >> kept;
    return ones ? byte | host : byte & ~host;
  });
}

/** The length of a netmask such as 255.255.255.0. */
function maskLength(mask: string, text: string): number {
  const bytes = ipBytes(mask);
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  if (!/^1*0*$/.test(bits))
    throw invalid(
      `"${text}": ${mask} is not a netmask: its ones are not all in front`,
      "write the length of the prefix, such as /24",
    );
  return bits.lastIndexOf("1") + 1;
}

function lengthOf(words: string, family: Family, text: string): number {
  if (family === "inet" && words.includes(".")) return maskLength(words, text);
  const max = family === "inet" ? 32 : 128;
  if (!/^\d+$/.test(words)) {
    throw invalid(
      `"${text}": "${words}" is not a prefix length`,
      `it is a number from 0 to ${max}${family === "inet" ? ", or a netmask such as 255.255.255.0" : ""}`,
    );
  }
  const length = Number(words);
  if (length > max)
    throw invalid(
      `"${text}": the prefix length of ${family === "inet" ? "IPv4" : "IPv6"} is at most ${max}, not ${words}`,
    );
  if (words !== String(length)) throw invalid(`"${text}": the prefix length has leading zeros`, `write /${length}`);
  return length;
}

/** Any prefix, such as the destination of a route. Throws PipeworkError "invalid-request" for what is none. */
export function parseNetwork(text: string): Prefix {
  const slash = text.indexOf("/");
  const words = slash < 0 ? text : text.slice(0, slash);
  const bytes = ipBytes(words === "0" && text === "0/0" ? "0.0.0.0" : words);
  const address = formatIp(bytes);
  const family = familyOf(address);
  if (slash < 0) {
    throw invalid(
      `The IP address should include a netmask. Maybe you meant ${address}/${family === "inet" ? 24 : 64} ?`,
    );
  }
  const prefixlen = lengthOf(text.slice(slash + 1), family, text);
  return {
    family,
    address,
    prefixlen,
    network: formatIp(fill(bytes, prefixlen, false)),
    ...(family === "inet" && prefixlen <= 30 ? { broadcast: formatIp(fill(bytes, prefixlen, true)) } : {}),
  };
}

/** Why an interface cannot have this address, or undefined. */
function unfit({ family, address, prefixlen }: Prefix): string | undefined {
  if (family === "inet6") {
    if (address === "::") return prefixlen === 0 ? undefined : "is the unspecified address";
    if (address === "::1") return "is the loopback address, which only lo has";
    // The first of 16 bytes decides (RFC 4291, 2.7).
    return address.startsWith("ff") && ipBytes(address)[0] === 0xff ? "is a multicast address" : undefined;
  }
  if (address === "0.0.0.0") return prefixlen === 0 ? undefined : "is the unspecified address";
  if (address === "255.255.255.255") return "is the broadcast address of every network";
  const first = Number.parseInt(address, 10);
  if (first === 127) return "is a loopback address: packets to and from it never leave the guest";
  return first >= 224 && first <= 239 ? "is a multicast address" : undefined;
}

/**
 * An address that an interface may have. `0/0`, `0.0.0.0/0` and `::/0` (no address at all) come back as the zero
 * address with length 0. Network and broadcast address of the subnet are accepted, as the kernel does.
 * Throws PipeworkError "invalid-request" with a reason.
 */
export function parsePrefix(text: string): Prefix {
  const prefix = parseNetwork(text);
  const why = unfit(prefix);
  if (why !== undefined) {
    const hint =
      prefix.address === prefix.network && /^(0\.0\.0\.0|::)$/.test(prefix.address)
        ? "write 0/0 for an interface without an address"
        : undefined;
    throw invalid(`an interface cannot have the address ${prefixText(prefix)}: ${prefix.address} ${why}`, hint);
  }
  return prefix;
}

/** address/length. */
export function prefixText(prefix: Pick<Prefix, "address" | "prefixlen">): string {
  return `${prefix.address}/${prefix.prefixlen}`;
}

/** Whether the address lies in the prefix's network; one of the other family never does. */
export function contains(prefix: Prefix, ip: string): boolean {
  return familyOf(ip) === prefix.family && formatIp(fill(ipBytes(ip), prefix.prefixlen, false)) === prefix.network;
}
