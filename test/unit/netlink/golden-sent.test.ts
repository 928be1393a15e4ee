import { describe, expect, test } from "vitest";
import { address, ifaFlags } from "../../../src/netlink/address.js";
import { AF_INET, AF_INET6 } from "../../../src/netlink/family.js";
import { link } from "../../../src/netlink/link.js";
import { ipvlanModes } from "../../../src/netlink/link-ipvlan.js";
import { macvlanMacaddrMode, macvlanMode } from "../../../src/netlink/link-macvlan.js";
import { vlanProtocol } from "../../../src/netlink/link-vlan.js";
import { decodeMessage } from "../../../src/netlink/message.js";
import { ntfFlags, nudStates } from "../../../src/netlink/neighbour.js";
import { type AnyMessage, encode, type MessageOf, nouns } from "../../../src/netlink/nouns.js";
import { rtnhFlags, rtnType, rtProt, rtScope, rtTable } from "../../../src/netlink/route.js";
import { ruleActions, ruleFlags } from "../../../src/netlink/rule.js";
import { Reader } from "../../../src/netlink/wire.js";
import { type CapturedNoun, capturedNouns, fromHex, golden, nlmsghdr, request, shapes, tree } from "./golden.js";

const goldens = Object.fromEntries(capturedNouns.map((noun) => [noun, golden(noun)])) as Record<
  CapturedNoun,
  ReturnType<typeof golden>
>;

/** Interface indexes as they were while capturing, from what `ip -j` said and from names iproute2 looked up. */
const indexes = new Map<string, number>();
for (const { json } of goldens.link.captures)
  for (const { ifname, ifindex } of json ?? [])
    if (!indexes.has(String(ifname))) indexes.set(String(ifname), Number(ifindex));
const br1 = indexes.get("br1") as number;
const br2 = indexes.get("br2") as number;
const veth1 = indexes.get("veth1") as number;
const veth2 = indexes.get("veth2") as number;
/** veth3 was renamed and moved afterwards, with its index. */
const veth3 = indexes.get("veth4") as number;

const mv3 = indexes.get("mv3") as number;

const create = ["NLM_F_CREATE", "NLM_F_EXCL"] as const;
const up = { flags: 1, change: 1 };

function newLink(
  attributes: MessageOf<"link">["attributes"],
  header: MessageOf<"link">["header"] = {},
): MessageOf<"link"> {
  return { noun: "link", type: "RTM_NEWLINK", flags: create, header, attributes };
}
/** iproute2 changes links by RTM_NEWLINK without NLM_F_CREATE; to the kernel that is RTM_SETLINK. */
function change(
  index: number,
  attributes: MessageOf<"link">["attributes"],
  header: MessageOf<"link">["header"] = {},
): MessageOf<"link"> {
  return { noun: "link", type: "RTM_NEWLINK", header: { index, ...header }, attributes };
}
function newAddress(
  header: MessageOf<"address">["header"],
  attributes: MessageOf<"address">["attributes"],
): MessageOf<"address"> {
  return { noun: "address", type: "RTM_NEWADDR", flags: create, header: { index: br1, ...header }, attributes };
}
function newRoute(
  header: MessageOf<"route">["header"],
  attributes: MessageOf<"route">["attributes"],
  flags: MessageOf<"route">["flags"] = create,
): MessageOf<"route"> {
  const usual = {
    family: AF_INET,
    table: rtTable.RT_TABLE_MAIN,
    protocol: rtProt.RTPROT_BOOT,
    type: rtnType.RTN_UNICAST,
  };
  return { noun: "route", type: "RTM_NEWROUTE", flags, header: { ...usual, ...header }, attributes };
}
function newRule(header: MessageOf<"rule">["header"], attributes: MessageOf<"rule">["attributes"]): MessageOf<"rule"> {
  return {
    noun: "rule",
    type: "RTM_NEWRULE",
    flags: create,
    header: { family: AF_INET, action: ruleActions.FR_ACT_TO_TBL, ...header },
    attributes,
  };
}
function newNeighbour(
  header: MessageOf<"neighbour">["header"],
  attributes: MessageOf<"neighbour">["attributes"],
  flags: MessageOf<"neighbour">["flags"] = create,
): MessageOf<"neighbour"> {
  const usual = { family: AF_INET, ifindex: br1, state: nudStates.NUD_PERMANENT };
  return { noun: "neighbour", type: "RTM_NEWNEIGH", flags, header: { ...usual, ...header }, attributes };
}
const onLink = { scope: rtScope.RT_SCOPE_LINK };

