import { readFileSync } from "node:fs";

/** One command of iproute2 and what passed between it and the kernel; written by scripts/capture-golden.sh. */
export interface Capture {
  readonly command: string;
  readonly sent: readonly string[];
  readonly received?: readonly string[];
  /** What `ip -j` said of the same thing. */
  readonly json?: readonly Record<string, unknown>[];
}

export interface Golden {
  readonly iproute2: string;
  readonly kernel: string;
  readonly machine: string;
  readonly captures: readonly Capture[];
}

export type CapturedNoun = "link" | "address" | "route" | "rule" | "neighbour";
export const capturedNouns: readonly CapturedNoun[] = ["link", "address", "route", "rule", "neighbour"];

export function golden(noun: CapturedNoun): Golden {
  return JSON.parse(readFileSync(new URL(`../../golden/${noun}.json`, import.meta.url), "utf8")) as Golden;
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What lies behind the message's own length is junk. */
export function trimmed(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  return bytes.subarray(0, new DataView(bytes.buffer).getUint32(0, true));
}

/** The message a command is about, the last one: before it iproute2 probes for features and looks up names. */
export function request(capture: Capture): Uint8Array {
  return trimmed(capture.sent.at(-1) as string);
}

/** Where attributes lie inside attributes, as a tree of their numbers; written from the kernel headers, not from src/. */
export interface Shape {
  readonly header: number;
  readonly inner: { readonly [number: number]: Shape };
}
const flat = (inner: Shape["inner"] = {}): Shape => ({ header: 0, inner });
const peer: Shape = { header: 16, inner: {} };
const linkInfo = (kind: string) => flat({ 2: kind === "veth" ? flat({ 1: peer }) : flat(), 5: flat() });
export const shapes: Record<CapturedNoun, (kind: string) => Shape> = {
  link: (kind) => ({ header: 16, inner: { 18: linkInfo(kind), 26: flat({ 2: flat(), 10: flat() }), 52: flat() } }),
  address: () => ({ header: 8, inner: {} }),
  route: () => ({ header: 12, inner: { 8: flat() } }),
  rule: () => ({ header: 12, inner: {} }),
  neighbour: () => ({ header: 12, inner: {} }),
};

export type Tree = { header: string; attributes: [number: number, payload: string | Tree][] };

/**
 * Bytes as a tree with attributes sorted by number: an independent reader, so that a codec that is wrong in both
 * directions does not agree with itself. The order of attributes means nothing to the kernel, save among equals.
 */
export function tree(bytes: Uint8Array, shape: Shape): Tree {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes: Tree["attributes"] = [];
  for (let at = shape.header; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4) throw new Error(`attribute of ${length} bytes at ${at}`);
    const type = view.getUint16(at + 2, true);
    const payload = bytes.subarray(at + 4, at + length);
    const inner = shape.inner[type & 0x3fff];
    attributes.push([type, inner === undefined ? toHex(payload) : tree(payload, inner)]);
    at += (length + 3) & ~3;
  }
  attributes.sort(([a], [b]) => a - b);
  return { header: toHex(bytes.subarray(0, shape.header)), attributes };
}

/** Sequence number and port id are the addon's business. */
export function nlmsghdr(bytes: Uint8Array): { type: number; flags: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { type: view.getUint16(4, true), flags: view.getUint16(6, true) };
}
