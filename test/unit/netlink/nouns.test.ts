import { describe, expect, test } from "vitest";
import { nlmFlags } from "../../../src/netlink/message.js";
import {
  attributeNumbers,
  encode,
  encodeAttributeValue,
  headerLength,
  path,
  print,
} from "../../../src/netlink/nouns.js";
import { toHex } from "./golden.js";

const veth = {
  noun: "link",
  type: "RTM_NEWLINK",
  flags: ["NLM_F_CREATE", "NLM_F_EXCL"],
  header: {},
  attributes: {
    ifname: "v1",
    master: { slot: "bridge" },
    linkinfo: {
      kind: "veth",
      data: { peer: { header: { index: 0 }, attributes: { ifname: "eth1", netNsFd: { slot: "guest" } } } },
    },
  },
} as const;

describe("encode", () => {
  test("slots become relocations at the right offsets, also inside a veth's peer", () => {
    const filled = { ...veth, attributes: { ...veth.attributes, master: 0x11223344 } };
    const { bytes, relocations } = encode(veth);
    const master = encode(filled).bytes.findIndex((_, i, all) => toHex(all.subarray(i, i + 4)) === "44332211");
    expect(relocations.map(({ slot }) => slot)).toEqual(["bridge", "guest"]);
    expect(relocations[0]?.offset).toBe(master);
    for (const { offset } of relocations) expect(toHex(bytes.subarray(offset, offset + 4))).toBe("00000000");
    expect(path("link", bytes, relocations[1]?.offset as number)).toBe(
      "IFLA_LINKINFO.IFLA_INFO_DATA.VETH_INFO_PEER.IFLA_NET_NS_FD",
    );
  });

  test("an encoded message stays what it is when others are encoded, or fail to be", () => {
    const first = encode(veth);
    const before = { bytes: toHex(first.bytes), relocations: JSON.stringify(first.relocations) };
    encode({ noun: "link", type: "RTM_SETLINK", header: { index: { slot: "other" } }, attributes: { group: 7 } });
    expect(() => encode({ ...veth, attributes: { ...veth.attributes, mtu: -1 } })).toThrow("does not fit");
    encodeAttributeValue("link", ["IFLA_GROUP"], 7);
    expect({ bytes: toHex(first.bytes), relocations: JSON.stringify(first.relocations) }).toEqual(before);
    expect(toHex(encode(veth).bytes)).toBe(before.bytes);
  });

  test("a slot in the header", () => {
    const { relocations } = encode({
      noun: "address",
      type: "RTM_NEWADDR",
      header: { index: { slot: "link" } },
      attributes: {},
    });
    expect(relocations).toEqual([{ offset: 20, slot: "link" }]);
  });

  test("every request asks for an ack", () => {
    const { bytes } = encode({ noun: "route", type: "RTM_GETROUTE", header: {}, attributes: {} });
    expect(bytes[6]).toBe(nlmFlags.NLM_F_REQUEST | nlmFlags.NLM_F_ACK);
  });

  test.each([
    [{ noun: "linc", type: "RTM_NEWLINK", header: {}, attributes: {} }, 'there is no noun "linc"'],
    [{ noun: "toString", type: "RTM_NEWLINK", header: {}, attributes: {} }, "there is no noun"],
    [{ noun: "link", type: "RTM_NEWADDR", header: {}, attributes: {} }, "link has no message RTM_NEWADDR"],
    [{ noun: "link", type: "RTM_NEWLINK", header: {}, attributes: { mtuu: 3 } }, 'IFLA has no attribute "mtuu"'],
    [
      { noun: "link", type: "RTM_NEWLINK", header: { typo: 3 }, attributes: {} },
      'struct ifinfomsg has no field "typo"',
    ],
    [
      { noun: "link", type: "RTM_NEWLINK", header: {}, attributes: { mtu: 2 ** 32 } },
      "IFLA_MTU: 4294967296 does not fit u32",
    ],
    [{ noun: "link", type: "RTM_NEWLINK", header: {}, attributes: { mtu: 1.5 } }, "IFLA_MTU: 1.5 does not fit u32"],
    [{ noun: "link", type: "RTM_NEWLINK", header: {}, attributes: { ifname: "a-name-of-16-byt" } }, "IFLA_IFNAME: "],
    [{ noun: "link", type: "RTM_NEWLINK", header: { family: 256 }, attributes: {} }, "256 does not fit u8"],
    [
      {
        noun: "link",
        type: "RTM_NEWLINK",
        header: {},
        attributes: { linkinfo: { kind: "gretap", data: { mode: 1 } } },
      },
      'no attribute mode is known for kind "gretap"',
    ],
  ])("%j is refused", (message, words) => {
    expect(() => encode(message)).toThrow(words);
  });

  test("an alias may have 255 bytes, and goes without a terminating zero, which the kernel would count", () => {
    const { bytes } = encode({
      noun: "link",
      type: "RTM_SETLINK",
      header: {},
      attributes: { ifalias: "a".repeat(255) },
    });
    expect(toHex(bytes.subarray(32, 36))).toBe("03011400");
    expect(() =>
      encode({ noun: "link", type: "RTM_SETLINK", header: {}, attributes: { ifalias: "a".repeat(256) } }),
    ).toThrow("256 bytes, 255 are possible");
  });
});

