import { readFileSync } from "node:fs";
import { parsePsched } from "../../../src/iproute/tc-clock.js";
import type { TcContext } from "../../../src/iproute/tc-kind.js";
import { splitMessages } from "../../../src/netlink/message.js";

/** What tc sent for a line; null when it refused the words itself. Written by scripts/capture-tc.mjs. */
interface Sent {
  readonly line: string;
  readonly sent: string | null;
}

interface SentFixture {
  readonly iproute2: string;
  readonly psched: string;
  readonly indexes: Readonly<Record<string, number>>;
  readonly captures: readonly Sent[];
}

export const sentByTc = JSON.parse(
  readFileSync(new URL("../../golden/tc-sent.json", import.meta.url), "utf8"),
) as SentFixture;

/** A listing of tc: what the kernel answered, and what tc printed of it. */
interface Listing {
  readonly received: string;
  readonly shown: readonly { readonly words: string; readonly text: string; readonly received?: string }[];
}

interface ShownFixture {
  readonly iproute2: string;
  readonly kernel: string;
  readonly psched: string;
  readonly captures: readonly {
    readonly about: string;
    readonly lines: readonly string[];
    readonly listings: readonly Listing[];
  }[];
}

/** Written by scripts/capture-tc-shown.mjs on a kernel that has everything. */
export const shownByTc = JSON.parse(
  readFileSync(new URL("../../golden/tc-shown.json", import.meta.url), "utf8"),
) as ShownFixture;

/** Every message of both fixtures. */
export function tcMessages(): Uint8Array[] {
  const sent = sentByTc.captures
    .flatMap((one) => one.sent ?? [])
    .map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));
  const received = shownByTc.captures.flatMap(({ listings }) =>
    listings.flatMap((one) => [...splitMessages(Buffer.from(one.received, "hex"))].map(({ bytes }) => bytes)),
  );
  return [...sent, ...received];
}

/** The numbers of iproute2's own files are not ours to carry: those of the fixture are taken from its messages. */
const distributions: Record<string, Int16Array> = {};

function readDistributions(): void {
  for (const { line, sent } of sentByTc.captures) {
    const name = /^(?!.*slot).*distribution (\w+)$/.exec(line)?.[1];
    if (name === undefined || sent === null) continue;
    const bytes = Buffer.from(sent, "hex");
    // struct nlmsghdr, struct tcmsg, TCA_KIND "netem", TCA_OPTIONS with struct tc_netem_qopt: then the attributes.
    for (let at = 16 + 20 + 12 + 4 + 24; at + 4 <= bytes.length; at += (bytes.readUInt16LE(at) + 3) & ~3) {
      if (bytes.readUInt16LE(at + 2) !== 2) continue;
      const payload = Uint8Array.from(bytes.subarray(at + 4, at + bytes.readUInt16LE(at)));
      distributions[name] = new Int16Array(payload.buffer);
    }
  }
}
readDistributions();

export const context: TcContext = {
  clock: parsePsched(sentByTc.psched),
  distribution: (name) => distributions[name] ?? { reason: `${name}.dist is not there` },
};

export type Canonical = string | { number: number; payload: Canonical }[];

/**
 * Bytes as attributes in attributes, as far as they may be taken for that, sorted by number: their order means nothing to
 * the kernel. Knows nothing of what they mean, so that a codec that is wrong in both directions does not agree with itself.
 */
export function canonical(bytes: Uint8Array): Canonical {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes: { number: number; payload: Canonical }[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = view.getUint16(at, true);
    const number = view.getUint16(at + 2, true);
    if (length < 4 || at + length > bytes.length || (number & 0x3fff) > 120) break;
    attributes.push({ number, payload: canonical(bytes.subarray(at + 4, at + length)) });
    at += (length + 3) & ~3;
  }
  if (at < bytes.length || attributes.length === 0) return Buffer.from(bytes).toString("hex");
  return attributes.sort((a, b) => a.number - b.number);
}
