import { invalid, PipeworkError } from "../values/error.js";
import { suggest } from "../values/suggest.js";
import type { HostLinks } from "./command-port.js";
import { commonFlags } from "./common-option.js";
import type { Invocation } from "./invocation.js";
import { parseLegacy } from "./legacy.js";
import { looksLikeAddress } from "./legacy-address.js";
import { isGuestCommand, isVerb, verbNames } from "./verb-names.js";

const withoutValue = new Set([
  ...Object.keys(commonFlags),
  "--direct-phys",
  "--force",
  "--wait",
  "--help",
  "--version",
]);

/** Whether the next word is this option's value. Of long options of either form those without one are known. */
function takesValue(option: string): boolean {
  if (!option.startsWith("--")) return ["-i", "-l", "-a"].includes(option);
  return !option.includes("=") && !withoutValue.has(option);
}

/** Where the words that are neither options nor their values stand, up to `--`. */
function positionsOfPlain(words: readonly string[]): number[] {
  const positions: number[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === "--") break;
    if (!word.startsWith("-")) positions.push(i);
    else if (takesValue(word)) i++;
  }
  return positions;
}

/** Options in front of the verb, which stand behind it for the parser: `pipework --json list`. */
function leadsWithCommonOptions(words: readonly string[]): boolean {
  return words.every(
    (word, i) => Object.hasOwn(commonFlags, word) || word.startsWith("--timeout") || words[i - 1] === "--timeout",
  );
}

/**
 * Reads the command line: the form with verbs, or the legacy one when the first word is no verb of ours, names an
 * interface of the host, or has an address as third word. Throws PipeworkError.
 */
export async function readWords(words: readonly string[], links: HostLinks): Promise<Invocation> {
  const plain = positionsOfPlain(words);
  const [first] = plain;
  if (first === undefined || links.hostLinkExists(words[first] as string)) return parseLeading(words, links, first);
  const verb = words[first] as string;
  const third = plain[2];
  const legacy = third !== undefined && looksLikeAddress(words[third] as string);
  if (!isVerb(verb) || legacy || !leadsWithCommonOptions(words.slice(0, first)))
    return parseLeading(words, links, first);
  const { parseVerb } = await import("./verbs.js");
  return parseVerb([verb, ...words.slice(0, first), ...words.slice(first + 1)]);
}

/** The legacy form, unless help or the version is asked for. */
async function parseLeading(
  words: readonly string[],
  links: HostLinks,
  first: number | undefined,
): Promise<Invocation> {
  const leading = words.slice(0, first);
  if (leading.includes("--version") || leading.includes("-V")) return { kind: "version" };
  // Behind `tc <guest>` and the like stand another program's words.
  const ours = first !== undefined && isGuestCommand(words[first] as string) ? leading : words;
  if (ours.includes("--help") || ours.includes("-h")) {
    const { helpText } = await import("./help.js");
    return { kind: "help", text: helpText };
  }
  try {
    return parseLegacy(words, links);
  } catch (error) {
    throw misspeltVerb(words, links, first, error);
  }
}

/** An option of a verb tells more about what was meant than the words of the legacy form do. */
function misspeltVerb(words: readonly string[], links: HostLinks, first: number | undefined, error: unknown): unknown {
  const word = first === undefined ? undefined : (words[first] as string);
  if (!(error instanceof PipeworkError) || word === undefined || links.hostLinkExists(word)) return error;
  const near = /unknown option/.test(error.message) ? suggest(word, verbNames) : undefined;
  if (near === undefined) return error;
  return invalid(`${JSON.stringify(word)} is no command and no host interface`, `did you mean ${near}?`);
}
