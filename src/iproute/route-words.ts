import { AF_INET, AF_INET6, familyNumber } from "../netlink/family.js";
import type { NlmFlag } from "../netlink/message.js";
import { routerPref, rtnhFlags, rtnType, rtProt, rtScope, rtTable } from "../netlink/route.js";
import { encodeVia } from "../netlink/route-via.js";
import type { Family } from "../values/ipaddress.js";
import { readAddress, readPrefix } from "./address.js";
import { type DeviceWord, deviceArgument } from "./device.js";
import { readEncap } from "./encap-words.js";
import {
  dsfieldArgument,
  type Names,
  protocolArgument,
  realmsArgument,
  scopeArgument,
  tableArgument,
} from "./names.js";
import { parseUnsigned, unsignedArgument } from "./number.js";
import { type HopDraft, type RouteAttributes, type RouteDraft, tableFields } from "./route-draft.js";
import { type MetricWord, type RouteMetrics, readMetric } from "./route-metric-words.js";
import { typeNumber, typeSpellings } from "./route-type.js";
import { vocabulary } from "./vocabulary.js";
import type { Word, Words } from "./words.js";

/** In iproute2's order: `p` is metric, `pro` protocol, `r` reordering. */
const routeVocabulary = vocabulary({
  src: "src",
  as: "as",
  via: "via",
  from: "from",
  tos: ["tos", "dsfield*"],
  expires: "expires",
  metric: ["metric*", "priority*", "preference"],
  scope: "scope",
  mtu: "mtu",
  hoplimit: "hoplimit",
  advmss: "advmss",
  reordering: "reordering*",
  rtt: "rtt",
  rtoMin: "rto_min",
  window: "window*",
  cwnd: "cwnd*",
  initcwnd: "initcwnd*",
  initrwnd: "initrwnd*",
  features: "features*",
  quickack: "quickack*",
  ccAlgo: "congctl*",
  rttvar: "rttvar*",
  ssthresh: "ssthresh*",
  realms: "realms*",
  onlink: "onlink",
  nexthop: "nexthop",
  nhid: "nhid",
  protocol: "protocol*",
  table: "table*",
  vrf: "vrf*",
  dev: ["dev", "oif"],
  pref: "pref*",
  encap: "encap",
  ttlPropagate: "ttl-propagate",
  fastopenNoCookie: "fastopen_no_cookie*",
});

const hopVocabulary = vocabulary({
  via: "via",
  dev: "dev",
  weight: "weight",
  onlink: "onlink",
  realms: "realms*",
  encap: "encap",
  as: "as",
});

const viaFamilies = vocabulary({ inet: "inet", inet6: "inet6", link: "link", mpls: "mpls", bridge: "bridge" });
const prefs = vocabulary({ low: "low", medium: "medium", high: "high" });
const prefNumbers = {
  low: routerPref.ICMPV6_ROUTER_PREF_LOW,
  medium: routerPref.ICMPV6_ROUTER_PREF_MEDIUM,
  high: routerPref.ICMPV6_ROUTER_PREF_HIGH,
} as const;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What the words say of a route, while they are read: each word is understood by what stands before it. */
class RouteReader {
  family: Family | undefined;
  type: number | undefined;
  scope: number | undefined;
  table: number | undefined;
  dst: { prefixlen: number; address?: string } | undefined;
  srcLen = 0;
  tos = 0;
  protocol: number | undefined;
  onlink = false;
  gateway = false;
  nhid = false;
  hops: HopDraft[] | undefined;
  device: DeviceWord | undefined;
  vrf: DeviceWord | undefined;
  readonly attributes: Mutable<RouteAttributes> = {};
  readonly metrics: RouteMetrics = {};

  constructor(
    readonly words: Words,
    readonly names: Names,
    family: Family | undefined,
  ) {
    this.family = family;
  }

  read(): void {
    const { words } = this;
    while (!words.done) {
      const keyword = words.keyword(routeVocabulary);
      if (keyword === undefined) this.#destination();
      else if (keyword === "nexthop") {
        words.back();
        this.hops = this.#hops();
      } else this.#keyword(keyword);
    }
    const { last } = words;
    if (this.dst === undefined)
      throw words.refuse(last as Word, "the destination of the route is missing", "a prefix, or default");
  }

