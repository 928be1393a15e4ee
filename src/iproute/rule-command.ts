import { invalid } from "../values/error.js";
import { readFront } from "./front.js";
import type { Names } from "./names.js";
import type { Options } from "./option.js";
import { type RuleFilter, readRuleFilter } from "./rule-filter.js";
import { type RuleMessage, readRule } from "./rule-words.js";
import { vocabulary } from "./vocabulary.js";
import type { Words } from "./words.js";

/** What one line of `ip rule` asks for. */
export type RuleCommand = { readonly options: Options; readonly text: string } & (
  | { readonly kind: "change"; readonly change: "add" | "delete"; readonly message: RuleMessage }
  | { readonly kind: "show"; readonly filter: RuleFilter }
  | { readonly kind: "flush"; readonly filter: RuleFilter }
);

const commands = vocabulary({
  show: ["list*", "lst*", "show*"],
  save: "save*",
  restore: "restore*",
  add: "add*",
  delete: "delete*",
  flush: "flush*",
  help: "help*",
});

/** One line of words. Throws PipeworkError "invalid-request" that names the word. */
export function readRuleCommand(words: Words, names: Names): RuleCommand {
  const options = readFront(words, "rule");
  const { family } = options;
  const about = { options, text: ["rule", ...words.rest].join(" ") };
  const word = words.peek();
  if (word === undefined) return { ...about, kind: "show", filter: readRuleFilter(words, names, family) };
  const command = words.keyword(commands);
  switch (command) {
    case "show":
    case "flush":
      return { ...about, kind: command, filter: readRuleFilter(words, names, family) };
    case "add":
    case "delete":
      return { ...about, kind: "change", change: command, message: readRule(words, command, names, family) };
    case "save":
    case "restore":
      throw words.refuse(
        word,
        "binary dumps of rules are not among the words",
        "show -j, and lines with add, do the same",
      );
    case "help":
      throw invalid("the words are those of ip rule", "see ip-rule(8), or docs/words.md");
    case undefined:
      throw words.unknown(word, commands.spellings, "is no command of ip rule");
  }
}
