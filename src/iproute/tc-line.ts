import type { AnyMessage } from "../netlink/nouns.js";
import { parseIfname } from "../values/ifname.js";
import type { Shown } from "./shown.js";
import type { TcContext } from "./tc-kind.js";
import type { Word, Words } from "./words.js";

/** An interface that a line names; its index is looked up before the line is run. */
export interface NamedLink {
  readonly name: string;
  /** The slot of the message that its index goes into. */
  readonly slot: string;
  /** A refusal for want of it. */
  readonly missing: (names: readonly string[]) => Error;
}

/** A line that changes something: one message. */
export interface TcChange {
  readonly does: "change";
  readonly object: "qdisc" | "class" | "filter" | "chain" | "action";
  readonly verb: "add" | "change" | "replace" | "link" | "del";
  readonly message: AnyMessage;
  readonly links: readonly NamedLink[];
  /** The words, for people. */
  readonly text: string;
}

/** A line that lists something: what to ask, and how to print what comes back. */
export interface TcListing {
  readonly does: "show";
  readonly message: AnyMessage;
  readonly links: readonly NamedLink[];
  readonly text: string;
  /** @param replies of the dump, back to back. @param index of the interface that the line names */
  readonly print: (shown: Shown, replies: Uint8Array, context: TcContext, index: number | undefined) => void;
  /** Printed around it: -json -pretty and so on. */
  readonly flags: Shown["flags"];
}

export type TcLine = TcChange | TcListing;

/** The interface named by the word behind the last one. */
export function linkWord(words: Words): NamedLink & { readonly word: Word } {
  const word = words.argument("the name of an interface");
  const name = words.placed(word, (text) => parseIfname(text, "interface name"));
  return {
    word,
    name,
    slot: linkSlot(name),
    missing: (names) => words.unknown(word, names, "there is no such interface in the guest"),
  };
}

export function linkSlot(name: string): string {
  return `index of ${name}`;
}
