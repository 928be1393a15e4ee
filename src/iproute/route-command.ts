import { invalid } from "../values/error.js";
import { readFront } from "./front.js";
import type { Names } from "./names.js";
import type { Options } from "./option.js";
import type { RouteDraft } from "./route-draft.js";
import { type RouteFilter, readFilter } from "./route-filter.js";
import { type RouteQuestion, readQuestion } from "./route-get-words.js";
import { type RouteChange, readRoute } from "./route-words.js";
import { vocabulary } from "./vocabulary.js";
import type { Words } from "./words.js";

/** What one line of `ip route` asks for. */
export type RouteCommand = { readonly options: Options; readonly text: string } & (
  | { readonly kind: "change"; readonly change: RouteChange; readonly draft: RouteDraft }
  | { readonly kind: "show"; readonly filter: RouteFilter }
  | { readonly kind: "flush"; readonly filter: RouteFilter }
  | { readonly kind: "get"; readonly question: RouteQuestion }
);

const commands = vocabulary({
  add: "add*",
  append: "append*",
  change: ["change*", "chg*"],
  replace: "replace*",
  prepend: "prepend*",
  test: "test*",
  delete: "delete*",
  get: "get*",
  show: ["list*", "show*", "lst*"],
  flush: "flush*",
  save: "save*",
  restore: "restore*",
  showdump: "showdump*",
  help: "help*",
});

/** One line of words. Throws PipeworkError "invalid-request" that names the word, or "unsupported". */
export function readRouteCommand(words: Words, names: Names): RouteCommand {
  const options = readFront(words, "route");
  const { family } = options;
  const about = { options, text: ["route", ...words.rest].join(" ") };
  const word = words.peek();
  if (word === undefined) return { ...about, kind: "show", filter: readFilter(words, names, family) };
  const command = words.keyword(commands);
  switch (command) {
    case "show":
      return { ...about, kind: "show", filter: readFilter(words, names, family) };
    case "flush":
      if (words.done)
        throw words.refuse(word, "what to flush is missing behind it", "such as: flush table 100, or: flush dev eth1");
      return { ...about, kind: "flush", filter: readFilter(words, names, family) };
    case "get":
      return { ...about, kind: "get", question: readQuestion(words, names, family) };
    case "save":
    case "restore":
    case "showdump":
      throw words.refuse(
        word,
        "binary dumps of routes are not among the words",
        "show -j, and lines with add, do the same",
      );
    case "help":
      throw invalid("the words are those of ip route", "see ip-route(8), or docs/words.md");
    case undefined:
      throw words.unknown(word, commands.spellings, "is no command of ip route");
    default:
      return { ...about, kind: "change", change: command, draft: readRoute(words, command, names, family) };
  }
}