  /** `[to] [TYPE] PREFIX`. */
  #destination(): void {
    const { words } = this;
    let word = words.peek() as Word;
    if (words.literal("to")) word = words.argument("a prefix");
    else words.take();
    const type = /^\d/.test(word.text) ? undefined : typeNumber(word.text);
    if (type !== undefined) {
      if (type === rtnType.RTN_NAT)
        throw words.refuse(word, "routes that translate addresses went with Linux 2.6", "use nftables");
      this.type = type;
      word = words.argument("a prefix");
    }
    if (this.dst !== undefined) {
      const known = [...routeVocabulary.spellings, ...typeSpellings];
      throw words.unknown(word, known, "is no word of a route, and its destination is given already");
    }
    const prefix = this.#prefix(word);
    this.dst = prefix;
    this.family = prefix.family;
  }

  /** A word that is neither prefix nor word of a route gets the nearest of these for a hint. */
  #prefix(word: Word): ReturnType<typeof readPrefix> {
    const { words, family } = this;
    if (/^[a-z]/i.test(word.text) && !/[.:/]/.test(word.text) && !/^(default|any|all)$/.test(word.text)) {
      const known = [...routeVocabulary.spellings, ...typeSpellings, "default"];
      throw words.unknown(word, known, "is no word of a route, and no prefix");
    }
    return readPrefix(words, word, family);
  }

  #keyword(keyword: Exclude<ReturnType<typeof routeVocabulary.find>, undefined | "nexthop">): void {
    const { words, names, attributes } = this;
    switch (keyword) {
      case "src":
        attributes.prefsrc = this.#address();
        break;
      case "as":
        words.literal("to");
        attributes.newdst = this.#address();
        break;
      case "via":
        if (this.gateway)
          throw words.refuse(words.last as Word, "is given twice", "several next hops are written as: nexthop via ...");
        this.gateway = true;
        this.#via(attributes);
        break;
      case "from": {
        const prefix = readPrefix(words, words.argument("a prefix"), this.family);
        this.family = prefix.family;
        if (prefix.address !== undefined) attributes.src = prefix.address;
        this.srcLen = prefix.prefixlen;
        break;
      }
      case "tos":
        this.tos = dsfieldArgument(words, names);
        break;
      case "expires":
        attributes.expires = unsignedArgument(words, "a number of seconds");
        break;
      case "metric":
        attributes.priority = unsignedArgument(words, "a metric");
        break;
      case "scope":
        this.scope = scopeArgument(words, names);
        break;
      case "realms":
        attributes.flow = realmsArgument(words, names);
        break;
      case "onlink":
        this.onlink = true;
        break;
      case "nhid":
        attributes.nhId = unsignedArgument(words, "the id of a next hop");
        this.nhid = true;
        break;
      case "protocol":
        this.protocol = protocolArgument(words, names);
        break;
      case "table":
        this.table = tableArgument(words, names);
        this.vrf = undefined;
        break;
      case "vrf":
        this.vrf = deviceArgument(words);
        break;
      case "dev":
        this.device = deviceArgument(words);
        break;
      case "pref":
        attributes.pref = this.#pref();
        break;
      case "encap":
        Object.assign(attributes, readEncap(words, names));
        break;
      case "ttlPropagate":
        attributes.ttlPropagate = words.choice(enabled, "enabled or disabled") === "enabled" ? 1 : 0;
        break;
      default:
        readMetric(words, keyword satisfies MetricWord, this.metrics);
    }
  }

  /** An address of the route's family, which it decides when it is the first. */
  #address(): string {
    const { family, address } = readAddress(this.words, this.words.argument("an address"), this.family);
    this.family ??= family;
    return address;
  }

  #via(attributes: Mutable<RouteAttributes>): void {
    const { words } = this;
    const stated = words.keyword(viaFamilies);
    if (stated !== undefined && stated !== "inet" && stated !== "inet6")
      throw words.refuse(words.last as Word, "gateways are of inet or inet6");
    const { family, address } = readAddress(words, words.argument("an address"), stated ?? this.family);
    this.family ??= family;
    if (family === this.family) attributes.gateway = address;
    else attributes.via = encodeVia(address);
  }

  #pref(): number {
    const { words } = this;
    const word = words.argument("low, medium or high");
    const name = prefs.find(word.text);
    if (name !== undefined) return prefNumbers[name];
    const number = parseUnsigned(word.text);
    if (number === undefined || number > 255n) throw words.unknown(word, prefs.spellings, "is no preference");
    return Number(number);
  }

  /** `nexthop NH`, once or more, up to the end of the line. */
  #hops(): HopDraft[] {
    const { words } = this;
    const hops: HopDraft[] = [];
    while (!words.done) {
      const word = words.take() as Word;
      if (word.text !== "nexthop")
        throw words.unknown(
          word,
          ["nexthop", ...hopVocabulary.spellings],
          "stands where nexthop or the end is expected",
        );
      if (words.done) throw words.refuse(word, "its words are missing behind it");
      hops.push(this.#hop());
    }
    return hops;
  }

  #hop(): HopDraft {
    const { words, names } = this;
    const attributes: Mutable<RouteAttributes> = {};
    let device: DeviceWord | undefined;
    let weight = 1;
    let flags = 0;
    for (;;) {
      const keyword = words.keyword(hopVocabulary);
      if (keyword === undefined) break;
      switch (keyword) {
        case "via":
          this.#via(attributes);
          break;
        case "dev":
          device = deviceArgument(words);
          break;
        case "weight":
          weight = unsignedArgument(words, "a weight", 256);
          if (weight === 0) throw words.refuse(words.last as Word, "is not a weight: the least is 1");
          break;
        case "onlink":
          flags |= rtnhFlags.RTNH_F_ONLINK;
          break;
        case "realms":
          attributes.flow = realmsArgument(words, names);
          break;
        case "encap":
          Object.assign(attributes, readEncap(words, names));
          break;
        case "as":
          words.literal("to");
          attributes.newdst = this.#address();
      }
    }
    return { flags, weight, attributes, ...(device === undefined ? {} : { device }) };
  }
}

