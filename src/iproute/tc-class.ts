import type { MessageOf } from "../netlink/nouns.js";
import { tcHandles } from "../netlink/tcmsg.js";
import { invalid } from "../values/error.js";
import { estimator } from "./tc-estimator.js";
import type { TcContext } from "./tc-kind.js";
import { qdiscKind } from "./tc-kinds.js";
import { linkWord, type NamedLink, type TcChange } from "./tc-line.js";
import { classid } from "./tc-number.js";
import { once, readSome } from "./tc-options.js";
import { changeFlags, kindWord } from "./tc-qdisc.js";
import type { Word, Words } from "./words.js";

type Attributes = MessageOf<"class">["attributes"];

/** A class is replaced in place: iproute2 sends no NLM_F_REPLACE for it. */
const flagsOf = { ...changeFlags, replace: ["NLM_F_CREATE"] } as const;

/** What the words behind the verb of `class add`, `change`, `replace` and `del` come to. */
export function parseClass(words: Words, verb: TcChange["verb"], context: TcContext, text: string): TcChange {
  let link: NamedLink | undefined;
  let handle: number | undefined;
  let parent: number | undefined;
  const attributes: { -readonly [K in keyof Attributes]: Attributes[K] } = {};
  readSome(words, {
    dev: (word) => {
      once(words, word, link);
      link = linkWord(words);
    },
    classid: (word) => {
      once(words, word, handle || undefined);
      handle = classid(words);
    },
    handle: (word) => {
      throw words.refuse(word, "a class has no handle", "did you mean classid?");
    },
    root: (word) => {
      once(words, word, parent || undefined);
      parent = tcHandles.TC_H_ROOT;
    },
    parent: (word) => {
      once(words, word, parent || undefined);
      parent = classid(words);
    },
    "estimator*": (word) => {
      once(words, word, attributes.rate);
      attributes.rate = estimator(words);
    },
  });
  const word: Word | undefined = words.take();
  if (word !== undefined) {
    const kind = kindWord(words, word);
    const parse = qdiscKind(kind)?.class;
    if (parse === undefined)
      throw words.refuse(word, "is no kind of qdisc whose classes there are words for", "htb and hfsc are");
    attributes.kind = kind;
    attributes.options = parse(words, context) as Attributes["options"];
  }
  if (link === undefined)
    throw invalid(
      "the interface is missing: dev and its name",
      "such as: class add dev eth1 parent 1: classid 1:10 htb rate 10mbit",
    );
  return {
    does: "change",
    object: "class",
    verb,
    message: {
      noun: "class",
      type: verb === "del" ? "RTM_DELTCLASS" : "RTM_NEWTCLASS",
      flags: flagsOf[verb],
      header: { ifindex: { slot: link.slot }, handle: handle ?? 0, parent: parent ?? 0 },
      attributes,
    },
    links: [link],
    text,
  };
}
