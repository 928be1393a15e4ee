import { AF_INET, AF_INET6, familyNumber } from "../netlink/family.js";
import { ruleFlags } from "../netlink/rule.js";
import type { Family } from "../values/ipaddress.js";
import { type AddressPrefix, readPrefix } from "./address.js";
import { dsfieldArgument, type Names, protocolArgument, tableArgument } from "./names.js";
import { unsignedArgument } from "./number.js";
import { be64Argument, be64Value } from "./number64.js";
import { type Range, rangeArgument } from "./range.js";
import { covers } from "./route-filter.js";
import { ruleTable, type StatedRule } from "./rule-view.js";
import { markArgument } from "./rule-words.js";
import { vocabulary } from "./vocabulary.js";
import type { Words } from "./words.js";

/** Which rules `ip rule show` and `ip rule flush` mean. Absent: any. */
export interface RuleFilter {
  readonly family: Family;
  readonly not?: true;
  readonly priority?: number;
  readonly src?: AddressPrefix;
  readonly dst?: AddressPrefix;
  readonly tos?: number;
  readonly fwmark?: number;
  readonly fwmask?: number;
  readonly iifname?: string;
  readonly oifname?: string;
  readonly l3mdev?: true;
  readonly uidRange?: Range;
  readonly tunId?: bigint;
  readonly table?: number;
  readonly protocol?: number;
  readonly ipProto?: number;
  readonly sportRange?: Range;
  readonly dportRange?: Range;
}

const filterVocabulary = vocabulary({
  priority: ["preference*", "order*", "priority*"],
  not: "not",
  tos: ["tos", "dsfield"],
  fwmark: "fwmark",
  iifname: ["dev", "iif"],
  oifname: "oif",
  l3mdev: "l3mdev",
  uidRange: "uidrange",
  tunId: "tun_id*",
  table: ["table*", "lookup*"],
  src: "from*",
  protocol: "protocol*",
  ipProto: "ipproto",
  sportRange: "sport",
  dportRange: "dport",
});

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The words behind `show` or `flush`. Throws a refusal that names the word. */
export function readRuleFilter(words: Words, names: Names, preferred: Family | undefined): RuleFilter {
  const family = preferred ?? "inet";
  const filter: Mutable<RuleFilter> = { family };
  while (!words.done) {
    const keyword = words.keyword(filterVocabulary);
    switch (keyword) {
      case "priority":
        filter.priority = unsignedArgument(words, "a priority");
        break;
      case "not":
      case "l3mdev":
        filter[keyword] = true;
        break;
      case "tos":
        filter.tos = dsfieldArgument(words, names);
        break;
      case "fwmark":
        Object.assign(filter, markArgument(words));
        break;
      case "iifname":
      case "oifname":
        filter[keyword] = words.argument("an interface name").text;
        break;
      case "uidRange":
        filter.uidRange = rangeArgument(words, "a range of user ids", 0xffffffff, { alone: false });
        break;
      case "tunId":
        filter.tunId = be64Value(be64Argument(words, "a tunnel id")) as bigint;
        break;
      case "table":
        filter.table = tableArgument(words, names);
        break;
      case "src":
        filter.src = readPrefix(words, words.argument("a prefix"), family);
        break;
      case "protocol":
        filter.protocol = protocolArgument(words, names);
        break;
      case "ipProto":
        filter.ipProto = names.ipProtocols.read(words, words.argument("a protocol above IP"));
        break;
      case "sportRange":
      case "dportRange":
        filter[keyword] = rangeArgument(words, "a port or a range of ports", 0xffff, { alone: true });
        break;
      default: {
        words.literal("to");
        const word = words.argument("a prefix");
        if (/^[a-z]/i.test(word.text) && !/[.:/]|^(default|any|all)$/.test(word.text))
          throw words.unknown(word, filterVocabulary.spellings, "is no word of a selection of rules, and no prefix");
        filter.dst = readPrefix(words, word, family);
      }
    }
  }
  // As iproute2: nought is any.
  for (const key of ["fwmark", "ipProto", "tunId"] as const) if (Number(filter[key]) === 0) delete filter[key];
  for (const key of ["sportRange", "dportRange"] as const) if (filter[key]?.start === 0) delete filter[key];
  return filter;
}

function sameRange(
  wanted: Range,
  range: { start?: number | undefined; end?: number | undefined } | undefined,
): boolean {
  return range !== undefined && range.start === wanted.start && range.end === wanted.end;
}

/** Whether the rule's prefix lies in that of the filter. */
function within(prefix: AddressPrefix, address: string | undefined, length: number | undefined): boolean {
  if (prefix.prefixlen === 0) return true;
  return (length ?? 0) >= prefix.prefixlen && address !== undefined && address !== "" && covers(prefix, address);
}

/** Whether the filter means the rule. */
export function matchesRule(filter: RuleFilter, rule: StatedRule): boolean {
  const { header: h, attributes: a } = rule;
  if (h.family !== AF_INET && h.family !== AF_INET6) return false;
  if (familyNumber[filter.family] !== h.family) return false;
  if (filter.priority !== undefined && filter.priority !== (a.priority ?? 0)) return false;
  if (filter.not === true && ((h.flags ?? 0) & ruleFlags.FIB_RULE_INVERT) === 0) return false;
  if (filter.src !== undefined && !within(filter.src, a.src, h.srcLen)) return false;
  if (filter.dst !== undefined && !within(filter.dst, a.dst, h.dstLen)) return false;
  if (filter.tos !== undefined && filter.tos !== (h.tos ?? 0)) return false;
  if (filter.fwmark !== undefined && filter.fwmark !== (a.fwmark ?? 0)) return false;
  if (filter.fwmask !== undefined && filter.fwmask !== a.fwmask) return false;
  if (filter.iifname !== undefined && filter.iifname !== a.iifname) return false;
  if (filter.oifname !== undefined && filter.oifname !== a.oifname) return false;
  if (filter.l3mdev === true && (a.l3mdev ?? 0) === 0) return false;
  if (filter.uidRange !== undefined && !sameRange(filter.uidRange, a.uidRange)) return false;
  if (filter.tunId !== undefined && (a.tunId === undefined || be64Value(a.tunId) !== filter.tunId)) return false;
  if (filter.ipProto !== undefined && filter.ipProto !== a.ipProto) return false;
  if (filter.sportRange !== undefined && !sameRange(filter.sportRange, a.sportRange)) return false;
  if (filter.dportRange !== undefined && !sameRange(filter.dportRange, a.dportRange)) return false;
  if (filter.protocol !== undefined && filter.protocol !== (a.protocol ?? 0)) return false;
  return filter.table === undefined || filter.table === 0 || filter.table === ruleTable(rule);
}
