import { describe, expect, test } from "vitest";
import { parseTc } from "../../../src/iproute/tc.js";
import { encode } from "../../../src/netlink/nouns.js";
import { PipeworkError } from "../../../src/values/error.js";
import { canonical, context, sentByTc } from "./tc-golden.js";

/** The message of a line with the indexes of the capture in it. */
function sentByUs(line: string): Uint8Array {
  const parsed = parseTc(line.replaceAll("DEV", "t0").replaceAll("OTHER", "t1").split(" "), context);
  if (parsed.does !== "change") throw new Error(`${line} changes nothing`);
  const { bytes, relocations } = encode(parsed.message);
  const view = new DataView(bytes.buffer);
  for (const { offset, slot } of relocations) {
    const link = parsed.links.find((one) => one.slot === slot);
    view.setUint32(offset, sentByTc.indexes[link?.name ?? ""] as number, true);
  }
  return bytes;
}

function shape(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    type: view.getUint16(4, true),
    flags: view.getUint16(6, true),
    header: Buffer.from(bytes.subarray(16, 36)).toString("hex"),
    attributes: canonical(bytes.subarray(36)),
  };
}

/** prio: tc puts an empty attribute behind the struct that no kernel since 2.6.26 looks at. */
function withoutPrioTail(bytes: Uint8Array): Uint8Array {
  if (Buffer.from(bytes).toString("latin1", 40, 44) !== "prio") return bytes;
  const cut = bytes.slice(0, -4);
  new DataView(cut.buffer).setUint16(48, 4 + 20, true);
  return cut;
}

/** Where ours is another thing on purpose; docs/words.md has the reasons. */
const otherwise: Readonly<Record<string, "refused" | "other bytes">> = {
  "qdisc add root pfifo limit 1": "refused",
  "qdisc add dev DEV root handle 1: tbf rate -1mbit burst 10k limit 10k": "refused",
  "qdisc add dev DEV root handle 1: netem delay 10ms duplicate 1% 25%": "other bytes",
};
const usual = sentByTc.captures.filter(({ line }) => otherwise[line] === undefined && !line.includes("nosuch"));

describe(`every line sends what tc of iproute2 ${sentByTc.iproute2} sends`, () => {
  const sent = usual.filter((one) => one.sent !== null);
  test.each(sent)("$line", ({ line, sent: hex }) => {
    const theirs = Uint8Array.from(Buffer.from(hex as string, "hex"));
    expect(shape(sentByUs(line))).toEqual(shape(withoutPrioTail(theirs)));
  });
});

describe("and refuses what tc refuses", () => {
  const refused = usual.filter((one) => one.sent === null);
  test.each(refused)("$line", ({ line }) => {
    let error: unknown;
    try {
      sentByUs(line);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(PipeworkError);
    expect(error).toMatchObject({ code: "invalid-request" });
  });
});

test.each(Object.entries(otherwise))("otherwise on purpose: %s", (line, how) => {
  const capture = sentByTc.captures.find((one) => one.line === line);
  expect(capture?.sent).toBeTypeOf("string");
  const bytes = Uint8Array.from(Buffer.from(capture?.sent as string, "hex"));
  if (how === "refused") expect(() => sentByUs(line)).toThrow(PipeworkError);
  else expect(shape(sentByUs(line))).not.toEqual(shape(bytes));
});
