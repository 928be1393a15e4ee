import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { familyOf, formatIp, ipBytes, parseIp } from "../../../src/values/ipaddress.js";
import { refusal } from "./refusal.js";

describe("IPv4", () => {
  test.each(["0.0.0.0", "1.2.3.4", "10.0.0.1", "192.168.1.254", "255.255.255.255"])("%s", (text) => {
    expect([...ipBytes(text)]).toEqual(text.split(".").map(Number));
    expect(parseIp(text)).toBe(text);
    expect(familyOf(text)).toBe("inet");
  });

  test.each([
    ["10.1", "shortened", "10.1.0.0 or 10.0.0.1"],
    ["10.1.2", "shortened", "10.1.2.0 or 10.1.0.2"],
    ["10", "shortened", "10.0.0.0 or 0.0.0.10"],
    ["192.168.01.2", "leading zeros", "write 192.168.1.2"],
    ["010.0.0.1", "octal", "write 10.0.0.1"],
    ["00.0.0.1", "leading zeros", "write 0.0.0.1"],
    ["1.2.3.256", "256 is more than 255", ""],
    ["1.2.3.4.5", "5 parts", ""],
    ["1.2.3.4.", "is not an IPv4 address", "write 1.2.3.4"],
    ["", "missing", ""],
    ["1.2.3.4/24", "an address alone is wanted", ""],
    ["1.2.3.", "shortened", ""],
    [".1.2.3", "is not an IP address", ""],
    ["1..2.3", "is not an IP address", ""],
    ["1.2.3.4 ", "is not an IP address", ""],
    ["+1.2.3.4", "is not an IP address", ""],
    ["0x0a.1.2.3", "is not an IP address", ""],
    ["1.2.3.-4", "is not an IP address", ""],
    ["web1", "is not an IP address", "192.168.1.2"],
    ["１.2.3.4", "is not an IP address", ""],
  ])("%j is refused", (text, why, hint) => {
    expect(refusal(() => parseIp(text))).toContain(why);
    expect(refusal(() => ipBytes(text))).toContain(hint);
  });
});

describe("IPv6 as RFC 5952 writes it", () => {
  test.each([
    // RFC 5952, section 4
    ["2001:0db8::0001", "2001:db8::1"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8::A", "2001:db8::a"],
    // section 5
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:c000:221"],
  ])("%s is %s", (text, canonical) => {
    expect(parseIp(text)).toBe(canonical);
    expect(familyOf(canonical)).toBe("inet6");
  });

  test.each([
    ["fe80::1%eth0", "names a zone", "write fe80::1"],
    [":", "is not an IPv6 address", ""],
    [":::", "is not an IPv6 address", ""],
    ["1::2::3", "is not an IPv6 address", ""],
    ["1:2:3:4:5:6:7", "is not an IPv6 address", ""],
    ["1:2:3:4:5:6:7:8:9", "is not an IPv6 address", ""],
    ["1:2:3:4:5:6:7:8::", "is not an IPv6 address", ""],
    ["12345::", "is not an IPv6 address", "hex digits"],
    ["g::1", "is not an IPv6 address", ""],
    ["1.2.3.4::1", "is not an IPv6 address", ""],
    ["::1.2.3", "is not an IPv6 address", ""],
    ["::01.2.3.4", "is not an IPv6 address", ""],
    ["::1.2.3.4:5", "is not an IPv6 address", ""],
    ["[::1]", "is not an IPv6 address", ""],
    [" ::1", "is not an IPv6 address", ""],
  ])("%j is refused", (text, why, hint) => {
    expect(refusal(() => parseIp(text))).toContain(why);
    expect(refusal(() => parseIp(text))).toContain(hint);
  });
});

describe("against other eyes", () => {
  // A host name parser of the URL standard canonicalises IPv6 as RFC 5952 does, save the mapped ones.
  const asUrl = (text: string) => new URL(`http://[${text}]/`).hostname.slice(1, -1);

  test("any sixteen bytes come back, and the URL parser writes them alike", () => {
    const byte = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(byte, { minLength: 16, maxLength: 16 }), (list) => {
        const text = formatIp(Uint8Array.from(list));
        expect([...ipBytes(text)]).toEqual(list);
        if (!text.startsWith("::ffff:")) expect(asUrl(text)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  test("what is accepted is what node:net accepts", () => {
    const piece = fc.constantFrom(
      "0",
      "1",
      "00",
      "01",
      "255",
      "256",
      "ab",
      "ffff",
      "10000",
      ".",
      ":",
      "::",
      "1.2.3.4",
      "",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 17 }), fc.constantFrom(".", ":", ""), (pieces, by) => {
        const text = pieces.join(by);
        const ours = (() => {
          try {
            return familyOf(parseIp(text)) === "inet" ? 4 : 6;
          } catch {
            return 0;
          }
        })();
        expect(ours, text).toBe(isIP(text));
      }),
      { numRuns: 5000 },
    );
  });

  test("no other length is an address", () => {
    expect(() => formatIp(new Uint8Array(5))).toThrow(RangeError);
  });
});
