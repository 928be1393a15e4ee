import type { LiveGuest } from "./guests/guest.js";
import type { Instance } from "./instance.js";
import { type JsonFields, jsonText, plainData } from "./iproute/json.js";
import type { Options } from "./iproute/option.js";
import type { Printout } from "./iproute/printout.js";
import { splitLine, Words } from "./iproute/words.js";
import { invalid } from "./values/error.js";

/** One line of words, or several as one transaction; a line is a text, or its words. */
export type Lines = string | readonly (string | readonly string[])[];

export interface WordsOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for the guest, the engine and the lock, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Number of the first word, where others stand before it on a command line. Default 1. */
  readonly firstWord?: number | undefined;
}

/** What lines of words came to. */
export interface WordsResult {
  /** What iproute2 would have printed: in words, or with -j in JSON. Empty where nothing is shown. */
  readonly output: string;
  /** The same as objects, with the names that `ip -j` gives their fields. */
  readonly objects: readonly unknown[];
  readonly warnings: readonly string[];
}

/** The lines as readers of their words. Throws PipeworkError "invalid-request". */
export function readLines(lines: Lines, { firstWord }: WordsOptions): Words[] {
  const all = typeof lines === "string" ? [lines] : lines;
  if (all.length === 0) throw invalid("there is no line of words");
  return all.map((line, i) => {
    const place = all.length === 1 ? {} : { line: i + 1 };
    const texts = typeof line === "string" ? splitLine(line) : line;
    return new Words(texts, { ...place, ...(firstWord === undefined ? {} : { first: firstWord }) });
  });
}

/** Gathers what the lines show. */
export class Shown {
  #output = "";
  readonly #objects: unknown[] = [];
  readonly warnings: string[] = [];

  /** Objects of one line, each a line of text. */
  add(printed: readonly Printout[], { json, pretty }: Options): void {
    const fields: JsonFields[] = printed.map((one) => one.json);
    this.#objects.push(...fields.map(plainData));
    if (json) this.#output += jsonText(fields, { pretty });
    else for (const { text } of printed) this.#output += `${text}\n`;
  }

  say(text: string): void {
    this.#output += text;
  }

  result(): WordsResult {
    return { output: this.#output, objects: this.#objects, warnings: this.warnings };
  }
}

/** Commands that read before and after those that change something. Throws where they are mixed. */
export function inOrder<C>(
  commands: readonly C[],
  changes: (command: C) => boolean,
): { before: C[]; changing: C[]; after: C[] } {
  const first = commands.findIndex(changes);
  if (first < 0) return { before: [...commands], changing: [], after: [] };
  const end = commands.findLastIndex(changes) + 1;
  const changing = commands.slice(first, end);
  const between = changing.findIndex((command) => !changes(command));
  if (between >= 0)
    throw invalid(
      `line ${first + between + 1} shows something between lines that change something, and those run as one`,
      "let it stand before or behind them",
    );
  return { before: commands.slice(0, first), changing, after: commands.slice(end) };
}

/** Opens the guest for the time of some work. */
export async function inGuest<T>(
  instance: Instance,
  ref: string,
  { signal, timeoutMs }: WordsOptions,
  work: (guest: LiveGuest) => Promise<T>,
): Promise<T> {
  const guest = await instance.resolve(ref, { timeoutMs, signal });
  try {
    return await work(guest);
  } finally {
    guest.close();
  }
}
