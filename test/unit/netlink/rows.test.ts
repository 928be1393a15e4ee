import { describe, expect, test } from "vitest";
import { type AttributeSet, decodeAttributes, encodeAttributes, type Rows } from "../../../src/netlink/attribute.js";
import { splitMessages } from "../../../src/netlink/message.js";
import { type NounName, nouns } from "../../../src/netlink/nouns.js";
import { align, Reader, Writer } from "../../../src/netlink/wire.js";
import { tcMessages } from "../iproute/tc-golden.js";
import { capturedNouns, fromHex, golden, toHex, trimmed } from "./golden.js";

interface Seen {
  readonly set: AttributeSet<Rows>;
  readonly kernelName: string;
}

/** Every row of every set below a noun, by the path of kernel names. */
function rowsOf(set: AttributeSet<Rows>, path: string, rows = new Map<string, Seen>()): Map<string, Seen> {
  for (const { kernelName, type } of Object.values(set.rows)) {
    const here = `${path}.${kernelName}`;
    rows.set(here, { set, kernelName });
    for (const inner of type.sets ?? []) rowsOf(inner, here, rows);
  }
  return rows;
}

/** Paths of the rows that occur in captured bytes. */
function captured(set: AttributeSet<Rows>, reader: Reader, path: string, found: Set<string>): void {
  const values: Record<string, unknown> = {};
  for (let at = 0; at + 4 <= reader.length; at += align(reader.u16(at))) {
    const field = set.byNumber.get(reader.u16(at + 2) & 0x3fff);
    if (field === undefined) continue;
    const { kernelName, type } = set.rows[field] as Rows[string];
    const payload = reader.slice(at + 4, at + reader.u16(at));
    values[field] = type.decode(payload, values);
    found.add(`${path}.${kernelName}`);
    const inner = type.inner?.(values);
    // The kernel answers with a plain array here; the nested form is only sent.
    if (inner !== undefined && kernelName !== "IFLA_INET_CONF") {
      const start = type.headerLengthOf?.(values) ?? type.headerLength ?? 0;
      captured(inner, payload.slice(start, payload.length), `${path}.${kernelName}`, found);
    }
  }
}

/**
 * Rows that no capture holds, on a machine without the hardware or kernel options for them, or that only we send: the
 * payload as the kernel header and the kernel's policy say it.
 */
const byHand: Record<string, [value: unknown, payload: string]> = {
  "link.IFLA_NET_NS_PID": [4242, "92100000"],
  "link.IFLA_NEW_IFINDEX": [7, "07000000"],
  "link.IFLA_PERM_ADDRESS": ["02:00:00:00:00:09", "020000000009"],
  "link.IFLA_PARENT_DEV_NAME": ["virtio0", "76697274696f3000"],
  "link.IFLA_PARENT_DEV_BUS_NAME": ["pci", "70636900"],
  "link.IFLA_ALT_IFNAME": ["uplink", "75706c696e6b00"],
  "link.IFLA_AF_SPEC.AF_INET.IFLA_INET_CONF.IPV4_DEVCONF_ARP_NOTIFY": [1, "01000000"],
  "link.IFLA_LINKINFO.IFLA_INFO_XSTATS": [fromHex("0102"), "0102"],
  "link.IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_VLAN_PROTOCOL": [0x8100, "8100"],
  "link.IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_VLAN_DEFAULT_PVID": [300, "2c01"],
  "bridgeVlan.IFLA_IFNAME": ["v0", "763000"],
  "bridgeVlan.IFLA_MASTER": [3, "03000000"],
  "bridgeVlan.IFLA_EXT_MASK": [4, "04000000"],
  "bridgeVlan.IFLA_AF_SPEC.IFLA_BRIDGE_FLAGS": [1, "0100"],
  "bridgeVlan.IFLA_AF_SPEC.IFLA_BRIDGE_MODE": [1, "0100"],
  "bridgeVlan.IFLA_AF_SPEC.IFLA_BRIDGE_VLAN_INFO": [[{ flags: 6, vid: 100 }], "06006400"],
  "link.IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VRF_TABLE": [77, "4d000000"],
  "address.IFA_TARGET_NETNSID": [-1, "ffffffff"],
  "route.RTA_SRC": ["fd00::", "fd000000000000000000000000000000"],
  "route.RTA_IIF": [3, "03000000"],
  "route.RTA_MARK": [0x10, "10000000"],
  "route.RTA_NEWDST": ["10.0.0.1", "0a000001"],
  "route.RTA_UID": [1000, "e8030000"],
  "route.RTA_TTL_PROPAGATE": [1, "01"],
  "route.RTA_IP_PROTO": [6, "06"],
  "route.RTA_SPORT": [80, "0050"],
  "route.RTA_DPORT": [443, "01bb"],
  "route.RTA_ENCAP_TYPE": [3, "0300"],
  "route.RTA_ENCAP": [fromHex("0800010001000000"), "0800010001000000"],
  "route.RTA_NH_ID": [12, "0c000000"],
  "rule.FRA_TUN_ID": [fromHex("000000000000004d"), "000000000000004d"],
  "rule.FRA_L3MDEV": [1, "01"],
  "neighbour.NDA_VLAN": [100, "6400"],
  "neighbour.NDA_PORT": [4789, "12b5"],
  "neighbour.NDA_VNI": [77, "4d000000"],
  "neighbour.NDA_IFINDEX": [5, "05000000"],
  "neighbour.NDA_MASTER": [6, "06000000"],
  "neighbour.NDA_LINK_NETNSID": [-1, "ffffffff"],
  "neighbour.NDA_SRC_VNI": [78, "4e000000"],
  "tc.TCA_STATS2.TCA_STATS_RATE_EST64": [{ bps: 2n, pps: 1n }, "02000000000000000100000000000000"],
  "tc.TCA_STATS2.TCA_STATS_BASIC_HW": [{ bytes: 258n, packets: 3 }, "02010000000000000300000000000000"],
  "tc.TCA_STATS2.TCA_STATS_PKT64": [5n, "0500000000000000"],
  "tc.TCA_DUMP_INVISIBLE": [true, ""],
  "nftChain.NFTA_CHAIN_TABLE": ["filter", "66696c74657200"],
  "nftChain.NFTA_CHAIN_NAME": ["FORWARD", "464f525741524400"],
  "nftChain.NFTA_CHAIN_TYPE": ["filter", "66696c74657200"],
  "nftChain.NFTA_CHAIN_POLICY": [1, "00000001"],
  "nftChain.NFTA_CHAIN_HOOK.NFTA_HOOK_HOOKNUM": [2, "00000002"],
  "nftChain.NFTA_CHAIN_HOOK.NFTA_HOOK_PRIORITY": [0xffffff6a, "ffffff6a"],
};