const enabled = vocabulary({ enabled: "enabled", disabled: "disabled" });

/** Types that iproute2 puts into the local table. */
const localTypes: ReadonlySet<number | undefined> = new Set([
  rtnType.RTN_LOCAL,
  rtnType.RTN_BROADCAST,
  rtnType.RTN_ANYCAST,
]);

/** The scope of a route that states none, as iproute2 guesses it. IPv6 knows no scope. */
function usualScope(reader: RouteReader, deleting: boolean): number {
  if (reader.family === "inet6") return rtScope.RT_SCOPE_UNIVERSE;
  switch (reader.type) {
    case rtnType.RTN_LOCAL:
      return rtScope.RT_SCOPE_HOST;
    case rtnType.RTN_BROADCAST:
    case rtnType.RTN_MULTICAST:
    case rtnType.RTN_ANYCAST:
      return rtScope.RT_SCOPE_LINK;
    case undefined:
    case rtnType.RTN_UNICAST:
      if (deleting) return rtScope.RT_SCOPE_NOWHERE;
      return reader.gateway || reader.nhid || reader.hops !== undefined
        ? rtScope.RT_SCOPE_UNIVERSE
        : rtScope.RT_SCOPE_LINK;
    default:
      return deleting ? rtScope.RT_SCOPE_NOWHERE : rtScope.RT_SCOPE_UNIVERSE;
  }
}

/** What `ip route` does to a route. */
export const changes = {
  add: { type: "RTM_NEWROUTE", flags: ["NLM_F_CREATE", "NLM_F_EXCL"] },
  append: { type: "RTM_NEWROUTE", flags: ["NLM_F_CREATE", "NLM_F_APPEND"] },
  prepend: { type: "RTM_NEWROUTE", flags: ["NLM_F_CREATE"] },
  change: { type: "RTM_NEWROUTE", flags: ["NLM_F_REPLACE"] },
  replace: { type: "RTM_NEWROUTE", flags: ["NLM_F_CREATE", "NLM_F_REPLACE"] },
  test: { type: "RTM_NEWROUTE", flags: ["NLM_F_EXCL"] },
  delete: { type: "RTM_DELROUTE", flags: [] },
} as const satisfies Record<string, { type: RouteDraft["type"]; flags: readonly NlmFlag[] }>;

export type RouteChange = keyof typeof changes;

/** The words behind `add`, `replace`, `delete`... Throws a refusal that names the word. */
export function readRoute(words: Words, change: RouteChange, names: Names, family: Family | undefined): RouteDraft {
  const { type, flags } = changes[change];
  const deleting = change === "delete";
  const r = new RouteReader(words, names, family);
  r.read();
  const table = tableFields(r.table ?? (localTypes.has(r.type) ? rtTable.RT_TABLE_LOCAL : rtTable.RT_TABLE_MAIN));
  const { dst, metrics } = r;
  return {
    type,
    flags,
    header: {
      family: familyNumber[r.family ?? "inet"],
      dstLen: dst?.prefixlen ?? 0,
      srcLen: r.srcLen,
      tos: r.tos,
      ...table.header,
      protocol: r.protocol ?? (deleting ? rtProt.RTPROT_UNSPEC : rtProt.RTPROT_BOOT),
      scope: r.scope ?? usualScope(r, deleting),
      type: r.type ?? (deleting ? rtnType.RTN_UNSPEC : rtnType.RTN_UNICAST),
      ...(r.onlink ? { flags: rtnhFlags.RTNH_F_ONLINK } : {}),
    },
    attributes: {
      ...r.attributes,
      ...table.attributes,
      ...(dst?.address === undefined ? {} : { dst: dst.address }),
      ...(Object.keys(metrics).length === 0 ? {} : { metrics }),
    },
    ...(r.device === undefined ? {} : { device: r.device }),
    ...(r.vrf === undefined ? {} : { vrf: r.vrf }),
    ...(r.hops === undefined ? {} : { hops: r.hops }),
  };
}

/** The family of a header. */
export function familyOfNumber(number: number | undefined): Family | undefined {
  return number === AF_INET ? "inet" : number === AF_INET6 ? "inet6" : undefined;
}
