import { describe, expect, test } from "vitest";
import {
  asideIfname,
  HOST_IFNAMES,
  hashedHostIfname,
  hostIfname,
  temporaryIfname,
} from "../../../src/values/host-ifname.js";
import { parseIfname } from "../../../src/values/ifname.js";
import { refusal } from "./refusal.js";

describe("parseIfname", () => {
  test.each(["eth1", "e", "br-0a1b2c3d4e5f", "veth1.100", "exactly-15-byte", "-x", "...", "ALL", "wän0", "@", "eth1#"])(
    "%s",
    (name) => {
      expect(parseIfname(name, "interface name")).toBe(name);
    },
  );

  test.each([
    ["", "the interface name is empty"],
    ["sixteen-bytes-xx", "is 16 bytes long, and the kernel takes at most 15"],
    // Seven letters of two bytes each, and two of one.
    ["üüüüüüüxx", "is 16 bytes long"],
    [".", "directory"],
    ["..", "directory"],
    ["all", "/proc/sys/net"],
    ["default", "/proc/sys/net"],
    ["a/b", "slash"],
    ["a b", "white space"],
    ["a\tb", "white space"],
    ["a\nb", "white space"],
    ["a\u00a0b", "white space"],
    // 0xc3 0xa0 in UTF-8: 0xa0 is white space to the kernel.
    ["là", "white space"],
    ["a\u0001b", "control character"],
    ["a\u0000b", "control character"],
    ["eth%d", "template"],
    ["eth%", "template"],
    ["eth0:3", "use the base device eth0"],
    [":3", "has a colon"],
  ])("%j is refused", (name, why) => {
    expect(refusal(() => parseIfname(name, "interface name"))).toContain(why);
  });

  test("the refusal calls it what the caller calls it", () => {
    expect(refusal(() => parseIfname("a/b", "host interface"))).toBe(
      'the host interface "a/b" has a slash, which the kernel refuses',
    );
  });
});

describe("names of host ends", () => {
  test("as the shell script makes them, while they fit", () => {
    expect(hostIfname("eth1", 4242)).toBe("veth1pl4242");
    expect(hostIfname("eth1", 12345678)).toBe("veth1pl12345678");
    expect(hostIfname("eth1", 123456789)).toBeUndefined();
    expect(hostIfname("ëth1", 12345678)).toBeUndefined();
  });

  test("otherwise from a hash: valid, stable, different for all that differs", () => {
    const names = [
      hashedHostIfname("docker:a", "eth1"),
      hashedHostIfname("docker:b", "eth1"),
      hashedHostIfname("docker:a", "eth2"),
      ...Array.from({ length: HOST_IFNAMES - 1 }, (_, i) => hashedHostIfname("docker:a", "eth1", i + 1)),
      temporaryIfname("docker:a", "eth1"),
      asideIfname("docker:a", "eth1"),
    ];
    for (const name of names) expect(parseIfname(name, "host end")).toMatch(/^(vpw|pwt|pwa)[0-9a-f]{12}$/);
    expect(new Set(names).size).toBe(names.length);
    // printf 'docker:a\0eth1' | md5sum
    expect(names[0]).toBe("vpw42ec48f257f8");
    expect(hashedHostIfname("docker:a", "eth1", 0)).toBe(names[0]);
    expect(HOST_IFNAMES).toBeGreaterThan(1);
  });
});