/** The descriptor that iproute2 had open on the peer namespace, strace's word. */
const PEER_FD = 4;
const macvlan = (ifname: string, mode: number) =>
  newLink({ address: "02:00:00:00:01:01", ifname, link: veth2, linkinfo: { kind: "macvlan", data: { mode } } });

const expected: Record<string, AnyMessage> = {
  "link set dev lo up": change(1, {}, up),
  "link add name br1 address 02:00:00:00:00:01 type bridge": newLink({
    ifname: "br1",
    address: "02:00:00:00:00:01",
    linkinfo: { kind: "bridge" },
  }),
  "link add name br2 type bridge stp_state 0 forward_delay 400 hello_time 200 max_age 2000 ageing_time 30000 priority 4096 mcast_snooping 0 nf_call_iptables 0 nf_call_ip6tables 0 group_fwd_mask 8":
    newLink({
      ifname: "br2",
      linkinfo: {
        kind: "bridge",
        data: {
          stpState: 0,
          forwardDelay: 400,
          helloTime: 200,
          maxAge: 2000,
          ageingTime: 30000,
          priority: 4096,
          mcastSnooping: 0,
          nfCallIptables: 0,
          nfCallIp6tables: 0,
          groupFwdMask: 8,
        },
      },
    }),
  "link set dev br1 up": change(br1, {}, up),
  "link add name veth1 address fe:00:00:00:00:02 mtu 1400 numtxqueues 1 numrxqueues 1 master br1 group 1886846976 up type veth peer name eth1 address 02:00:00:00:00:03 mtu 1400 numtxqueues 1 numrxqueues 1 netns peer":
    newLink(
      {
        ifname: "veth1",
        address: "fe:00:00:00:00:02",
        mtu: 1400,
        master: br1,
        group: 1886846976,
        numTxQueues: 1,
        numRxQueues: 1,
        linkinfo: {
          kind: "veth",
          data: {
            peer: {
              attributes: {
                ifname: "eth1",
                address: "02:00:00:00:00:03",
                mtu: 1400,
                netNsFd: PEER_FD,
                numTxQueues: 1,
                numRxQueues: 1,
              },
            },
          },
        },
      },
      up,
    ),
  "link add name veth2 type veth peer name veth3": newLink({
    ifname: "veth2",
    linkinfo: { kind: "veth", data: { peer: { attributes: { ifname: "veth3" } } } },
  }),
  "link set dev veth1 group 0 up": change(veth1, { group: 0 }, up),
  "link set dev veth1 alias pipework:test of an alias": change(veth1, { ifalias: "pipework:test of an alias" }),
  "link set dev veth2 txqueuelen 17": change(veth2, { txqlen: 17 }),
  "link set dev veth2 mtu 1300": change(veth2, { mtu: 1300 }),
  "link set dev veth2 address 02:00:00:00:00:04": change(veth2, { address: "02:00:00:00:00:04" }),
  "link set dev veth2 master br1": change(veth2, { master: br1 }),
  "link set dev veth2 up": change(veth2, {}, up),
  "link set dev veth3 up": change(veth3, {}, up),
  "link set dev veth2 nomaster": change(veth2, { master: 0 }),
  "link set dev veth3 down": change(veth3, {}, { change: 1 }),
  "link set dev veth3 name veth4": change(veth3, { ifname: "veth4" }),
  "link set dev veth4 netns peer": change(veth3, { netNsFd: PEER_FD }),
  "link property add dev veth2 altname first-alternative-name altname second-alternative-name": {
    noun: "link",
    type: "RTM_NEWLINKPROP",
    flags: ["NLM_F_CREATE", "NLM_F_EXCL", "NLM_F_APPEND"],
    header: { index: veth2 },
    attributes: { propList: { altIfnames: ["first-alternative-name", "second-alternative-name"] } },
  },
  "link add link veth2 name mv-private address 02:00:00:00:01:01 type macvlan mode private": macvlan(
    "mv-private",
    macvlanMode.MACVLAN_MODE_PRIVATE,
  ),
  "link add link veth2 name mv-vepa address 02:00:00:00:01:01 type macvlan mode vepa": macvlan(
    "mv-vepa",
    macvlanMode.MACVLAN_MODE_VEPA,
  ),
  "link add link veth2 name mv-bridge address 02:00:00:00:01:01 type macvlan mode bridge": macvlan(
    "mv-bridge",
    macvlanMode.MACVLAN_MODE_BRIDGE,
  ),
  "link add link veth2 name mv1 netns peer type macvlan mode bridge": newLink({
    ifname: "mv1",
    link: veth2,
    netNsFd: PEER_FD,
    linkinfo: { kind: "macvlan", data: { mode: macvlanMode.MACVLAN_MODE_BRIDGE } },
  }),
  "link add link br2 name mv2 type macvlan mode passthru": newLink({
    ifname: "mv2",
    link: br2,
    linkinfo: { kind: "macvlan", data: { mode: macvlanMode.MACVLAN_MODE_PASSTHRU } },
  }),

  "link add link veth2 name mv3 type macvlan mode source": newLink({
    ifname: "mv3",
    link: veth2,
    linkinfo: { kind: "macvlan", data: { mode: macvlanMode.MACVLAN_MODE_SOURCE } },
  }),
  "link set dev mv3 type macvlan macaddr set 02:00:00:00:01:05 02:00:00:00:01:06": change(mv3, {
    linkinfo: {
      kind: "macvlan",
      data: {
        macaddrMode: macvlanMacaddrMode.MACVLAN_MACADDR_SET,
        macaddrData: { macaddrs: ["02:00:00:00:01:05", "02:00:00:00:01:06"] },
      },
    },
  }),
  "link set dev mv3 type macvlan macaddr add 02:00:00:00:01:07": change(mv3, {
    linkinfo: {
      kind: "macvlan",
      data: { macaddrMode: macvlanMacaddrMode.MACVLAN_MACADDR_ADD, macaddr: "02:00:00:00:01:07" },
    },
  }),
  "link add link veth2 name veth2.10 type vlan id 10": newLink({
    ifname: "veth2.10",
    link: veth2,
    linkinfo: { kind: "vlan", data: { id: 10 } },
  }),
  "link add link veth2 name outer type vlan protocol 802.1ad id 11 reorder_hdr off": newLink({
    ifname: "outer",
    link: veth2,
    linkinfo: {
      kind: "vlan",
      data: { protocol: vlanProtocol.ETH_P_8021AD, id: 11, flags: { flags: 0, mask: 1 } },
    },
  }),
  "link add link veth2 name iv1 netns peer type ipvlan mode l3s": newLink({
    ifname: "iv1",
    link: veth2,
    netNsFd: PEER_FD,
    linkinfo: { kind: "ipvlan", data: { mode: ipvlanModes.l3s, flags: 0 } },
  }),
  "link add link veth2 name iv2 type ipvlan mode l2 private": newLink({
    ifname: "iv2",
    link: veth2,
    linkinfo: { kind: "ipvlan", data: { mode: ipvlanModes.l2, flags: 1 } },
  }),
  "link add link veth2 name ib0.8001 type ipoib pkey 0x8001 mode datagram umcast 0": newLink({
    ifname: "ib0.8001",
    link: veth2,
    linkinfo: { kind: "ipoib", data: { pkey: 0x8001, mode: 0, umcast: 0 } },
  }),
  "link add name dummy0 type dummy": newLink({ ifname: "dummy0", linkinfo: { kind: "dummy" } }),

  "addr add 192.168.1.2/24 broadcast 192.168.1.255 dev br1": newAddress(
    { family: AF_INET, prefixlen: 24 },
    { address: "192.168.1.2", local: "192.168.1.2", broadcast: "192.168.1.255" },
  ),
  "addr add 10.9.9.1/32 dev br1": newAddress(
    { family: AF_INET, prefixlen: 32 },
    { address: "10.9.9.1", local: "10.9.9.1" },
  ),
  "addr add 10.9.8.1/31 dev br1 label br1:second": newAddress(
    { family: AF_INET, prefixlen: 31 },
    { address: "10.9.8.1", local: "10.9.8.1", label: "br1:second" },
  ),
  "addr add fd00::2/64 dev br1 nodad": newAddress(
    { family: AF_INET6, prefixlen: 64, flags: ifaFlags.IFA_F_NODAD },
    { address: "fd00::2", local: "fd00::2" },
  ),
  "addr add fd00::3/64 dev br1 nodad valid_lft 3600 preferred_lft 1800": newAddress(
    { family: AF_INET6, prefixlen: 64, flags: ifaFlags.IFA_F_NODAD },
    { address: "fd00::3", local: "fd00::3", cacheinfo: { ifaPrefered: 1800, ifaValid: 3600 } },
  ),
  "addr add fd00::4/64 dev br1 noprefixroute metric 77": newAddress(
    { family: AF_INET6, prefixlen: 64 },
    { address: "fd00::4", local: "fd00::4", flags: ifaFlags.IFA_F_NOPREFIXROUTE, rtPriority: 77 },
  ),
  "addr del 10.9.8.1/31 dev br1": {
    noun: "address",
    type: "RTM_DELADDR",
    header: { family: AF_INET, prefixlen: 31, index: br1 },
    attributes: { address: "10.9.8.1", local: "10.9.8.1" },
  },

  "route add 10.1.0.0/16 dev br1": newRoute({ dstLen: 16, ...onLink }, { dst: "10.1.0.0", oif: br1 }),
  "route add 10.2.0.0/16 via 192.168.1.1": newRoute({ dstLen: 16 }, { dst: "10.2.0.0", gateway: "192.168.1.1" }),
  "route append default via 192.168.1.1 dev br1": newRoute({}, { oif: br1, gateway: "192.168.1.1" }, [
    "NLM_F_CREATE",
    "NLM_F_APPEND",
  ]),
  "route replace default via 192.168.1.254 dev br1": newRoute({}, { oif: br1, gateway: "192.168.1.254" }, [
    "NLM_F_CREATE",
    "NLM_F_REPLACE",
  ]),
  "route add default via 192.168.1.1 dev br1 metric 200 src 192.168.1.2 proto static": newRoute(
    { protocol: rtProt.RTPROT_STATIC },
    { oif: br1, gateway: "192.168.1.1", priority: 200, prefsrc: "192.168.1.2" },
  ),
  "route add 10.8.0.0/16 dev br1 advmss 1200 window 65535 rtt 100 rttvar 20 ssthresh 9 cwnd lock 8 reordering 4 hoplimit 63 initcwnd 10 initrwnd 12 features ecn rto_min 300 quickack 1 congctl reno fastopen_no_cookie 1":
    newRoute(
      { dstLen: 16, ...onLink },
      {
        dst: "10.8.0.0",
        oif: br1,
        metrics: {
          // iproute2 locks what the words say (cwnd, bit 7) and rto_min always (bit 13).
          lock: (1 << 7) | (1 << 13),
          window: 65535,
          rtt: 100,
          rttvar: 20,
          ssthresh: 9,
          cwnd: 8,
          advmss: 1200,
          reordering: 4,
          hoplimit: 63,
          initcwnd: 10,
          features: 1,
          rtoMin: 300,
          initrwnd: 12,
          quickack: 1,
          ccAlgo: "reno",
          fastopenNoCookie: 1,
        },
      },
    ),
  "route add 10.9.0.0/16 dev br1 realms 3": newRoute({ dstLen: 16, ...onLink }, { dst: "10.9.0.0", oif: br1, flow: 3 }),
  "route add 10.3.3.3/32 dev br1 scope link": newRoute({ dstLen: 32, ...onLink }, { dst: "10.3.3.3", oif: br1 }),
  "route add default via 172.16.0.1 dev br1 onlink metric 300": newRoute(
    { flags: rtnhFlags.RTNH_F_ONLINK },
    { oif: br1, gateway: "172.16.0.1", priority: 300 },
  ),
  "route add 10.4.0.0/16 dev br1 table 1000 mtu 1300": newRoute(
    { dstLen: 16, table: rtTable.RT_TABLE_UNSPEC, ...onLink },
    { dst: "10.4.0.0", oif: br1, table: 1000, metrics: { mtu: 1300 } },
  ),
  "route add 10.5.0.0/16 nexthop via 192.168.1.1 weight 1 nexthop via 192.168.1.3 weight 2": newRoute(
    { dstLen: 16 },
    { dst: "10.5.0.0", multipath: fromHex("100000000000000008000500c0a80101100000010000000008000500c0a80103") },
  ),
  "route add 10.6.0.0/16 via inet6 fd00::1 dev br1": newRoute(
    { dstLen: 16 },
    { dst: "10.6.0.0", oif: br1, via: fromHex("0a00fd000000000000000000000000000001") },
  ),
  "route add unreachable 10.7.0.0/16": newRoute({ dstLen: 16, type: rtnType.RTN_UNREACHABLE }, { dst: "10.7.0.0" }),
  "-6 route add default via fd00::1 dev br1": newRoute(
    { family: AF_INET6 },
    { dst: "::", oif: br1, gateway: "fd00::1" },
  ),
  "-6 route add fd01::/64 dev br1 metric 5 pref high": newRoute(
    { family: AF_INET6, dstLen: 64 },
    { dst: "fd01::", oif: br1, priority: 5, pref: 1 },
  ),
  "-6 route add fd02::/64 dev br1 expires 600": newRoute(
    { family: AF_INET6, dstLen: 64 },
    { dst: "fd02::", oif: br1, expires: 600 },
  ),
  "route del default via 172.16.0.1 dev br1 onlink metric 300": {
    noun: "route",
    type: "RTM_DELROUTE",
    header: {
      family: AF_INET,
      table: rtTable.RT_TABLE_MAIN,
      scope: rtScope.RT_SCOPE_NOWHERE,
      flags: rtnhFlags.RTNH_F_ONLINK,
    },
    attributes: { oif: br1, gateway: "172.16.0.1", priority: 300 },
  },

  "rule add from 10.1.0.0/16 table 100 priority 1000": newRule(
    { srcLen: 16, table: 100 },
    { src: "10.1.0.0", priority: 1000 },
  ),
  "rule add to 10.2.0.0/16 iif br1 lookup 1000 priority 1001": newRule(
    { dstLen: 16 },
    { dst: "10.2.0.0", iifname: "br1", table: 1000, priority: 1001 },
  ),
  "rule add fwmark 0x10/0xff table 101 priority 1002": newRule(
    { table: 101 },
    { fwmark: 0x10, fwmask: 0xff, priority: 1002 },
  ),
  "rule add not from 10.3.0.0/16 oif br1 prohibit priority 1003": newRule(
    { srcLen: 16, action: ruleActions.FR_ACT_PROHIBIT, flags: ruleFlags.FIB_RULE_INVERT },
    { src: "10.3.0.0", oifname: "br1", priority: 1003 },
  ),
  "rule add uidrange 1000-2000 ipproto tcp sport 1024-2048 dport 80 table 102 priority 1004": newRule(
    { table: 102 },
    {
      uidRange: { start: 1000, end: 2000 },
      ipProto: 6,
      sportRange: { start: 1024, end: 2048 },
      dportRange: { start: 80, end: 80 },
      priority: 1004,
    },
  ),
  "rule add from all goto 1003 priority 900": newRule(
    { action: ruleActions.FR_ACT_GOTO },
    { src: "", goto: 1003, priority: 900 },
  ),
  "rule add from all lookup main suppress_prefixlength 0 suppress_ifgroup 5 priority 1005": newRule(
    { table: rtTable.RT_TABLE_MAIN },
    { src: "", suppressPrefixlen: 0, suppressIfgroup: 5, priority: 1005 },
  ),
  "rule add from all realms 7 table 103 priority 1006 protocol 9": newRule(
    { table: 103 },
    { src: "", flow: 7, priority: 1006, protocol: 9 },
  ),
  "-6 rule add from fd00::/64 table 100 priority 1000": newRule(
    { family: AF_INET6, srcLen: 64, table: 100 },
    { src: "fd00::", priority: 1000 },
  ),
  "rule del priority 1003": {
    noun: "rule",
    type: "RTM_DELRULE",
    header: { family: AF_INET },
    attributes: { priority: 1003 },
  },

  "neigh add 192.168.1.7 lladdr 02:00:00:00:02:01 dev br1": newNeighbour(
    {},
    { dst: "192.168.1.7", lladdr: "02:00:00:00:02:01" },
  ),
  "neigh replace 192.168.1.8 lladdr 02:00:00:00:02:02 dev br1 nud reachable": newNeighbour(
    { state: nudStates.NUD_REACHABLE },
    { dst: "192.168.1.8", lladdr: "02:00:00:00:02:02" },
    ["NLM_F_CREATE", "NLM_F_REPLACE"],
  ),
  "neigh add proxy 192.168.1.9 dev br1": newNeighbour({ flags: ntfFlags.NTF_PROXY }, { dst: "192.168.1.9" }),
  "neigh add fd00::7 lladdr 02:00:00:00:02:03 dev br1 router proto 9": newNeighbour(
    { family: AF_INET6, flags: ntfFlags.NTF_ROUTER },
    { dst: "fd00::7", lladdr: "02:00:00:00:02:03", protocol: 9 },
  ),
  "neigh add 192.168.1.10 dev br1 managed": newNeighbour(
    { state: nudStates.NUD_NONE },
    { dst: "192.168.1.10", flagsExt: 1 },
  ),
  "neigh del 192.168.1.8 dev br1": {
    noun: "neighbour",
    type: "RTM_DELNEIGH",
    header: { family: AF_INET, ifindex: br1, state: nudStates.NUD_PERMANENT },
    attributes: { dst: "192.168.1.8" },
  },
};

