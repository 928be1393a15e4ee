import { familyNumber } from "../netlink/family.js";
import type { MessageOf } from "../netlink/nouns.js";
import { rtnType, rtTable } from "../netlink/route.js";
import { ruleActions, ruleFlags } from "../netlink/rule.js";
import type { Family } from "../values/ipaddress.js";
import { readPrefix } from "./address.js";
import { dsfieldArgument, type Names, protocolArgument, realmsArgument, tableArgument } from "./names.js";
import { unsigned, unsignedArgument } from "./number.js";
import { be64Argument } from "./number64.js";
import { rangeArgument } from "./range.js";
import { tableFields } from "./route-draft.js";
import { typeNumber, typeSpellings } from "./route-type.js";
import type { RuleAttributes } from "./rule-view.js";
import { vocabulary } from "./vocabulary.js";
import type { Word, Words } from "./words.js";

/** In iproute2's order: `p` is priority, `t` tun_id, `n` nop. */
const ruleVocabulary = vocabulary({
  not: "not",
  from: "from",
  to: "to",
  priority: ["preference*", "order*", "priority*"],
  tos: ["tos", "dsfield*"],
  fwmark: "fwmark",
  realms: "realms*",
  protocol: "protocol*",
  tunId: "tun_id*",
  table: ["table*", "lookup"],
  suppressPrefixlen: ["suppress_prefixlength*", "sup_pl"],
  suppressIfgroup: ["suppress_ifgroup*", "sup_group"],
  iif: ["dev", "iif"],
  oif: "oif",
  l3mdev: "l3mdev",
  uidrange: "uidrange",
  nat: ["nat", "map-to*"],
  ipproto: "ipproto",
  sport: "sport",
  dport: "dport",
  type: "type",
  goto: "goto*",
  nop: "nop*",
});

/** All ones is "suppress nothing", and the kernel keeps these numbers with a sign. */
const SUPPRESS_MAX = 0x7fffffff;

/** Names of interfaces that rules match: they need not exist. IFNAMSIZ, linux/if.h. */
const IFNAME_MAX = 15;

function ifnameArgument(words: Words): string {
  const word = words.argument("an interface name");
  if (new TextEncoder().encode(word.text).length > IFNAME_MAX || /[/\s\0]/.test(word.text))
    throw words.refuse(word, `is not the name of an interface: at most ${IFNAME_MAX} bytes, without / and blanks`);
  return word.text;
}

