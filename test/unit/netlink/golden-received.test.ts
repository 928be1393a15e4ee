import { describe, expect, test } from "vitest";
import { AF_INET } from "../../../src/netlink/family.js";
import { ifOper, link, operStates } from "../../../src/netlink/link.js";
import { bridgePortStates } from "../../../src/netlink/link-bridge.js";
import { macvlanModes } from "../../../src/netlink/link-macvlan.js";
import { decodeReplies, splitMessages } from "../../../src/netlink/message.js";
import { nudStates } from "../../../src/netlink/neighbour.js";
import { encode, nouns } from "../../../src/netlink/nouns.js";
import { rtTable } from "../../../src/netlink/route.js";
import { type Capture, capturedNouns, fromHex, golden, shapes, type Tree, tree } from "./golden.js";

function replies(capture: Capture): Uint8Array {
  return fromHex((capture.received ?? []).join(""));
}
function shown(noun: (typeof capturedNouns)[number], words: string): Capture {
  const found = golden(noun).captures.find(({ command }) => command === `ip ${words}`);
  if (found === undefined) throw new Error(`ip ${words} was not captured`);
  return found;
}
type Json = { readonly [key: string]: unknown };
const json = (capture: Capture) => capture.json as unknown as Json[];

/** Numbers for words that ip(8) prints by name. */
const flagBits: Record<string, number> = {
  UP: 0x1,
  BROADCAST: 0x2,
  LOOPBACK: 0x8,
  NOARP: 0x80,
  MULTICAST: 0x1000,
  LOWER_UP: 0x10000,
};

describe.each(["-d link show", "-n peer -d link show"])("links, as `ip -j %s` told them", (words) => {
  const capture = shown("link", words);
  const links = decodeReplies(link, replies(capture));

  test("every link is there", () => {
    expect(links.map(({ attributes }) => attributes.ifname)).toEqual(json(capture).map(({ ifname }) => ifname));
    expect(links.length).toBeGreaterThan(3);
  });

  test.each(json(capture).map((told, i) => ({ told, i, name: told["ifname"] })))("$name", ({ told, i }) => {
    const { header, attributes: a } = links[i] as (typeof links)[number];
    expect(header.index).toBe(told["ifindex"]);
    expect(a.mtu).toBe(told["mtu"]);
    expect(a.address).toBe(told["address"]);
    expect(a.broadcast).toBe(told["broadcast"]);
    expect(a.qdisc).toBe(told["qdisc"]);
    expect(a.txqlen).toBe(told["txqlen"]);
    expect(a.numTxQueues).toBe(told["num_tx_queues"]);
    expect(a.numRxQueues).toBe(told["num_rx_queues"]);
    expect(a.promiscuity).toBe(told["promiscuity"]);
    expect(a.minMtu ?? 0).toBe(told["min_mtu"] ?? 0);
    expect(a.maxMtu ?? 0).toBe(told["max_mtu"] ?? 0);
    expect(a.ifalias).toBe(told["ifalias"]);
    expect(a.linkmode).toBe({ DEFAULT: 0, DORMANT: 1 }[told["linkmode"] as string]);
    expect(operStates[a.operstate as number]).toBe((told["operstate"] as string).toLowerCase());
    expect(a.group).toBe(told["group"] === "default" ? 0 : Number(told["group"]));
    expect(a.propList?.altIfnames).toEqual(told["altnames"]);
    for (const [name, bit] of Object.entries(flagBits))
      expect((header.flags & bit) !== 0, name).toBe((told["flags"] as string[]).includes(name));
    expect(a.afSpec?.inet6?.addrGenMode).toBe({ eui64: 0, none: 1 }[told["inet6_addr_gen_mode"] as string]);
    const index = (name: unknown) => json(capture).find(({ ifname }) => ifname === name)?.["ifindex"];
    expect(a.master).toBe(index(told["master"]));
    expect(a.linkNetnsid).toBe(told["link_netnsid"]);
    if (told["link_index"] !== undefined) expect(a.link).toBe(told["link_index"]);
    else expect(a.link).toBe(index(told["link"]));

    const info = told["linkinfo"] as
      | { info_kind?: string; info_data?: Json; info_slave_kind?: string; info_slave_data?: Json }
      | undefined;
    expect(a.linkinfo?.kind).toBe(info?.info_kind);
    expect(a.linkinfo?.slaveKind).toBe(info?.info_slave_kind);
    const data = info?.info_data ?? ({} as Json);
    if (info?.info_kind === "macvlan") {
      expect(a.linkinfo?.data).toMatchObject({ mode: macvlanModes[data["mode"] as keyof typeof macvlanModes] });
    }
    if (info?.info_kind === "bridge") {
      expect(a.linkinfo?.data).toMatchObject({
        forwardDelay: data["forward_delay"],
        helloTime: data["hello_time"],
        maxAge: data["max_age"],
        ageingTime: data["ageing_time"],
        stpState: data["stp_state"],
        priority: data["priority"],
        groupFwdMask: Number(data["group_fwd_mask"]),
        groupAddr: data["group_addr"],
        mcastSnooping: data["mcast_snooping"],
        nfCallIptables: data["nf_call_iptables"],
        nfCallIp6tables: data["nf_call_ip6tables"],
      });
    }
    if (info?.info_slave_kind === "bridge") {
      const slave = info.info_slave_data ?? ({} as Json);
      const s = a.linkinfo?.slaveData;
      expect(bridgePortStates[s?.state as number]).toBe(slave["state"]);
      expect(s).toMatchObject({
        priority: slave["priority"],
        cost: slave["cost"],
        mode: Number(slave["hairpin"]),
        guard: Number(slave["guard"]),
        protect: Number(slave["root_block"]),
        fastLeave: Number(slave["fastleave"]),
        learning: Number(slave["learning"]),
        unicastFlood: Number(slave["flood"]),
        mcastFlood: Number(slave["mcast_flood"]),
        bcastFlood: Number(slave["bcast_flood"]),
        isolated: Number(slave["isolated"]),
      });
    }
  });
});

