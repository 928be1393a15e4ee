import { describe, expect, test } from "vitest";
import { parseHostSelector, selectorText } from "../../../src/values/host-selector.js";
import { refusal } from "./refusal.js";

describe("what says which host interface is meant", () => {
  test.each([
    ["eth0", { by: "name", name: "eth0" }],
    ["fifteen-bytes-0", { by: "name", name: "fifteen-bytes-0" }],
    ["sixteen-bytes-00", { by: "altname", name: "sixteen-bytes-00" }],
    ["mac:02:00:00:00:00:AB", { by: "mac", mac: "02:00:00:00:00:ab" }],
    ["mac:02-00-00-00-00-ab", { by: "mac", mac: "02:00:00:00:00:ab" }],
    ["pci:0000:00:05.0", { by: "pci", address: "0000:00:05.0" }],
    ["pci:3B:1f.7", { by: "pci", address: "0000:3b:1f.7" }],
    ["pci:10000:01:00.1", { by: "pci", address: "10000:01:00.1" }],
  ] as const)("%s", (text, selector) => {
    expect(parseHostSelector(text)).toEqual(selector);
    expect(parseHostSelector(selectorText(parseHostSelector(text)))).toEqual(selector);
  });

  test.each([
    "mac:",
    "mac:eth0",
    "mac:02:00",
    "mac:01:00:00:00:00:00",
    "pci:",
    "pci:eth0",
    "pci:00:05",
    "pci:00:25.0",
    "pci:00:05.8",
  ])("%s is refused", (text) => {
    expect(refusal(() => parseHostSelector(text))).not.toBe("");
  });

  test("an alternative name has no characters that no name has, and not more bytes than the kernel takes", () => {
    expect(parseHostSelector("x".repeat(127))).toEqual({ by: "altname", name: "x".repeat(127) });
    expect(refusal(() => parseHostSelector("x".repeat(128)))).toContain("128 bytes");
    for (const name of ["sixteen bytes 00", "sixteen/bytes/00", "sixteen:bytes:00", "sixteen-bytes-%d"])
      expect(refusal(() => parseHostSelector(name))).toContain("alternative name");
  });
});
