import { AF_INET, AF_INET6, familyNumber } from "../netlink/family.js";
import { rtmFlags, rtnType, rtTable } from "../netlink/route.js";
import { decodeVia } from "../netlink/route-via.js";
import { type Family, formatIp, ipBytes } from "../values/ipaddress.js";
import { type AddressPrefix, readPrefix } from "./address.js";
import { type Devices, type DeviceWord, deviceArgument, deviceIndex, vrfTable } from "./device.js";
import { dsfieldArgument, type Names, realmsArgument } from "./names.js";
import { unsignedArgument } from "./number.js";
import { typeNumber, typeSpellings } from "./route-type.js";
import { type RouteReply, tableOf } from "./route-view.js";
import { vocabulary } from "./vocabulary.js";
import type { Word, Words } from "./words.js";

/** Which routes `ip route show` and `ip route flush` mean. Absent: any. */
export interface RouteFilter {
  readonly family?: Family;
  /** 0 is any table; without a word the main one. */
  readonly table: number;
  readonly vrf?: DeviceWord;
  /** The routing cache, which Linux has only for IPv6. */
  readonly cached?: boolean;
  readonly tos?: number;
  readonly protocol?: number;
  readonly scope?: number;
  readonly type?: number;
  readonly device?: DeviceWord;
  readonly iif?: DeviceWord;
  readonly mark?: number;
  readonly metric?: number;
  readonly realm?: { readonly value: number; readonly mask: number };
  readonly via?: AddressPrefix;
  readonly prefsrc?: AddressPrefix;
  /** Prefixes not shorter than this... */
  readonly dstRoot?: AddressPrefix;
  /** ...and not longer than this. */
  readonly dstMatch?: AddressPrefix;
  readonly srcRoot?: AddressPrefix;
  readonly srcMatch?: AddressPrefix;
}

const filterVocabulary = vocabulary({
  table: "table*",
  vrf: "vrf*",
  cached: ["cached*", "cloned*"],
  tos: ["tos", "dsfield*"],
  protocol: "protocol*",
  scope: "scope*",
  type: "type*",
  dev: ["dev", "oif"],
  iif: "iif",
  mark: "mark",
  metric: ["metric*", "priority*", "preference"],
  via: "via",
  src: "src",
  realms: "realms*",
  from: "from*",
});
const ranges = vocabulary({ root: "root*", match: "match*", exact: "exact*" });
const viaFamilies = vocabulary({ inet: "inet", inet6: "inet6" });

