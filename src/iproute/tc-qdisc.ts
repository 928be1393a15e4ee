import type { NlmFlag } from "../netlink/message.js";
import type { MessageOf } from "../netlink/nouns.js";
import { handleOf, tcHandles } from "../netlink/tcmsg.js";
import { invalid } from "../values/error.js";
import { estimator, sizeTable } from "./tc-estimator.js";
import type { TcContext } from "./tc-kind.js";
import { qdiscKind, qdiscKinds } from "./tc-kinds.js";
import { linkWord, type NamedLink, type TcChange } from "./tc-line.js";
import { classid, count, qdiscHandle } from "./tc-number.js";
import { once, readSome } from "./tc-options.js";
import type { Word, Words } from "./words.js";

type Attributes = MessageOf<"qdisc">["attributes"];

export const changeFlags: Readonly<Record<TcChange["verb"], readonly NlmFlag[]>> = {
  add: ["NLM_F_EXCL", "NLM_F_CREATE"],
  change: [],
  replace: ["NLM_F_CREATE", "NLM_F_REPLACE"],
  link: ["NLM_F_REPLACE"],
  del: [],
};

/** The kind that a word names. The kernel has more kinds than there are words for here. */
export function kindWord(words: Words, word: Word): string {
  if (qdiscKind(word.text) === undefined)
    throw words.unknown(word, Object.keys(qdiscKinds), "is no kind of qdisc that there are words for here");
  return word.text;
}

/** What the words behind the verb of `qdisc add`, `change`, `replace`, `link` and `del` come to. */
export function parseQdisc(words: Words, verb: TcChange["verb"], context: TcContext, text: string): TcChange {
  let link: NamedLink | undefined;
  let handle: number | undefined;
  let parent: number | undefined;
  let kind: string | undefined;
  const attributes: { -readonly [K in keyof Attributes]: Attributes[K] } = {};
  const place = (word: Word, where: number) => {
    if (parent !== undefined) throw words.refuse(word, "is a second place for the qdisc");
    parent = where;
  };
  const special = (word: Word) => {
    place(word, tcHandles.TC_H_INGRESS);
    handle = handleOf(0xffff, 0);
    kind = word.text;
  };
  /** Options of the place; the kind is whatever follows them. */
  const options = {
    dev: (word: Word) => {
      once(words, word, link);
      link = linkWord(words);
    },
    handle: (word: Word) => {
      once(words, word, handle || undefined);
      handle = qdiscHandle(words);
    },
    root: (word: Word) => place(word, tcHandles.TC_H_ROOT),
    clsact: special,
    ingress: special,
    parent: (word: Word) => {
      if (parent !== undefined) throw words.refuse(word, "is a second place for the qdisc");
      parent = classid(words) || undefined;
    },
    "estimator*": (word: Word) => {
      once(words, word, attributes.rate);
      attributes.rate = estimator(words);
    },
    "stab*": () => {
      attributes.stab = sizeTable(words);
    },
    "ingress_block*": () => {
      attributes.ingressBlock = block(words);
    },
    "egress_block*": () => {
      attributes.egressBlock = block(words);
    },
  };
  // Behind the words clsact and ingress come options of theirs and no others.
  readSome(words, options, () => kind !== undefined);
  const word = kind === undefined ? words.take() : undefined;
  kind ??= word === undefined ? undefined : kindWord(words, word);
  if (kind !== undefined) {
    attributes.kind = kind;
    attributes.options = optionsOf(words, kind, context) as Attributes["options"];
  }
  if (link === undefined)
    throw invalid("the interface is missing: dev and its name", "such as: qdisc add dev eth1 root netem delay 10ms");
  return {
    does: "change",
    object: "qdisc",
    verb,
    message: {
      noun: "qdisc",
      type: verb === "del" ? "RTM_DELQDISC" : "RTM_NEWQDISC",
      flags: changeFlags[verb],
      header: { ifindex: { slot: link.slot }, handle: handle ?? 0, parent: parent ?? 0 },
      attributes,
    },
    links: [link],
    text,
  };
}

function optionsOf(words: Words, kind: string, context: TcContext): object | undefined {
  const parse = qdiscKind(kind)?.qdisc;
  if (parse !== undefined) return parse(words, context);
  const word = words.peek();
  if (word !== undefined) throw words.refuse(word, `qdisc ${kind} takes no options`);
  return undefined;
}

function block(words: Words): number {
  const number = count(words, "the number of a block");
  if (number === 0) throw words.refuse(words.last as Word, "is not the number of a block");
  return number;
}
