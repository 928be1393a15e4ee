import { describe, expect, test } from "vitest";
import { suggest } from "../../../src/values/suggest.js";
import { parseVlan, parseVlanList } from "../../../src/values/vlan.js";
import { refusal } from "./refusal.js";

describe("VLAN ids", () => {
  test.each([
    ["1", 1],
    ["100", 100],
    ["4094", 4094],
  ])("%s", (text, id) => {
    expect(parseVlan(text)).toBe(id);
  });

  test.each([
    ["0", "a number from 1 to 4094"],
    ["4095", "a number from 1 to 4094"],
    ["-1", "is not a VLAN id"],
    ["1.5", "is not a VLAN id"],
    ["0x64", "is not a VLAN id"],
    ["", "is not a VLAN id"],
    ["99999999999", "is not a VLAN id"],
    ["0100", "write 100"],
  ])("%j is refused", (text, why) => {
    expect(refusal(() => parseVlan(text))).toContain(why);
  });

  test("trunks", () => {
    expect(parseVlanList("10,20-23")).toEqual([10, 20, 21, 22, 23]);
    expect(parseVlanList("30,10,9-11")).toEqual([9, 10, 11, 30]);
    expect(parseVlanList("7")).toEqual([7]);
    expect(refusal(() => parseVlanList("30-20"))).toContain("write 20-30");
    expect(refusal(() => parseVlanList("1-2-3"))).toContain("is not a range");
    expect(refusal(() => parseVlanList("10,"))).toContain("is not a VLAN id");
    expect(refusal(() => parseVlanList("1-4095"))).toContain("is not a VLAN id");
  });
});

describe("suggest", () => {
  const known = ["attach", "detach", "list", "plan", "doctor", "demo"];
  test.each([
    ["atach", "attach"],
    ["attahc", "attach"],
    ["dettach", "detach"],
    ["DOCTOR", "doctor"],
    ["lsit", "list"],
    ["lists", "list"],
    ["plane", "plan"],
    ["xyz", undefined],
    ["st", undefined],
    ["", undefined],
    ["attachments", undefined],
  ])("%j: %s", (word, meant) => {
    expect(suggest(word, known)).toBe(meant);
  });

  test("the nearest wins, and of equals the first", () => {
    expect(suggest("cat", ["bat", "cut", "cat"])).toBe("cat");
    expect(suggest("cat", ["cut", "bat"])).toBe("cut");
  });
});
