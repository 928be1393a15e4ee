import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  attachmentMac,
  bridgeMac,
  formatMac,
  hostEndMac,
  macBytes,
  parseMac,
  randomMac,
  SEED_DIGITS,
  uniqueMac,
} from "../../../src/values/mac.js";
import { md5 } from "../../../src/values/md5.js";
import { refusal } from "./refusal.js";

describe("parseMac", () => {
  test.each([
    ["02:42:ac:11:00:02", "02:42:ac:11:00:02"],
    ["02:42:AC:11:00:02", "02:42:ac:11:00:02"],
    ["02-42-AC-11-00-02", "02:42:ac:11:00:02"],
    ["2:42:ac:11:0:2", "02:42:ac:11:00:02"],
    ["fe:ff:ff:ff:ff:ff", "fe:ff:ff:ff:ff:ff"],
  ])("%s is %s", (text, canonical) => {
    expect(parseMac(text)).toBe(canonical);
  });

  test.each([
    [
      "01:00:5e:00:00:01",
      "multicast address (the lowest bit of its first byte is set), which no interface may have | did you mean 00:00:5e:00:00:01?",
    ],
    ["03:00:00:00:00:01", "did you mean 02:00:00:00:00:01?"],
    ["ff:ff:ff:ff:ff:ff", "broadcast"],
    ["00:00:00:00:00:00", "all zeros"],
    ["02:42:ac:11:00", "has 5 bytes"],
    ["02:42:ac:11:00:02:03", "has 7 bytes"],
    ["02:42-ac:11:00:02", "is not a MAC address"],
    ["02:42:ac:11:00:", "is not a MAC address"],
    ["02:42:ac:11:00:0g", "is not a MAC address"],
    ["02:42:ac:11:00:002", "is not a MAC address"],
    ["0242.ac11.0002", "six pairs of hex digits"],
    ["0242ac110002", "is not a MAC address"],
    ["", "is not a MAC address"],
    [" 02:42:ac:11:00:02", "is not a MAC address"],
  ])("%j is refused", (text, why) => {
    expect(refusal(() => parseMac(text))).toContain(why);
  });
});

test("bytes of any length come back: InfiniBand has twenty", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 20 }), (bytes) => {
      expect([...macBytes(formatMac(bytes))]).toEqual([...bytes]);
    }),
  );
  expect(refusal(() => macBytes("nonsense"))).toContain("is not a MAC address");
});

describe("U:text, as `echo text | md5sum` in the shell", () => {
  // echo web1 | md5sum, echo "web 1" | md5sum, echo pipework-µ | md5sum (coreutils 9.1)
  test.each([
    ["web1", "02:66:ee:60:6d:50"],
    ["web 1", "02:18:6c:96:37:11"],
    ["  web \t 1\n", "02:18:6c:96:37:11"],
    ["pipework-µ", "02:e7:60:1a:4a:6d"],
  ])("%j", (text, mac) => {
    expect(uniqueMac(text)).toBe(mac);
  });

  test.each(["", " \t"])("%j is refused", (text) => {
    expect(refusal(() => uniqueMac(text))).toContain('"U:" needs a text');
  });
});

describe("derived MACs", () => {
  const seed = "00112233445566778899aabbccddee".slice(0, SEED_DIGITS);

  test.each([
    [
      "an attachment's",
      attachmentMac("docker:abc", "eth1"),
      /^02:/,
      [attachmentMac("docker:abc", "eth2"), attachmentMac("docker:abd", "eth1")],
    ],
    ["a host end's, higher than a bridge's other ports", hostEndMac(seed), /^fe:/, []],
    ["a bridge's", bridgeMac(seed), /^02:/, [randomMac(seed), `02${hostEndMac(seed).slice(2)}`]],
    [
      "one for a guest that has no lasting identity",
      randomMac(seed),
      /^02:/,
      [bridgeMac(seed), `02${hostEndMac(seed).slice(2)}`],
    ],
  ])("%s is locally administered, unicast and not one of the others", (_, mac, first, others) => {
    expect(mac).toMatch(first);
    expect(parseMac(mac)).toBe(mac);
    expect((macBytes(mac)[0] as number) & 3).toBe(2);
    expect(others).not.toContain(mac);
  });

  test("every digit of the seed is used by one of them", () => {
    const made = (digits: string) => [hostEndMac(digits), bridgeMac(digits), randomMac(digits)].join(" ");
    for (let i = 0; i < SEED_DIGITS; i++) {
      const other = `${seed.slice(0, i)}${seed[i] === "0" ? "1" : "0"}${seed.slice(i + 1)}`;
      expect(made(other), `digit ${i}`).not.toBe(made(seed));
    }
  });

  test("an attachment's is the same tomorrow", () => {
    expect(attachmentMac("docker:abc", "eth1")).toBe(
      `02:${createHash("md5")
        .update("docker:abc\0eth1")
        .digest("hex")
        .slice(0, 10)
        .replace(/..(?!$)/g, "$&:")}`,
    );
  });
});

describe("md5 agrees with node:crypto", () => {
  const theirs = (message: string | Uint8Array) => createHash("md5").update(message).digest("hex");

  test("at every length around a block's edge", () => {
    for (let length = 0; length < 260; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37) & 0xff);
      expect(md5(bytes), String(length)).toBe(theirs(bytes));
    }
  });

  test("on any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(md5(text)).toBe(theirs(text));
      }),
    );
  });
});
