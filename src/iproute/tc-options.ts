import { vocabulary } from "./vocabulary.js";
import type { Word, Words } from "./words.js";

/**
 * What each option does with the words behind it. A key lists the spellings, those that end with `*` by any beginning,
 * in the order in which they are tried: `"burst*|buffer|maxburst"`.
 */
export type Options = Readonly<Record<string, (word: Word) => void>>;

function vocabularyOf(options: Options) {
  return vocabulary(Object.fromEntries(Object.keys(options).map((key) => [key, key.split("|")])));
}

/** Reads options as long as there are known ones, or until one of them was the last. */
export function readSome(words: Words, options: Options, wasLast = () => false): void {
  const spellings = vocabularyOf(options);
  while (!wasLast()) {
    const word = words.peek();
    const key = words.keyword(spellings);
    if (word === undefined || key === undefined) return;
    (options[key] as Options[string])(word);
  }
}

/**
 * Reads options up to the end of the line.
 * @param of whose options they are, for refusals: "qdisc netem"
 */
export function readOptions(words: Words, of: string, options: Options): void {
  readSome(words, options);
  const word = words.peek();
  if (word !== undefined) throw words.unknown(word, vocabularyOf(options).spellings, `is no option of ${of}`);
}

/** Refuses an option that is there a second time. */
export function once(words: Words, word: Word, before: unknown): void {
  if (before !== undefined) throw words.refuse(word, "is there twice");
}