test("arp_notify is read from the array that the kernel answers with; it was set on br1 alone", () => {
  const links = decodeReplies(link, replies(shown("link", "-d link show")));
  const notify = links.map(({ attributes: a }) => [a.ifname, a.afSpec?.inet?.conf?.arpNotify]);
  expect(notify.filter(([, value]) => value !== 0)).toEqual([["br1", 1]]);
  expect(links[0]?.attributes.operstate).toBe(ifOper.IF_OPER_UNKNOWN);
});

test("addresses, as `ip -j addr show` told them", () => {
  const capture = shown("address", "addr show");
  const told = json(capture).flatMap(({ ifindex, addr_info }) =>
    (addr_info as unknown as Json[]).map((info) => ({
      index: ifindex as unknown,
      family: info["family"] === "inet" ? 2 : 10,
      local: info["local"],
      prefixlen: info["prefixlen"],
      broadcast: info["broadcast"],
      label: info["label"],
      valid: info["valid_life_time"],
      scope: info["scope"],
      priority: info["metric"],
    })),
  );
  const scopes: Record<number, string> = { 0: "global", 253: "link", 254: "host" };
  // The answers to both families and to the links come in one stream; other messages are left out.
  const decoded = decodeReplies(nouns.address, replies(capture)).map(({ header, attributes: a }) => ({
    index: header.index,
    family: header.family,
    local: a.local ?? a.address,
    prefixlen: header.prefixlen,
    broadcast: a.broadcast,
    label: a.label,
    valid: a.cacheinfo?.ifaValid,
    scope: scopes[header.scope],
    priority: a.rtPriority,
  }));
  const order = (list: { index: unknown; local: unknown }[]) =>
    [...list].sort((a, b) => `${a.index} ${a.local}`.localeCompare(`${b.index} ${b.local}`));
  // Lifetimes run on between the capture and ip's own look.
  const still = (list: typeof decoded) =>
    order(list.map((one) => ({ ...one, valid: (one.valid as number) > 3600 ? "forever" : "counting" })));
  expect(decoded.length).toBeGreaterThan(5);
  expect(still(decoded)).toEqual(still(told as unknown as typeof decoded));
});

const tables: Record<number, string> = { [rtTable.RT_TABLE_LOCAL]: "local", [rtTable.RT_TABLE_MAIN]: "main" };

test.each([
  ["route show table all", 2],
  ["-6 route show table all", 10],
])("routes, as `ip -j %s` told them", (words, family) => {
  const capture = shown("route", words);
  const links = new Map(
    golden("link")
      .captures.flatMap((c) => (c.json ?? []).map((l) => [l["ifname"], l["ifindex"]]))
      .reverse() as [string, number][],
  );
  const length = (dst: string) => (dst === "default" ? 0 : Number(dst.split("/")[1] ?? (dst.includes(":") ? 128 : 32)));
  const told = json(capture).map((route) => ({
    dst: route["dst"] === "default" ? undefined : (route["dst"] as string).split("/")[0],
    dstLen: length(route["dst"] as string),
    gateway: route["gateway"],
    priority: route["metric"],
    prefsrc: route["prefsrc"],
    table: route["table"] ?? "main",
    oif: links.get(route["dev"] as string),
    mtu: (route["metrics"] as Json[] | undefined)?.[0]?.["mtu"],
  }));
  const decoded = decodeReplies(nouns.route, replies(capture)).map(({ header, attributes: a }) => ({
    dst: a.dst,
    dstLen: header.dstLen,
    gateway: a.gateway,
    // ip(8) does not tell metric 0, and the kernel does not send it for IPv4.
    priority: header.family === 10 && header.table === rtTable.RT_TABLE_LOCAL ? (a.priority ?? undefined) : a.priority,
    prefsrc: a.prefsrc,
    table: tables[a.table as number] ?? String(a.table),
    oif: a.oif,
    mtu: a.metrics?.mtu,
  }));
  const families = decodeReplies(nouns.route, replies(capture)).map(({ header }) => header.family);
  // `ip route show table all` without -4 lists IPv6 as well.
  if (family === 10) expect(new Set(families)).toEqual(new Set([10]));
  else expect(families).toContain(AF_INET);
  expect(decoded.length).toBeGreaterThan(8);
  expect(decoded).toEqual(told);
});