describe("looking up", () => {
  test("numbers along a path, whatever the kind", () => {
    expect(attributeNumbers("link", ["IFLA_GROUP"])).toEqual([27]);
    expect(attributeNumbers("link", ["IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA", "IFLA_BRPORT_STATE"])).toEqual([
      18, 5, 1,
    ]);
    expect(attributeNumbers("link", ["IFLA_LINKINFO", "IFLA_INFO_DATA", "IFLA_MACVLAN_MODE"])).toEqual([18, 2, 1]);
    expect(() => attributeNumbers("link", ["IFLA_LINKINFO", "IFLA_MTU"])).toThrow(
      "link has no attribute IFLA_LINKINFO.IFLA_MTU",
    );
    expect(() => attributeNumbers("link", ["IFLA_LINKINFO", "IFLA_INFO_DATA", "VETH_INFO_PEER", "IFLA_MTU"])).toThrow(
      "struct in front",
    );
  });

  test("values as the kernel writes them", () => {
    expect(toHex(encodeAttributeValue("link", ["IFLA_GROUP"], 0x70770001))).toBe("01007770");
    expect(toHex(encodeAttributeValue("link", ["IFLA_IFNAME"], "eth1"))).toBe("6574683100");
    expect(toHex(encodeAttributeValue("link", ["IFLA_IFALIAS"], "x"))).toBe("7800");
    expect(toHex(encodeAttributeValue("link", ["IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA", "IFLA_BRPORT_STATE"], 3))).toBe(
      "03",
    );
    expect(() => encodeAttributeValue("link", [], 3)).toThrow("at least one");
  });

  test("header lengths", () => {
    expect(["link", "address", "route", "rule", "neighbour"].map(headerLength)).toEqual([16, 8, 12, 12, 12]);
  });

  test("paths end where the bytes do", () => {
    const { bytes } = encode(veth);
    expect(path("link", bytes, 8)).toBeUndefined();
    expect(path("link", bytes, 16)).toBe("struct ifinfomsg");
    expect(path("link", bytes, 32)).toBe("IFLA_IFNAME");
    expect(path("link", bytes, bytes.length)).toBeUndefined();
  });

  test("print is one line in the kernel's words", () => {
    expect(print(veth)).toBe(
      'RTM_NEWLINK create|excl  IFLA_IFNAME="v1" IFLA_MASTER=<bridge> ' +
        'IFLA_LINKINFO={IFLA_INFO_KIND="veth" IFLA_INFO_DATA={VETH_INFO_PEER={IFLA_IFNAME="eth1" IFLA_NET_NS_FD=<guest>}}}',
    );
  });
});
