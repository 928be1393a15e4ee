import { invalid, PipeworkError } from "../values/error.js";
import { suggest } from "../values/suggest.js";
import { type CommonFlag, commonFlags } from "./common-option.js";

/** A word and its place on the command line, counted from 1 behind the program's name. */
export interface Word {
  readonly text: string;
  readonly at: number;
}

const flags: Readonly<Record<string, CommonFlag | "directPhys" | "force" | "wait">> = {
  ...commonFlags,
  "--direct-phys": "directPhys",
  "--force": "force",
  "--wait": "wait",
};

const valued = {
  "-i": { key: "ifname", takes: "an interface name" },
  "-l": { key: "hostIfname", takes: "a name for the host end" },
  "-a": { key: "family", takes: "4 or 6" },
  "--timeout": { key: "timeout", takes: "a number of seconds" },
} as const;

type Valued = (typeof valued)[keyof typeof valued]["key"];

/** Legacy words sorted by what they are. */
export interface LegacyWords {
  readonly positionals: readonly Word[];
  readonly flags: ReadonlyMap<string, Word>;
  readonly options: ReadonlyMap<Valued, Word>;
  /** What follows `route|rule|tc <guest>`, untouched: it is in another program's language. */
  readonly rest?: readonly string[];
}

/** Runs a parser on a word; its refusal says which word it was. */
export function placed<T>({ at }: Word, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof PipeworkError)) throw error;
    throw new PipeworkError({
      code: error.code,
      message: `word ${at}: ${error.message}`,
      hint: error.hint,
      cause: error,
    });
  }
}

/** A refusal of one word. */
export function refuseWord({ text, at }: Word, why: string, hint?: string): PipeworkError {
  return invalid(`word ${at}, ${JSON.stringify(text)}: ${why}`, hint);
}

function unknownOption(word: Word): PipeworkError {
  const known = [...Object.keys(valued), ...Object.keys(flags)];
  const near = word.text.startsWith("--")
    ? suggest(
        word.text,
        known.filter((option) => option.startsWith("--")),
      )
    : undefined;
  return refuseWord(
    word,
    "unknown option",
    near === undefined ? `the options are ${known.join(" ")}` : `did you mean ${near}?`,
  );
}

/**
 * Sorts the words: options may stand anywhere, `--` ends them, and everything behind `route|rule|tc <guest>` is left
 * alone. Throws PipeworkError "invalid-request".
 * @param passesThrough whether this first word hands the rest to another program
 */
export function sortWords(words: readonly string[], passesThrough: (first: string) => boolean): LegacyWords {
  const positionals: Word[] = [];
  const given = new Map<string, Word>();
  const options = new Map<Valued, Word>();
  let ended = false;
  for (let i = 0; i < words.length; i++) {
    const word: Word = { text: words[i] as string, at: i + 1 };
    if (ended || !word.text.startsWith("-") || word.text === "-") {
      positionals.push(word);
      if (positionals.length === 2 && passesThrough((positionals[0] as Word).text)) {
        return { positionals, flags: given, options, rest: words.slice(i + 1) };
      }
      continue;
    }
    if (word.text === "--") {
      ended = true;
      continue;
    }
    const flag = Object.hasOwn(flags, word.text) ? flags[word.text] : undefined;
    if (flag !== undefined) {
      given.set(flag, word);
      continue;
    }
    const inline = word.text.startsWith("--timeout=");
    const name = inline ? "--timeout" : word.text;
    if (!Object.hasOwn(valued, name)) throw unknownOption(word);
    const { key, takes } = valued[name as keyof typeof valued];
    const value = inline ? { text: word.text.slice(name.length + 1), at: word.at } : { text: words[++i], at: i + 1 };
    if (value.text === undefined || value.text === "" || value.text.startsWith("-")) {
      throw refuseWord(word, `${name} needs ${takes} after it`);
    }
    const before = options.get(key);
    if (before !== undefined && before.text !== value.text) {
      throw refuseWord(
        word,
        `${name} is given twice, as ${JSON.stringify(before.text)} and as ${JSON.stringify(value.text)}`,
      );
    }
    options.set(key, value as Word);
  }
  return { positionals, flags: given, options };
}
