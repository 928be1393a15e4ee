import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatIp } from "../../../src/values/ipaddress.js";
import { contains, parseNetwork, parsePrefix, prefixText } from "../../../src/values/prefix.js";
import { refusal } from "./refusal.js";

describe("addresses of interfaces", () => {
  test.each([
    [
      "192.168.1.2/24",
      { family: "inet", address: "192.168.1.2", prefixlen: 24, network: "192.168.1.0", broadcast: "192.168.1.255" },
    ],
    [
      "10.1.2.3/9",
      { family: "inet", address: "10.1.2.3", prefixlen: 9, network: "10.0.0.0", broadcast: "10.127.255.255" },
    ],
    [
      "192.168.1.2/255.255.255.0",
      { family: "inet", address: "192.168.1.2", prefixlen: 24, network: "192.168.1.0", broadcast: "192.168.1.255" },
    ],
    [
      "192.168.1.2/255.255.255.252",
      { family: "inet", address: "192.168.1.2", prefixlen: 30, network: "192.168.1.0", broadcast: "192.168.1.3" },
    ],
    ["10.0.0.0/31", { family: "inet", address: "10.0.0.0", prefixlen: 31, network: "10.0.0.0" }],
    ["10.0.0.1/255.255.255.255", { family: "inet", address: "10.0.0.1", prefixlen: 32, network: "10.0.0.1" }],
    ["FD00:0::2/64", { family: "inet6", address: "fd00::2", prefixlen: 64, network: "fd00::" }],
    ["fd00::ffff/113", { family: "inet6", address: "fd00::ffff", prefixlen: 113, network: "fd00::8000" }],
    ["fd00::2/128", { family: "inet6", address: "fd00::2", prefixlen: 128, network: "fd00::2" }],
    // The kernel takes network and broadcast address as well.
    [
      "192.168.1.0/24",
      { family: "inet", address: "192.168.1.0", prefixlen: 24, network: "192.168.1.0", broadcast: "192.168.1.255" },
    ],
    [
      "192.168.1.255/24",
      { family: "inet", address: "192.168.1.255", prefixlen: 24, network: "192.168.1.0", broadcast: "192.168.1.255" },
    ],
  ])("%s", (text, prefix) => {
    expect(parsePrefix(text)).toEqual(prefix);
  });

  test.each(["0/0", "0.0.0.0/0", "0.0.0.0/0.0.0.0"])("%s is no address at all", (text) => {
    expect(parsePrefix(text)).toMatchObject({ family: "inet", address: "0.0.0.0", prefixlen: 0, network: "0.0.0.0" });
  });
  test("::/0 neither", () => {
    expect(parsePrefix("::/0")).toEqual({ family: "inet6", address: "::", prefixlen: 0, network: "::" });
  });

  test.each([
    ["192.168.1.2", "The IP address should include a netmask. Maybe you meant 192.168.1.2/24 ?"],
    ["fd00::2", "The IP address should include a netmask. Maybe you meant fd00::2/64 ?"],
    ["10.1/16", "10.1.0.0 or 10.0.0.1"],
    ["192.168.01.2/24", "write 192.168.1.2"],
    ["1.2.3.4/33", "at most 32"],
    ["fd00::/129", "at most 128"],
    ["1.2.3.4/", "is not a prefix length"],
    ["1.2.3.4/x", "is not a prefix length"],
    ["1.2.3.4/-1", "is not a prefix length"],
    ["1.2.3.4/24/24", "is not a prefix length"],
    ["1.2.3.4/024", "write /24"],
    ["1.2.3.4/255.0.255.0", "is not a netmask"],
    ["1.2.3.4/0.0.0.255", "is not a netmask"],
    ["1.2.3.4/255.255.256.0", "256 is more than 255"],
    ["fd00::2/255.255.0.0", "is not a prefix length"],
    ["fd00::2/ffff::", "is not a prefix length"],
    ["0.0.0.0/8", "unspecified address | write 0/0"],
    ["0/8", "shortened"],
    ["::/64", "unspecified address | write 0/0"],
    ["224.0.0.1/24", "multicast"],
    ["239.255.255.255/32", "multicast"],
    ["ff02::1/64", "multicast"],
    ["255.255.255.255/32", "broadcast address of every network"],
    ["127.0.0.1/8", "loopback"],
    ["::1/128", "loopback"],
    ["/24", "an IP address is missing"],
  ])("%s is refused", (text, why) => {
    expect(refusal(() => parsePrefix(text))).toContain(why);
  });

  test("what is no interface's address may well be a route's destination", () => {
    expect(parseNetwork("224.0.0.0/4")).toMatchObject({ address: "224.0.0.0", prefixlen: 4 });
    expect(parseNetwork("ff00::/8")).toMatchObject({ network: "ff00::" });
    // No neighbours of multicast: fe.., f.. and 223, 240.
    for (const text of ["fe80::1/64", "f::1/64", "223.0.0.1/24", "240.0.0.1/24", "ff::1/64"])
      expect(prefixText(parsePrefix(text))).toBe(text);
  });
});

describe("contains", () => {
  test.each([
    ["192.168.1.2/24", "192.168.1.254", true],
    ["192.168.1.2/24", "192.168.2.1", false],
    ["192.168.1.2/32", "192.168.1.2", true],
    ["192.168.1.2/32", "192.168.1.3", false],
    ["0/0", "8.8.8.8", true],
    ["0/0", "fd00::1", false],
    ["fd00::2/64", "fd00::ffff:1", true],
    ["fd00::2/64", "fd00:0:0:1::1", false],
    ["::/0", "10.0.0.1", false],
  ])("%s, %s: %s", (prefix, address, result) => {
    expect(contains(parsePrefix(prefix), address)).toBe(result);
  });

  test("as node:net sees it", () => {
    const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
    const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const near = (bytes: fc.Arbitrary<Uint8Array>, bits: number) =>
      fc
        .tuple(bytes, fc.integer({ min: 0, max: bits }), fc.nat(bits - 1), fc.boolean())
        .map(([base, prefixlen, flip, flipped]) => {
          const other = base.slice();
          if (flipped) other[flip >> 3] = (other[flip >> 3] as number) ^ (0x80 >> (flip & 7));
          return {
            base: formatIp(base),
            prefixlen,
            other: formatIp(other),
            family: bits === 32 ? ("ipv4" as const) : ("ipv6" as const),
          };
        });
    fc.assert(
      fc.property(fc.oneof(near(v4, 32), near(v6, 128)), ({ base, prefixlen, other, family }) => {
        const list = new BlockList();
        list.addSubnet(base, prefixlen, family);
        expect(contains(parseNetwork(`${base}/${prefixlen}`), other)).toBe(list.check(other, family));
      }),
      { numRuns: 500 },
    );
  });
});
