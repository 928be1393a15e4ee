import { invalid } from "../values/error.js";
import type { ShowFlags } from "./shown.js";
import { parseClass } from "./tc-class.js";
import type { TcContext } from "./tc-kind.js";
import type { TcChange, TcLine } from "./tc-line.js";
import { parseClassListing, parseQdiscListing } from "./tc-list.js";
import { parseQdisc } from "./tc-qdisc.js";
import { vocabulary } from "./vocabulary.js";
import { type Place, type Word, Words } from "./words.js";

/** Options of tc itself, in the order in which it tries them. */
const flagWords = vocabulary({
  stats: ["-stats*", "-statistics*"],
  details: "-details*",
  raw: "-raw*",
  pretty: "-pretty*",
  graph: "-graph*",
  version: "-Version*",
  iec: "-iec*",
  help: "-help*",
  force: "-force*",
  batch: "-batch*",
  netns: "-netns*",
  numeric: "-Numeric*",
  names: ["-names*", "-nm*"],
  conf: ["-cf*", "-conf*"],
  color: ["-color*", "-colour*"],
  timestamp: ["-timestamp*", "-tshort*"],
  json: "-json*",
  oneline: "-oneline*",
  brief: "-brief*",
});

const refusals: Readonly<Record<string, [why: string, hint: string]>> = {
  graph: ["a tree of classes is not drawn here", "class show tells every class's parent"],
  version: ["there is no tc here to tell its version", "pipework --version tells its own"],
  help: ["there is no help of tc's here", "man tc; docs/words.md tells what is different"],
  batch: [
    "a batch of tc commands from a file is refused",
    "run pipework tc once per command, or hand lines to the library",
  ],
  netns: ["the guest is where the command acts", "name the guest, and leave this option out"],
  names: ["names of classes are not looked up", "use their numbers"],
  conf: ["names of classes are not looked up", "use their numbers"],
};

function readFlags(words: Words): ShowFlags {
  const flags: { -readonly [K in keyof ShowFlags]: ShowFlags[K] } = {};
  for (;;) {
    const word = words.peek();
    if (word === undefined || !word.text.startsWith("-")) return flags;
    words.take();
    const flag = flagWords.find(word.text.replace(/^(-colou?r)=.*$/, "$1"));
    if (flag === undefined) throw words.unknown(word, flagWords.spellings, "is no option of tc");
    const refusal = refusals[flag];
    if (refusal !== undefined) throw words.refuse(word, ...refusal);
    if (flag === "stats" || flag === "details") flags[flag] = (flags[flag] ?? 0) + 1;
    else if (["raw", "pretty", "iec", "json", "oneline", "brief"].includes(flag)) flags[flag as "raw"] = true;
  }
}

const objects = vocabulary({
  qdisc: "qdisc*",
  class: "class*",
  filter: "filter*",
  chain: "chain*",
  action: "actions*",
  monitor: "monitor*",
  exec: "exec*",
  help: "help*",
});

const verbs = vocabulary({
  add: "add*",
  change: "change*",
  replace: "replace*",
  link: "link*",
  del: "delete*",
  show: ["list*", "show*", "lst*"],
  help: "help*",
});

type Verb = TcChange["verb"];

/** What one line of tc's words asks for. Throws PipeworkError "invalid-request" naming the word and its place. */
export function parseTc(texts: readonly string[], context: TcContext, place: Place = {}): TcLine {
  const words = new Words(texts, place);
  const text = `tc ${texts.join(" ")}`;
  const flags = readFlags(words);
  const word = words.peek();
  const object = words.keyword(objects);
  if (word === undefined) throw invalid("the words for tc are missing", "such as: qdisc show");
  if (object === undefined) throw words.unknown(word, objects.spellings, "is nothing that tc handles");
  switch (object) {
    case "qdisc":
    case "class":
      return parseOf(object, words, context, flags, text);
    case "filter":
    case "chain":
    case "action":
      throw words.refuse(word, "is not in this version yet");
    default:
      throw words.refuse(word, `tc ${object} is not done here`, object === "help" ? "man tc" : undefined);
  }
}

function parseOf(object: "qdisc" | "class", words: Words, context: TcContext, flags: ShowFlags, text: string): TcLine {
  const word: Word | undefined = words.peek();
  const verb = word === undefined ? "show" : words.keyword(verbs);
  if (word !== undefined && (verb === undefined || verb === "help" || (verb === "link" && object === "class")))
    throw words.unknown(word, verbs.spellings, `is nothing to do with a ${object}`);
  if (verb === "show") return (object === "qdisc" ? parseQdiscListing : parseClassListing)(words, flags, text);
  return (object === "qdisc" ? parseQdisc : parseClass)(words, verb as Verb, context, text);
}
