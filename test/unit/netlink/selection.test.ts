import { describe, expect, test } from "vitest";
import type { Selection } from "../../../src/netlink/attribute.js";
import { link } from "../../../src/netlink/link.js";
import { decodeReplies } from "../../../src/netlink/message.js";
import { fromHex, golden } from "./golden.js";

/** The part of a decoded value that a selection names. */
function projected(value: Record<string, unknown>, only: Selection): Record<string, unknown> {
  const picked = Object.entries(value).filter(([field]) => only[field] !== undefined);
  return Object.fromEntries(
    picked.map(([field, inner]) => {
      const rest = only[field] as true | Selection;
      return [field, rest === true ? inner : projected(inner as Record<string, unknown>, rest)];
    }),
  );
}

const captures = golden("link").captures.flatMap(({ command, received }) =>
  received === undefined ? [] : [{ command, bytes: fromHex(received.join("")) }],
);

describe("decoding only what is asked for", () => {
  test.each<[string, Selection]>([
    ["two of many", { ifname: true, mtu: true }],
    [
      "nested, by kind",
      { ifname: true, linkinfo: { kind: true, data: true, slaveKind: true, slaveData: { state: true } } },
    ],
    ["nested twice", { afSpec: { inet6: { addrGenMode: true } } }],
    ["all of something nested", { afSpec: true }],
    ["nothing", {}],
  ])("%s gives the same values, and no others", (_, only) => {
    expect(captures.length).toBeGreaterThan(1);
    for (const { bytes } of captures) {
      const whole = decodeReplies(link, bytes);
      const part = decodeReplies(link, bytes, only);
      expect(part.map(({ header }) => header)).toEqual(whole.map(({ header }) => header));
      expect(part.map(({ attributes }) => attributes)).toEqual(
        whole.map(({ attributes }) => projected(attributes as Record<string, unknown>, only)),
      );
    }
  });
});
