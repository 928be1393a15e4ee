import { describe, expect, test } from "vitest";
import { bridgeVlan } from "../../../src/netlink/bridge-vlan.js";
import { decodeMessage } from "../../../src/netlink/message.js";
import { encode } from "../../../src/netlink/nouns.js";
import { Reader } from "../../../src/netlink/wire.js";
import { PlanBuilder } from "../../../src/plan/builder.js";
import { portVlanSteps, ranges, tagOf, vlanText } from "../../../src/plan/port-vlan.js";
import type { NetlinkOperation } from "../../../src/plan/step.js";
import { parseTag, type Tag } from "../../../src/values/tag.js";
import { fromHex, toHex } from "./golden.js";

/** Bytes from the header of struct ifinfomsg on, as `bridge` of iproute2 6.1.0 sends them for ifindex 4. */
const sent: [tag: Tag, type: number, hex: string][] = [
  [{ vlan: 100 }, 19, "070000000400000000000000000000000c001a000800020006006400"],
  [
    { trunk: [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30] },
    19,
    "0700000004000000000000000000000014001a00080002000800140008000200" + "10001e00",
  ],
];

function stepsOf(tag: Tag, defaultPvid = 1) {
  const b = new PlanBuilder();
  portVlanSteps(b, { index: 4, ifname: "v0" }, "veth.create", tag, defaultPvid);
  return b.steps;
}

function bytesOf(op: NetlinkOperation): Uint8Array {
  return encode(op.message).bytes;
}

describe("VLANs of a bridge port", () => {
  test.each(sent)("%j: what `bridge vlan add` sends", (tag, type, hex) => {
    const bytes = bytesOf(stepsOf(tag)[0]?.op as NetlinkOperation);
    expect(new Reader(bytes).u16(4)).toBe(type);
    expect(toHex(bytes.subarray(16))).toBe(hex);
    const { header, attributes } = decodeMessage(bridgeVlan, new Reader(bytes));
    expect(header).toMatchObject({ family: 7, index: 4 });
    expect(attributes.afSpec?.vlans?.length).toBe("vlan" in tag ? 1 : 2);
  });

  test("the bridge's default VLAN goes, as `bridge vlan del` has it, unless it is wanted or there is none", () => {
    const [, away] = stepsOf({ vlan: 100 });
    const bytes = bytesOf(away?.op as NetlinkOperation);
    expect(new Reader(bytes).u16(4)).toBe(17);
    expect(toHex(bytes.subarray(16))).toBe("070000000400000000000000000000000c001a000800020000000100");
    for (const [tag, pvid] of [
      [{ vlan: 1 }, 1],
      [{ vlan: 100 }, 100],
      [{ trunk: [1, 2] }, 1],
      [{ vlan: 100 }, 0],
    ] as const)
      expect(stepsOf(tag, pvid)).toHaveLength(1);
  });

  test("lists are written as the fewest ranges", () => {
    const { trunk } = parseTag("30,10,20-22,23") as { trunk: number[] };
    expect(vlanText(trunk)).toBe("10,20-23,30");
    expect(ranges([])).toEqual([]);
  });

  test("a port's VLANs are read as the request that makes them", () => {
    expect(tagOf({ pvid: 5, untagged: [5], ids: [5] })).toBe(5);
    expect(tagOf({ untagged: [], ids: [10, 20, 21] })).toBe("10,20-21");
    expect(tagOf({ pvid: 1, untagged: [1], ids: [1, 10] })).toBeUndefined();
    expect(tagOf({ untagged: [], ids: [] })).toBeUndefined();
  });

  test("the answer of a dump holds ranges", () => {
    const bytes = fromHex(
      "3c00000010000200000000000000000007000100040000004310010000000000" +
        "1c001a000800020006000500080002000800140008000200" +
        "10001e00",
    );
    const { attributes } = decodeMessage(bridgeVlan, new Reader(bytes));
    expect(attributes.afSpec?.vlans).toEqual([
      { flags: 6, vid: 5 },
      { flags: 8, vid: 20 },
      { flags: 16, vid: 30 },
    ]);
  });
});
