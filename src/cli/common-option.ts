import { invalid } from "../values/error.js";

/** Options without a value that both forms of the command line take, under all their spellings. */
export const commonFlags = {
  "--dry-run": "dryRun",
  "--json": "json",
  "--quiet": "quiet",
  "-q": "quiet",
  "--verbose": "verbose",
  "-v": "verbose",
  "--no-announce": "noAnnounce",
  "--replace": "replace",
} as const;

export type CommonFlag = (typeof commonFlags)[keyof typeof commonFlags];

/** setTimeout counts milliseconds in 31 bits. */
const SECONDS_MAX = 2_147_483;

/** The value of --timeout, in milliseconds. Throws PipeworkError "invalid-request". */
export function parseTimeout(seconds: string): number {
  const value = /^\d+(\.\d+)?$/.test(seconds) ? Number(seconds) : Number.NaN;
  if (!(value > 0 && value <= SECONDS_MAX)) {
    throw invalid(
      `--timeout "${seconds}" is not a number of seconds`,
      `it is more than 0 and at most ${SECONDS_MAX}, such as 5 or 0.5`,
    );
  }
  return Math.max(1, Math.round(value * 1000));
}

/** Whether the words ask for JSON: needed before they are understood, since a refusal of them is JSON then too. */
export function asksJson(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? words.length : end).includes("--json");
}