/** Captures that have a test of their own below, or that only ask. */
const elsewhere = /^(link set dev veth2 type bridge_slave|link del dev)|show/;

const all = capturedNouns.flatMap((noun) =>
  goldens[noun].captures.map((capture) => ({ noun, capture, words: capture.command.replace(/^ip /, "") })),
);

describe.each(capturedNouns)("what iproute2 sends for a %s", (noun) => {
  const mine = all.filter((one) => one.noun === noun && !elsewhere.test(one.words));

  test("every capture is expected here", () => {
    expect(mine.length).toBeGreaterThan(5);
    expect(mine.map(({ words }) => words).filter((words) => expected[words] === undefined)).toEqual([]);
  });

  test.each(mine)("encoded: $words", ({ words, capture }) => {
    const theirs = request(capture);
    const message = expected[words] as AnyMessage;
    const { bytes } = encode(message);
    const kind = message.noun === "link" ? (message.attributes.linkinfo?.kind ?? "") : "";
    const shape = shapes[noun](kind);
    expect(nlmsghdr(bytes)).toEqual(nlmsghdr(theirs));
    expect(tree(bytes.subarray(16), shape)).toEqual(tree(theirs.subarray(16), shape));
  });

  test.each(mine)("decoded: $words", ({ words, capture }) => {
    const message = expected[words] as AnyMessage;
    const decoded = decodeMessage(nouns[noun] as never, new Reader(request(capture))) as {
      type: string;
      header: object;
      attributes: object;
    };
    expect(decoded.type).toBe(message.type);
    const given = Object.fromEntries(Object.entries(decoded.header).filter(([, value]) => value !== 0));
    expect(given).toEqual(Object.fromEntries(Object.entries(message.header).filter(([, value]) => value !== 0)));
    // Headers and stamps that were left out come back as zeros.
    expect(decoded.attributes).toMatchObject(message.attributes);
    expect(new Set(Object.keys(decoded.attributes))).toEqual(new Set(Object.keys(message.attributes)));
  });
});