test.each(["rule show", "-6 rule show"])("rules, as `ip -j %s` told them", (words) => {
  const capture = shown("rule", words);
  const names: Record<number, string> = { ...tables, 253: "default" };
  const told = json(capture).map((rule) => ({
    priority: rule["priority"],
    src: rule["src"] === "all" ? undefined : rule["src"],
    dst: rule["dst"],
    table: rule["table"],
    iif: rule["iif"],
    fwmark: rule["fwmark"],
    uids: [rule["uid_start"], rule["uid_end"]],
    ports: [rule["sport_start"], rule["sport_end"], rule["dport"]],
    suppress: rule["suppress_ifgroup"],
    goto: rule["goto"],
  }));
  const decoded = decodeReplies(nouns.rule, replies(capture)).map(({ attributes: a }) => ({
    priority: a.priority ?? 0,
    src: a.src,
    dst: a.dst,
    table: a.table === 0 ? undefined : (names[a.table as number] ?? String(a.table)),
    iif: a.iifname,
    fwmark: a.fwmark === undefined ? undefined : `0x${a.fwmark.toString(16)}`,
    uids: [a.uidRange?.start, a.uidRange?.end],
    ports: [a.sportRange?.start, a.sportRange?.end, a.dportRange?.start],
    suppress: a.suppressIfgroup === undefined ? undefined : String(a.suppressIfgroup),
    goto: a.goto,
  }));
  expect(decoded.length).toBeGreaterThan(2);
  expect(decoded).toEqual(told);
});

test("neighbours, as `ip -j neigh show` told them", () => {
  const capture = shown("neighbour", "neigh show nud all");
  const states = Object.entries(nudStates);
  const order = (list: { dst: unknown; lladdr: unknown }[]) =>
    [...list].sort((a, b) => `${a.dst} ${a.lladdr}`.localeCompare(`${b.dst} ${b.lladdr}`));
  const told = json(capture).map(({ dst, lladdr, state }) => ({
    dst: dst as unknown,
    lladdr: lladdr as unknown,
    state: state as unknown,
  }));
  const decoded = decodeReplies(nouns.neighbour, replies(capture)).map(({ header, attributes }) => ({
    dst: attributes.dst,
    lladdr: attributes.lladdr,
    state: states.filter(([, bit]) => (header.state & bit) !== 0).map(([name]) => name.slice("NUD_".length)),
  }));
  expect(decoded.length).toBeGreaterThan(2);
  expect(order(decoded)).toEqual(order(told));
});

/**
 * Paths of what the kernel writes otherwise than it is sent: IFLA_IFALIAS, IFLA_INFO_KIND and RTAX_CC_ALGO with a
 * terminating zero, IFLA_AF_SPEC with arrays in it.
 */
const terminated: Record<string, readonly string[]> = { link: ["20", "18.1"], route: ["8.16"] };
const arrays: Record<string, readonly string[]> = { link: ["26"] };

function asSent(one: Tree, noun: string, path: readonly number[] = []): Tree {
  const attributes = one.attributes.flatMap(([number, payload]): Tree["attributes"] => {
    const here = [...path, number & 0x3fff];
    if (arrays[noun]?.includes(here.join(".")) === true) return [];
    if (typeof payload !== "string") return [[number, asSent(payload, noun, here)]];
    return [[number, terminated[noun]?.includes(here.join(".")) === true ? payload.replace(/00$/, "") : payload]];
  });
  return { ...one, attributes };
}

describe.each(capturedNouns)("replies about a %s", (noun) => {
  test("are written back byte for byte, attributes without a row included", () => {
    let count = 0;
    for (const capture of golden(noun).captures) {
      for (const reader of splitMessages(replies(capture))) {
        const [decoded] = decodeReplies(nouns[noun] as never, reader.bytes) as {
          type: string;
          header: object;
          attributes: { linkinfo?: { kind?: string } };
        }[];
        if (decoded === undefined) continue;
        const shape = shapes[noun](decoded.attributes.linkinfo?.kind ?? "");
        const { bytes } = encode({ noun, ...decoded });
        expect(asSent(tree(bytes.subarray(16), shape), noun)).toEqual(
          asSent(tree(reader.bytes.subarray(16), shape), noun),
        );
        count++;
      }
    }
    expect(count).toBeGreaterThan(5);
  });
});
