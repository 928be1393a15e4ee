import type { Family } from "../values/ipaddress.js";
import { vocabulary } from "./vocabulary.js";
import type { Words } from "./words.js";

/** What the options in front of iproute2's words say. */
export interface Options {
  readonly family?: Family;
  readonly json: boolean;
  readonly pretty: boolean;
  readonly details: boolean;
  /** How often -s is given. */
  readonly stats: number;
  readonly oneline: boolean;
  /** Numbers instead of the names of types, tables, protocols... */
  readonly numeric: boolean;
}

export const plain: Options = {
  json: false,
  pretty: false,
  details: false,
  stats: 0,
  oneline: false,
  numeric: false,
};

const options = vocabulary({
  loops: "-loops*",
  family: "-family*",
  inet: "-4",
  inet6: "-6",
  packet: "-0",
  mpls: "-M",
  bridge: "-B",
  human: ["-human*", "-human-readable*"],
  iec: "-iec*",
  stats: ["-stats*", "-statistics*"],
  details: "-details*",
  resolve: "-resolve*",
  oneline: "-oneline*",
  timestamp: "-timestamp*",
  tshort: "-tshort*",
  version: "-Version*",
  force: "-force*",
  batch: "-batch*",
  brief: "-brief*",
  json: "-json*",
  pretty: "-pretty*",
  rcvbuf: "-rcvbuf*",
  help: "-help*",
  netns: "-netns*",
  numeric: "-Numeric*",
  all: "-all*",
});

const families = vocabulary({ inet: "inet", inet6: "inet6" });

/** Why an option of `ip` says nothing here. */
const refused: Readonly<Record<string, string>> = {
  packet: "routes and rules are of inet or inet6",
  mpls: "routes and rules are of inet or inet6",
  bridge: "routes and rules are of inet or inet6",
  resolve: "addresses are not looked up in the DNS",
  timestamp: "only `ip monitor` has times",
  tshort: "only `ip monitor` has times",
  version: "this is pipework, and the words alone are iproute2's",
  force: "several lines are one transaction: all of them hold or none",
  batch: "several lines are a transaction of the library, and on the command line a command each",
  help: "the words are those of ip-route(8) and ip-rule(8)",
  netns: "the guest says which namespace it is",
  all: "one guest is one namespace",
};

/** Reads the options in front, by any beginning as `ip` does. Throws a refusal that names the word. */
export function readOptions(words: Words): Options {
  let read = plain;
  for (;;) {
    const word = words.peek();
    if (word === undefined || !word.text.startsWith("-")) return read;
    words.take();
    const text = word.text.startsWith("--") ? word.text.slice(1) : word.text;
    // `-c` and `-color`, with a value after an equals sign.
    if (/^-c(o(l(o(r(=.*)?)?)?)?)?$/.test(text)) continue;
    const option = text === "-" ? undefined : options.find(text);
    if (option === undefined) throw words.unknown(word, options.spellings, "is no option of ip");
    const why = refused[option];
    if (why !== undefined) throw words.refuse(word, `means nothing here: ${why}`);
    switch (option) {
      case "inet":
      case "inet6":
        read = { ...read, family: option };
        break;
      case "family":
        read = { ...read, family: words.choice(families, "an address family") };
        break;
      case "stats":
        read = { ...read, stats: read.stats + 1 };
        break;
      case "details":
      case "json":
      case "pretty":
      case "oneline":
      case "numeric":
        read = { ...read, [option]: true };
        break;
      case "loops":
      case "rcvbuf":
        words.argument("a number");
        break;
      default: // -h, -iec and -br change nothing about routes and rules.
    }
  }
}