/** Qdiscs, classes and filters share most of their sets. */
const asTc = (path: string) => path.replace(/^(qdisc|class|filter|chain)\.TCA_/, "tc.TCA_");

const inCaptures = new Set<string>();
for (const noun of capturedNouns) {
  const { attributes, header } = nouns[noun];
  for (const capture of golden(noun).captures) {
    const received = [...splitMessages(fromHex((capture.received ?? []).join("")))].map(({ bytes }) => bytes);
    const messages = [...capture.sent.map(trimmed), ...received];
    for (const message of messages) {
      if (!Object.values(nouns[noun].types).includes(new Reader(message).u16(4) as never)) continue;
      captured(
        attributes as unknown as AttributeSet<Rows>,
        new Reader(message).slice(16 + align(header.size), message.length),
        noun,
        inCaptures,
      );
    }
  }
}

for (const message of tcMessages()) {
  const noun = (["qdisc", "class"] as const).find((one) =>
    Object.values(nouns[one].types).includes(new Reader(message).u16(4) as never),
  );
  if (noun === undefined) continue;
  const { attributes, header } = nouns[noun];
  const set = attributes as unknown as AttributeSet<Rows>;
  const found = new Set<string>();
  captured(set, new Reader(message).slice(16 + align(header.size), message.length), noun, found);
  for (const path of found) inCaptures.add(asTc(path));
}

const every = (Object.keys(nouns) as NounName[]).flatMap((noun) => [
  ...rowsOf(nouns[noun].attributes as unknown as AttributeSet<Rows>, noun),
]);
/** A veth's peer is a link: its rows are those of links. */
const covered = (path: string) => asTc(path.replace("IFLA_LINKINFO.IFLA_INFO_DATA.VETH_INFO_PEER.", ""));
const isContainer = (path: string) => every.some(([other]) => asTc(other).startsWith(`${path}.`));

describe("every row has golden bytes", () => {
  test("captured or written by hand", () => {
    const without = every
      .map(([path]) => covered(path))
      .filter((path) => !inCaptures.has(path) && byHand[path] === undefined && !isContainer(path));
    expect([...new Set(without)]).toEqual([]);
  });

  test("by hand only what no capture holds", () => {
    expect(Object.keys(byHand).filter((path) => inCaptures.has(path))).toEqual([]);
    expect(Object.keys(byHand).filter((path) => !every.some(([other]) => asTc(other) === path))).toEqual([]);
  });

  test.each(Object.entries(byHand))("%s", (path, [value, payload]) => {
    const [, { set, kernelName }] = every.find(([other]) => asTc(other) === path) as [string, Seen];
    const [field, { number }] = Object.entries(set.rows).find(([, row]) => row.kernelName === kernelName) as [
      string,
      Rows[string],
    ];
    const writer = new Writer();
    encodeAttributes(writer, set, { [field]: value } as never);
    const bytes = writer.finish();
    expect(new Reader(bytes).u16(0)).toBe(4 + payload.length / 2);
    expect(new Reader(bytes).u16(2)).toBe(number);
    expect(toHex(bytes.subarray(4))).toBe(payload.padEnd(align(payload.length / 2) * 2, "0"));
    expect(decodeAttributes(new Reader(bytes), set)).toEqual({ [field]: value });
  });
});