/** `MARK` or `MARK/MASK`. */
export function markArgument(words: Words): { fwmark: number; fwmask?: number } {
  const word = words.argument("a mark");
  const slash = word.text.indexOf("/");
  const part = (text: string, what: string) => unsigned(words, { ...word, text }, what);
  if (slash < 0) return { fwmark: part(word.text, "a mark") };
  return { fwmark: part(word.text.slice(0, slash), "a mark"), fwmask: part(word.text.slice(slash + 1), "a mask") };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type RuleMessage = MessageOf<"rule">;

/** What the words say of a rule, while they are read. */
class RuleReader {
  family: Family | undefined;
  action: number | undefined;
  table: number | undefined;
  flags = 0;
  tos = 0;
  srcLen = 0;
  dstLen = 0;
  readonly attributes: Mutable<RuleAttributes> = {};

  constructor(
    readonly words: Words,
    readonly names: Names,
    family: Family | undefined,
  ) {
    this.family = family;
  }

  #prefix(which: "src" | "dst"): void {
    const prefix = readPrefix(this.words, this.words.argument("a prefix"), this.family);
    this.family = prefix.family ?? this.family;
    if (prefix.address === undefined) delete this.attributes[which];
    else this.attributes[which] = prefix.address;
    if (which === "src") this.srcLen = prefix.prefixlen;
    else this.dstLen = prefix.prefixlen;
  }

  read(): void {
    const { words } = this;
    while (!words.done) {
      const keyword = words.keyword(ruleVocabulary);
      if (keyword === undefined) this.#type(words.take() as Word);
      else this.#keyword(keyword);
    }
  }

  /** `blackhole`, `unreachable`...: what a rule does instead of looking up a table. */
  #type(word: Word): void {
    const { words } = this;
    const number = typeNumber(word.text);
    if (number === undefined)
      throw words.unknown(word, [...ruleVocabulary.spellings, ...typeSpellings], "is no word of a rule");
    if (number === rtnType.RTN_NAT) throw this.#nat(word);
    this.action = number;
  }

  #nat(word: Word): Error {
    return this.words.refuse(word, "rules that translate addresses went with Linux 2.6", "use nftables");
  }

  #keyword(keyword: NonNullable<ReturnType<typeof ruleVocabulary.find>>): void {
    const { words, names, attributes } = this;
    switch (keyword) {
      case "not":
        this.flags |= ruleFlags.FIB_RULE_INVERT;
        break;
      case "from":
        this.#prefix("src");
        break;
      case "to":
        this.#prefix("dst");
        break;
      case "priority":
        attributes.priority = unsignedArgument(words, "a priority");
        break;
      case "tos":
        this.tos = dsfieldArgument(words, names);
        break;
      case "fwmark":
        Object.assign(attributes, markArgument(words));
        break;
      case "realms":
        attributes.flow = realmsArgument(words, names);
        break;
      case "protocol":
        attributes.protocol = protocolArgument(words, names);
        break;
      case "tunId":
        attributes.tunId = be64Argument(words, "a tunnel id");
        break;
      case "table":
        this.table = tableArgument(words, names);
        break;
      case "suppressPrefixlen":
        attributes.suppressPrefixlen = unsignedArgument(words, "a prefix length", SUPPRESS_MAX);
        break;
      case "suppressIfgroup": {
        const word = words.argument("a group of interfaces");
        const group = { what: "a group of interfaces", max: SUPPRESS_MAX };
        attributes.suppressIfgroup = names.groups.read(words, word, group);
        break;
      }
      case "iif":
        attributes.iifname = ifnameArgument(words);
        break;
      case "oif":
        attributes.oifname = ifnameArgument(words);
        break;
      case "l3mdev":
        attributes.l3mdev = 1;
        break;
      case "uidrange":
        attributes.uidRange = rangeArgument(words, "a range of user ids", 0xffffffff, { alone: false });
        break;
      case "nat":
        throw this.#nat(words.last as Word);
      case "ipproto":
        attributes.ipProto = names.ipProtocols.read(words, words.argument("a protocol above IP"));
        break;
      case "sport":
        attributes.sportRange = rangeArgument(words, "a port or a range of ports", 0xffff, { alone: true });
        break;
      case "dport":
        attributes.dportRange = rangeArgument(words, "a port or a range of ports", 0xffff, { alone: true });
        break;
      case "type":
        this.#type(words.argument("a type of rules"));
        break;
      case "goto":
        attributes.goto = unsignedArgument(words, "the priority of a rule");
        this.action = ruleActions.FR_ACT_GOTO;
        break;
      case "nop":
        this.action = ruleActions.FR_ACT_NOP;
    }
  }
}

/** The words behind `add` or `delete`. Throws a refusal that names the word. */
export function readRule(
  words: Words,
  change: "add" | "delete",
  names: Names,
  family: Family | undefined,
): RuleMessage {
  const command = words.last as Word;
  if (words.done)
    throw words.refuse(command, "what the rule is about is missing behind it", "such as: from 10.0.0.0/8 lookup 100");
  const r = new RuleReader(words, names, family);
  r.read();
  if (r.attributes.l3mdev !== undefined && r.table !== undefined)
    throw words.refuse(command, "a rule with l3mdev looks up the table of the interface, and so takes none itself");
  const adding = change === "add";
  // A rule that says neither looks up the main table.
  const usual = adding && r.action === undefined && r.attributes.l3mdev === undefined ? rtTable.RT_TABLE_MAIN : 0;
  const table = tableFields(r.table ?? usual);
  return {
    noun: "rule",
    type: adding ? "RTM_NEWRULE" : "RTM_DELRULE",
    ...(adding ? { flags: ["NLM_F_CREATE", "NLM_F_EXCL"] as const } : {}),
    header: {
      family: familyNumber[r.family ?? "inet"],
      dstLen: r.dstLen,
      srcLen: r.srcLen,
      tos: r.tos,
      ...table.header,
      action: r.action ?? (adding ? ruleActions.FR_ACT_TO_TBL : ruleActions.FR_ACT_UNSPEC),
      flags: r.flags,
    },
    attributes: { ...r.attributes, ...table.attributes },
  };
}
