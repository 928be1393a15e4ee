import { ipBytes } from "../values/ipaddress.js";
import type { NativeNetns, NativeRunner } from "./native.js";

/** linux/socket.h, netinet/in.h. */
const AF_INET = 2;
const SOCK_RAW = 3;
const IPPROTO_ICMP = 1;
/** RFC 792. */
const ICMP_ECHO_REPLY = 0;
const ICMP_ECHO = 8;

/** The ones' complement sum of RFC 1071. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An ICMP echo request; identifier and sequence tell its reply from others. */
export function echoRequest(identifier: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, ICMP_ECHO);
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  bytes.set(new TextEncoder().encode("pipework"), 8);
  view.setUint16(2, internetChecksum(bytes));
  return bytes;
}

/**
 * One ping from inside a namespace, over a raw socket opened there.
 * @returns milliseconds until the reply, or undefined when none came in time
 */
export async function ping(
  runner: NativeRunner,
  netns: NativeNetns | null,
  to: string,
  options: { identifier: number; sequence: number; timeoutMs: number },
): Promise<number | undefined> {
  const address = new Uint8Array(16);
  new DataView(address.buffer).setUint16(0, AF_INET, true);
  address.set(ipBytes(to), 4);
  const payload = echoRequest(options.identifier, options.sequence);
  // A raw ICMP socket delivers the IP header too: 20 bytes without options, then type, code, checksum, identifier, sequence.
  const wanted = new Uint8Array(4);
  const view = new DataView(wanted.buffer);
  view.setUint16(0, options.identifier);
  view.setUint16(2, options.sequence);
  const started = performance.now();
  const reply = await runner.exchange({
    netns,
    socket: [AF_INET, SOCK_RAW, IPPROTO_ICMP],
    address,
    payload,
    match: { offset: 24, value: wanted },
    timeoutMs: options.timeoutMs,
  });
  if (reply === null || reply[20] !== ICMP_ECHO_REPLY) return undefined;
  return performance.now() - started;
}
