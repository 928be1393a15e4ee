import { invalid, PipeworkError } from "../values/error.js";
import { suggest } from "../values/suggest.js";
import type { Vocabulary } from "./vocabulary.js";

/** A word and its place in its line, for refusals that name both. */
export interface Word {
  readonly text: string;
  readonly at: number;
}

/** Where the words of a line stand. */
export interface Place {
  /** Number of the first word; on a command line others stand before it. Default 1. */
  readonly first?: number;
  /** Number of the line, where several are one transaction. */
  readonly line?: number;
}

/**
 * Reads the words of one line from left to right. Every refusal is a PipeworkError "invalid-request" that names the word
 * and its place.
 */
export class Words {
  readonly #texts: readonly string[];
  readonly #place: Place;
  #next = 0;

  constructor(texts: readonly string[], place: Place = {}) {
    this.#texts = texts;
    this.#place = place;
  }

  get done(): boolean {
    return this.#next >= this.#texts.length;
  }

  #word(index: number): Word | undefined {
    const text = this.#texts[index];
    return text === undefined ? undefined : { text, at: (this.#place.first ?? 1) + index };
  }

  /** The next word, left where it is. */
  peek(): Word | undefined {
    return this.#word(this.#next);
  }

  /** The next word; undefined at the end. */
  take(): Word | undefined {
    const word = this.#word(this.#next);
    if (word !== undefined) this.#next++;
    return word;
  }

  /** The texts from the next word on, left where they are. */
  get rest(): readonly string[] {
    return this.#texts.slice(this.#next);
  }

  /** The word before the next one. */
  get last(): Word | undefined {
    return this.#word(this.#next - 1);
  }

  /** Puts the last word back. */
  back(): void {
    if (this.#next > 0) this.#next--;
  }

  /**
   * The word that must follow the last one.
   * @param what it takes, for the refusal: "a number"
   */
  argument(what: string): Word {
    const word = this.take();
    if (word !== undefined && word.text !== "") return word;
    const { last } = this;
    if (word === undefined)
      throw last === undefined ? invalid(`${what} is missing`) : this.refuse(last, `${what} is missing behind it`);
    throw this.refuse(word, `an empty word where ${what} is expected`);
  }

  /** Takes the next word when it is one of these, by whole word or beginning; leaves it otherwise. */
  keyword<K extends string>(vocabulary: Vocabulary<K>): K | undefined {
    const word = this.peek();
    const found = word === undefined ? undefined : vocabulary.find(word.text);
    if (found !== undefined) this.#next++;
    return found;
  }

  /** Takes the next word when it is exactly this one. */
  literal(text: string): boolean {
    if (this.peek()?.text !== text) return false;
    this.#next++;
    return true;
  }

  /** The word behind the last one, which must be one of these. */
  choice<K extends string>(vocabulary: Vocabulary<K>, what: string): K {
    const word = this.argument(what);
    const found = vocabulary.find(word.text);
    if (found === undefined) throw this.unknown(word, vocabulary.spellings, `is not ${what}`);
    return found;
  }

  /** Refuses whatever is left. */
  end(): void {
    const word = this.peek();
    if (word !== undefined) throw this.refuse(word, "one word too many");
  }

  /** A refusal of one word. */
  refuse({ text, at }: Word, why: string, hint?: string): PipeworkError {
    return invalid(`${this.#where(at)}, ${JSON.stringify(text)}: ${why}`, hint);
  }

  /** A refusal of a word that is none of those known, with the nearest of them. */
  unknown(word: Word, known: readonly string[], why: string): PipeworkError {
    const near = suggest(word.text, known);
    const few = [...new Set(known)];
    const hint =
      near !== undefined ? `did you mean ${near}?` : few.length > 0 ? `known are ${few.join(" ")}` : undefined;
    return this.refuse(word, why, hint);
  }

  /** Runs a parser on a word; its refusal gets the word's place. */
  placed<T>(word: Word, parse: (text: string) => T): T {
    try {
      return parse(word.text);
    } catch (error) {
      if (!(error instanceof PipeworkError)) throw error;
      const { code, message, hint } = error;
      throw new PipeworkError({ code, message: `${this.#where(word.at)}: ${message}`, hint, cause: error });
    }
  }

  #where(at: number): string {
    const { line } = this.#place;
    return `${line === undefined ? "" : `line ${line}, `}word ${at}`;
  }
}

/**
 * The words of a line as `ip -batch` splits it: at blanks, quotes holding words together, `#` beginning a comment.
 * Throws PipeworkError "invalid-request" for a quote that is not closed.
 */
export function splitLine(text: string): string[] {
  const words: string[] = [];
  const pattern = /\s*(?:#.*|"([^"]*)"|'([^']*)'|([^\s"'#][^\s]*)|(["'].*))/gy;
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) return words;
    const [, double, single, plain, open] = match;
    if (open !== undefined) throw invalid(`${JSON.stringify(open)}: the quote is not closed`);
    const word = double ?? single ?? plain;
    if (word !== undefined) words.push(word);
  }
}