/** `all`, or what the table of names reads. */
function unlessAll(words: Words, what: string, read: (word: Word) => number): number | undefined {
  const word = words.argument(what);
  return word.text === "all" ? undefined : read(word);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** `[root|match|exact] PREFIX`. `default` is the prefix of length 0 of any family, and `any` without a family every prefix. */
function readRange(words: Words, family: Family | undefined): { root?: AddressPrefix; match?: AddressPrefix } {
  const range = words.keyword(ranges);
  const word = words.argument("a prefix");
  if (range === undefined && /^[a-z]/i.test(word.text) && !/[.:/]|^(default|any|all)$/.test(word.text)) {
    const known = [...filterVocabulary.spellings, ...ranges.spellings, "default"];
    throw words.unknown(word, known, "is no word of a selection of routes, and no prefix");
  }
  if (family === undefined && /^(any|all)$/.test(word.text)) return {};
  const prefix = readPrefix(words, word, family);
  if (range === "root") return { root: prefix };
  if (range === "match") return { match: prefix };
  return { root: prefix, match: prefix };
}

/** The whole of a route's realms is asked for. */
export const BOTH_REALMS = 0xffffffff;

/** `FROM/TO`, or one of them alone: `TO`, `FROM/`. */
function realmFilter(words: Words, names: Names): { value: number; mask: number } {
  const value = realmsArgument(words, names);
  const { text } = words.last as Word;
  let mask = BOTH_REALMS;
  if ((value & 0xffff) === 0 && text.endsWith("/")) mask &= ~0xffff;
  if (value >>> 16 === 0 && !text.includes("/")) mask &= 0xffff;
  return { value, mask: mask >>> 0 };
}

/** The words behind `show` or `flush`. Throws a refusal that names the word. */
export function readFilter(words: Words, names: Names, family: Family | undefined): RouteFilter {
  const filter: Mutable<RouteFilter> = { table: rtTable.RT_TABLE_MAIN };
  while (!words.done) {
    const keyword = words.keyword(filterVocabulary);
    switch (keyword) {
      case "table": {
        const word = words.argument("a routing table");
        if (word.text === "cache") filter.cached = true;
        else
          filter.table =
            word.text === "all" ? 0 : names.tables.read(words, word, { what: "a routing table", max: 0xffffffff });
        delete filter.vrf;
        break;
      }
      case "vrf":
        filter.vrf = deviceArgument(words);
        break;
      case "cached":
        filter.cached = true;
        break;
      case "tos":
        filter.tos = dsfieldArgument(words, names);
        break;
      case "protocol":
        setOrDelete(
          filter,
          "protocol",
          unlessAll(words, "a routing protocol", (word) =>
            names.protocols.read(words, word, { what: "a routing protocol", max: 0xff }),
          ),
        );
        break;
      case "scope":
        setOrDelete(
          filter,
          "scope",
          unlessAll(words, "a scope", (word) => names.scopes.read(words, word, { what: "a scope", max: 0xff })),
        );
        break;
      case "type": {
        const word = words.argument("a type of routes");
        const type = typeNumber(word.text);
        if (type === undefined) throw words.unknown(word, typeSpellings, "is no type of routes");
        filter.type = type;
        break;
      }
      case "dev":
        filter.device = deviceArgument(words);
        break;
      case "iif":
        filter.iif = deviceArgument(words);
        break;
      case "mark":
        filter.mark = unsignedArgument(words, "a mark");
        break;
      case "metric":
        filter.metric = unsignedArgument(words, "a metric");
        break;
      case "realms":
        filter.realm = realmFilter(words, names);
        break;
      case "via": {
        const stated = words.keyword(viaFamilies);
        filter.via = readPrefix(words, words.argument("a prefix"), stated ?? family);
        break;
      }
      case "src":
        filter.prefsrc = readPrefix(words, words.argument("a prefix"), family);
        break;
      case "from": {
        const { root, match } = readRange(words, family);
        if (root !== undefined) filter.srcRoot = root;
        if (match !== undefined) filter.srcMatch = match;
        break;
      }
      default: {
        words.literal("to");
        const { root, match } = readRange(words, family);
        if (root !== undefined) filter.dstRoot = root;
        if (match !== undefined) filter.dstMatch = match;
      }
    }
  }
  // As iproute2: without a word about the family only `table all` shows both.
  const shown = family ?? (filter.table !== 0 || filter.vrf !== undefined ? "inet" : undefined);
  return { ...filter, ...(shown === undefined ? {} : { family: shown }) };
}

function setOrDelete<K extends "protocol" | "scope">(
  filter: Mutable<RouteFilter>,
  key: K,
  value: number | undefined,
): void {
  if (value === undefined) delete filter[key];
  else filter[key] = value;
}

/** A filter whose devices are looked up. */
export interface ResolvedFilter extends Omit<RouteFilter, "device" | "iif" | "vrf"> {
  readonly oif?: number;
  readonly iifIndex?: number;
}

/** Throws "interface-not-found". */
export function resolveFilter(filter: RouteFilter, devices: Devices): ResolvedFilter {
  const { device, iif, vrf, ...rest } = filter;
  return {
    ...rest,
    ...(vrf === undefined ? {} : { table: vrfTable(vrf, devices) }),
    ...(device === undefined ? {} : { oif: deviceIndex(device, devices) }),
    ...(iif === undefined ? {} : { iifIndex: deviceIndex(iif, devices) }),
  };
}

/** Whether the first `prefixlen` bits are those of the prefix; where either is no address at all, they are. */
export function covers(prefix: AddressPrefix, address: string | undefined): boolean {
  if (prefix.address === undefined || prefix.prefixlen === 0) return true;
  const wanted = ipBytes(prefix.address);
  const bytes = address === undefined || address === "" ? new Uint8Array(wanted.length) : ipBytes(address);
  if (bytes.length !== wanted.length) return false;
  for (let bit = 0; bit < prefix.prefixlen; bit++) {
    const mask = 0x80 >> (bit & 7);
    if (((bytes[bit >> 3] as number) & mask) !== ((wanted[bit >> 3] as number) & mask)) return false;
  }
  return true;
}

/** Whether a prefix of the route lies between the two ends of a range. */
function inRange(
  { family, length, address }: { family: number; length: number; address: string | undefined },
  root: AddressPrefix | undefined,
  match: AddressPrefix | undefined,
): boolean {
  for (const end of [root, match])
    if (end?.family !== undefined && end.address !== undefined && familyNumber[end.family] !== family) return false;
  if (root !== undefined && (root.prefixlen > length || !covers(root, address))) return false;
  if (match === undefined) return true;
  // The bits that the route has must be those of the prefix.
  if (match.prefixlen < length) return false;
  return covers({ ...match, ...(match.address === undefined ? {} : { prefixlen: length }) }, address);
}

/** Whether the address that a route has (or not) lies in the prefix that is asked for. */
function within(prefix: AddressPrefix, family: number, address: string | undefined): boolean {
  if (address === undefined) return prefix.prefixlen === 0;
  if (prefix.family !== undefined && familyNumber[prefix.family] !== family) return false;
  return covers(prefix, address);
}

/** The gateway of a route, whichever family it is of. */
function gatewayOf({ header, attributes }: RouteReply): { family: number; address: string } | undefined {
  if (attributes.via !== undefined) return decodeVia(attributes.via);
  return attributes.gateway === undefined ? undefined : { family: header.family, address: attributes.gateway };
}

/** Whether the filter means the route. */
export function matches(filter: ResolvedFilter, reply: RouteReply): boolean {
  const { header: h, attributes: a } = reply;
  if (h.family !== AF_INET && h.family !== AF_INET6) return false;
  if (filter.family !== undefined && familyNumber[filter.family] !== h.family) return false;
  const cloned = (h.flags & rtmFlags.RTM_F_CLONED) !== 0;
  if (cloned !== (filter.cached === true)) return false;
  if (filter.cached !== true && filter.table !== 0 && filter.table !== tableOf(reply)) return false;
  if (filter.protocol !== undefined && filter.protocol !== h.protocol) return false;
  if (filter.scope !== undefined && filter.scope !== h.scope) return false;
  if (filter.type !== undefined && filter.type !== h.type) return false;
  if (filter.tos !== undefined && filter.tos !== h.tos) return false;
  const dst = { family: h.family, length: h.dstLen, address: a.dst };
  if (!inRange(dst, filter.dstRoot, filter.dstMatch)) return false;
  const src = { family: h.family, length: h.srcLen, address: a.src };
  if (!inRange(src, filter.srcRoot, filter.srcMatch)) return false;
  if (filter.via !== undefined) {
    const gateway = gatewayOf(reply);
    if (!within(filter.via, gateway?.family ?? h.family, gateway?.address)) return false;
  }
  if (filter.prefsrc !== undefined && !within(filter.prefsrc, h.family, a.prefsrc)) return false;
  if (filter.realm !== undefined && ((filter.realm.value ^ (a.flow ?? 0)) & filter.realm.mask) !== 0) return false;
  if (filter.iifIndex !== undefined && filter.iifIndex !== a.iif) return false;
  if (filter.oif !== undefined && filter.oif !== a.oif) return false;
  if (filter.mark !== undefined && filter.mark !== (a.mark ?? 0)) return false;
  return filter.metric === undefined || filter.metric === (a.priority ?? 0);
}

/**
 * Whether a flush leaves the route alone: the unreachable default of the greatest metric that every IPv6 namespace has,
 * which the kernel would only make again.
 */
export function keptByFlush({ header, attributes }: RouteReply): boolean {
  return (
    header.family === AF_INET6 &&
    header.dstLen === 0 &&
    header.type === rtnType.RTN_UNREACHABLE &&
    attributes.priority === 0xffffffff
  );
}

/** The prefix of a route with its host bits cleared, for messages about it. */
export function prefixOf({ header, attributes }: RouteReply): string {
  const all = header.family === AF_INET6 ? new Uint8Array(16) : new Uint8Array(4);
  return `${attributes.dst ?? formatIp(all)}/${header.dstLen}`;
}
