/**
 * The words that may stand at one place, as iproute2 reads them: some only whole, some by any beginning, and where a
 * beginning fits several, the first of them. Their order is therefore part of the grammar.
 */
export interface Vocabulary<K extends string> {
  /** Full spellings, for "did you mean". */
  readonly spellings: readonly string[];
  /** What the word means, or undefined. */
  find(text: string): K | undefined;
}

/**
 * Built from a literal `meaning: spellings`; a spelling that ends with `*` may be shortened to any beginning:
 * `vocabulary({ dev: ["dev", "oif"], metric: ["metric*", "priority*"] })`.
 */
export function vocabulary<const T extends Readonly<Record<string, string | readonly string[]>>>(
  words: T,
): Vocabulary<keyof T & string> {
  const entries = Object.entries(words).flatMap(([meaning, spellings]) =>
    (typeof spellings === "string" ? [spellings] : spellings).map((spelling) => {
      const shortens = spelling.endsWith("*");
      return { meaning: meaning as keyof T & string, spelling: shortens ? spelling.slice(0, -1) : spelling, shortens };
    }),
  );
  return {
    spellings: entries.map(({ spelling }) => spelling),
    find: (text) =>
      text === ""
        ? undefined
        : entries.find(({ spelling, shortens }) => spelling === text || (shortens && spelling.startsWith(text)))
            ?.meaning,
  };
}
