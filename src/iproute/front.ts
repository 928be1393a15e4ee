import { type Options, readOptions } from "./option.js";
import { vocabulary } from "./vocabulary.js";
import type { Words } from "./words.js";

/** The objects of `ip` whose beginnings could be meant by that of `route` or `rule`. */
const objects = vocabulary({
  address: "address*",
  addrlabel: "addrlabel*",
  maddress: "maddress*",
  route: "route*",
  rule: "rule*",
});

/**
 * Options in front of the words; a line may also be a whole command, `ip -6 route ...`, as notes have it. Throws a refusal.
 */
export function readFront(words: Words, object: "route" | "rule"): Options {
  if (!words.literal("ip")) return readOptions(words);
  const options = readOptions(words);
  const word = words.argument(`${object} and its words`);
  const found = objects.find(word.text);
  if (found === object) return options;
  throw words.refuse(
    word,
    `these are words for ip ${object}`,
    found === undefined ? undefined : `ip ${found} has other words`,
  );
}
