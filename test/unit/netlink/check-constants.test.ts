import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { addressAttributes, ifaddrmsg, ifaFlags } from "../../../src/netlink/address.js";
import { defineAttributes, row } from "../../../src/netlink/attribute.js";
import { u32 } from "../../../src/netlink/attribute-integer.js";
import { nested } from "../../../src/netlink/attribute-nested.js";
import { link } from "../../../src/netlink/link.js";
import { defineStruct, structLayout } from "../../../src/netlink/struct.js";

interface Check {
  readonly expression: string;
  readonly value: number;
  readonly where: string;
}
type Checks = Map<string, Check>;
interface Script {
  collect(exports: object, where: string, layout: typeof structLayout, checks?: Checks): Checks;
  verify(checks: Checks): { wrong: string[]; missing: string[] };
  load(directory: string): Promise<[string, object][]>;
}
const { collect, verify, load } = (await import(
  new URL("../../../scripts/check-constants.mjs", import.meta.url).href
)) as Script;

function check(exports: object) {
  return verify(collect(exports, "poisoned.ts", structLayout));
}

test("the kernel's headers are here (package linux-libc-dev)", () => {
  expect(existsSync("/usr/include/linux/rtnetlink.h")).toBe(true);
});

test("right numbers pass", () => {
  expect(check({ ifaddrmsg, ifaFlags, addressAttributes, link })).toEqual({ wrong: [], missing: [] });
});

test("what is found is everything: rows of nested sets, structs in them, types, tables, single numbers", () => {
  const found = [
    ...collect({ link, NLA_HDRLEN: 4, notKernel: 3, camelTable: { one: 1 } }, "x.ts", structLayout).values(),
  ].map((one) => one.expression);
  for (const expression of [
    "IFLA_MTU",
    "IFLA_BRPORT_STATE",
    "VETH_INFO_PEER",
    "IFLA_MACVLAN_MODE",
    "(RTM_NEWLINK)",
    "sizeof(struct ifinfomsg)",
    "offsetof(struct ifinfomsg, ifi_index)",
    "NLA_HDRLEN",
  ]) {
    expect(found).toContain(expression);
  }
  expect(found).not.toContain("notKernel");
  expect(found).not.toContain("one");
});

describe("a poisoned table is caught", () => {
  test.each<[string, object, string]>([
    ["a row", { set: defineAttributes("IFLA", { mtu: row("IFLA_MTU", 5, u32) }) }, "IFLA_MTU is not 5"],
    [
      "a row of a nested set",
      {
        set: defineAttributes("IFLA", {
          info: row("IFLA_LINKINFO", 18, nested(defineAttributes("I", { kind: row("IFLA_INFO_KIND", 2, u32) }))),
        }),
      },
      "IFLA_INFO_KIND is not 2",
    ],
    ["a struct's size", { struct: defineStruct("ifaddrmsg", 12, "ifa_", {}) }, "sizeof(struct ifaddrmsg) is not 12"],
    [
      "a field's offset",
      { struct: defineStruct("ifaddrmsg", 8, "ifa_", { scope: [2, "u8"] }) },
      "offsetof(struct ifaddrmsg, ifa_scope) is not 2",
    ],
    [
      "a field's size",
      { struct: defineStruct("ifaddrmsg", 8, "ifa_", { index: [4, "u16"] }) },
      "->ifa_index) is not 2",
    ],
    ["a field's name", { struct: defineStruct("ifaddrmsg", 8, "ifa_", { indexx: [4, "u32"] }) }, "ifa_indexx"],
    ["a message type", { noun: { ...link, types: { RTM_NEWLINK: 17 } } }, "(RTM_NEWLINK) is not 17"],
    ["a flag", { flags: { IFF_UP: 2 } }, "IFF_UP is not 2"],
    ["a single number", { AF_INET6: 11 }, "AF_INET6 is not 11"],
  ])("%s", (_, exports, words) => {
    const { wrong } = check(exports);
    expect(wrong.join("\n")).toContain(words);
    expect(wrong.join("\n")).toContain("poisoned.ts");
  });

  test("a name that no header has is told apart", () => {
    const { wrong, missing } = check({ flags: { IFF_NO_SUCH_FLAG: 2, IFF_UP: 1 } });
    expect(wrong).toEqual([]);
    expect(missing).toEqual(["IFF_NO_SUCH_FLAG"]);
  });

  test("one wrong number among all of them", async () => {
    const checks: Checks = new Map();
    for (const [name, exports] of await load(new URL("../../../src/netlink", import.meta.url).pathname))
      collect(exports, name, structLayout, checks);
    expect(checks.size).toBeGreaterThan(300);
    expect(verify(checks)).toEqual({ wrong: [], missing: [] });
    const [key, one] = [...checks][150] as [string, Check];
    checks.set(key, { ...one, value: one.value + 1 });
    expect(verify(checks).wrong).toHaveLength(1);
  });
});
