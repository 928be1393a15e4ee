import type { Shown } from "./shown.js";
import type { TcClock } from "./tc-clock.js";
import type { Words } from "./words.js";

/** What parsing and showing need to know of the machine; reading it is the caller's business. */
export interface TcContext {
  readonly clock: TcClock;
  /** The numbers of a delay distribution by its name, or why there are none. */
  readonly distribution: (name: string) => Int16Array | { readonly reason: string };
  /** Name of an interface by its index, for listings. */
  readonly linkName?: (ifindex: number) => string | undefined;
}

/** Options as the attribute table of their kind has them; which kind it is, is known where they are read. */
export type AnyOptions = object;

/** A kind of qdisc: what its words mean, and how iproute2 prints what the kernel has. */
export interface QdiscKind {
  /** The value of TCA_OPTIONS; undefined sends none. Absent: the kind takes no words. */
  readonly qdisc?: (words: Words, context: TcContext) => AnyOptions | undefined;
  /** Absent: the qdisc has no classes that could be made. */
  readonly class?: (words: Words, context: TcContext) => AnyOptions | undefined;
  readonly show?: (shown: Shown, options: never, context: TcContext) => void;
  readonly showClass?: (shown: Shown, options: never, context: TcContext) => void;
  /** The kind's own statistics, TCA_STATS_APP. */
  readonly showStats?: (shown: Shown, bytes: Uint8Array, context: TcContext) => void;
}