describe("requests that differ from iproute2's on purpose", () => {
  const find = (words: string) =>
    all.find((one) => one.words.startsWith(words))?.capture as (typeof all)[number]["capture"];

  test("a bridge port's settings go by slave kind, and the settings are the same bytes", () => {
    const { bytes } = encode(
      change(veth2, {
        linkinfo: {
          slaveKind: "bridge",
          slaveData: {
            state: 3,
            cost: 5,
            priority: 7,
            guard: 1,
            mode: 1,
            learning: 0,
            unicastFlood: 0,
            fastLeave: 1,
            protect: 1,
            mcastFlood: 0,
            bcastFlood: 0,
            isolated: 1,
          },
        },
      }),
    );
    const slaveData = (message: Uint8Array) => {
      const info = tree(message.subarray(16), shapes.link("")).attributes.find(([number]) => number === 18)?.[1];
      return (info as ReturnType<typeof tree>).attributes.find(([number]) => number === 5);
    };
    expect(slaveData(bytes)).toEqual(slaveData(request(find("link set dev veth2 type bridge_slave"))));
  });

  test("RTM_SETLINK stands for iproute2's RTM_NEWLINK without NLM_F_CREATE", () => {
    const theirs = request(find("link set dev veth2 mtu 1300"));
    const { bytes } = encode({
      noun: "link",
      type: "RTM_SETLINK",
      header: { index: veth2 },
      attributes: { mtu: 1300 },
    });
    expect(bytes.subarray(16)).toEqual(theirs.subarray(16));
    expect(nlmsghdr(bytes)).toEqual({ type: link.types.RTM_SETLINK, flags: nlmsghdr(theirs).flags });
  });

  test("deletes go by index alone", () => {
    const theirs = request(find("link del dev mv-private"));
    const index = new DataView(theirs.buffer, theirs.byteOffset).getUint32(20, true);
    const { bytes } = encode({ noun: "link", type: "RTM_DELLINK", header: { index }, attributes: {} });
    expect(nlmsghdr(bytes)).toEqual(nlmsghdr(theirs));
    expect(bytes.subarray(16)).toEqual(theirs.subarray(16));
  });

  test("a new address' flags go into IFA_FLAGS, which holds all of them", () => {
    const { bytes } = encode(
      newAddress({ family: AF_INET6, prefixlen: 64 }, { address: "fd00::2", flags: ifaFlags.IFA_F_NODAD }),
    );
    const { header, attributes } = tree(bytes.subarray(16), shapes.address(""));
    expect(header).toBe(
      `0a400000${tree(request(find("addr add fd00::2/64")).subarray(16), shapes.address("")).header.slice(8)}`,
    );
    expect(attributes).toEqual([
      [address.attributes.rows.address.number, "fd000000000000000000000000000002"],
      [address.attributes.rows.flags.number, "02000000"],
    ]);
  });
});
