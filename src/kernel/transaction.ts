import { mkdirSync } from "node:fs";
import type { Message } from "../netlink/message.js";
import { encode } from "../netlink/nouns.js";
import type { Side } from "../plan/step.js";
import { PipeworkError } from "../values/error.js";
import { sideIndex } from "./assemble.js";
import { errnoName, errnoText } from "./errno.js";
import type {
  NativeAnswer,
  NativeError,
  NativeExpect,
  NativeInstruction,
  NativeNetns,
  NativeQuery,
  NativeReport,
  NativeRunner,
  NativeTransaction,
} from "./native.js";

/** A read to be done on one side. */
export interface Ask {
  readonly netns: Side;
  readonly message: Message;
  /** Of a dump, the messages that have one of these values at that byte offset; the others are not even copied. */
  readonly keep?: { readonly offset: number; readonly value: Uint8Array };
}

export type Answer = NativeAnswer;

export interface LockOptions {
  /** Directory of the lock and the records, made when missing. */
  readonly runDir: string;
  readonly timeoutMs: number;
  /** Ends the wait for the lock. */
  readonly signal?: AbortSignal | undefined;
}

/** How long one wait for the lock may be before the signal is looked at, in milliseconds. */
const LOCK_SLICE = 100;

/** A program for guessed answers, one expectation per question. */
export interface Guess {
  readonly expects: readonly (NativeExpect | undefined)[];
  readonly program: NativeInstruction[];
  readonly slots: number[];
}

/** What beginning came to: an open transaction with its first answers, or, the guess having held, the report of its program. */
export type Begun =
  | { readonly transaction: Transaction; readonly answers: Answer[]; readonly report?: undefined }
  | { readonly transaction?: undefined; readonly answers: Answer[]; readonly report: NativeReport };

export function nativeQueries(
  asks: readonly Ask[],
  expects: readonly (NativeExpect | undefined)[] = [],
): NativeQuery[] {
  return asks.map(({ netns, message, keep }, i) => {
    const query: NativeQuery = { netns: sideIndex[netns], message: encode(message).bytes };
    const expect = expects[i];
    if (expect !== undefined) query.expect = expect;
    if (keep !== undefined) query.keep = keep;
    return query;
  });
}

/** Turns what the addon throws into the one error type. */
export function fromNative(error: unknown, doing: string): PipeworkError {
  if (error instanceof PipeworkError) return error;
  const { reason, errno, syscall, message } = error as NativeError;
  if (reason === "lock-timeout") {
    return new PipeworkError({
      code: "lock-timeout",
      message: `${doing}: another pipework holds the lock`,
      hint: "it is held for about a millisecond per interface; see what `pipework` processes are stuck, or raise --timeout",
      cause: error,
    });
  }
  if (reason === "closed" || reason === "stopping")
    return new PipeworkError({ code: "closed", message: `${doing}: this instance is closed`, cause: error });
  if (errno !== undefined) {
    const denied = errnoName(errno) === "EPERM" || errnoName(errno) === "EACCES";
    return new PipeworkError({
      code: denied ? "not-permitted" : "kernel-refused",
      message: `${doing}: ${syscall === undefined ? "" : `${syscall}: `}${errnoText(errno)} (${errnoName(errno)})`,
      hint: denied ? "run it as root: CAP_NET_ADMIN and CAP_SYS_ADMIN are needed" : undefined,
      errno,
      errnoName: errnoName(errno),
      kernelText: errnoText(errno),
      cause: error,
    });
  }
  return new PipeworkError({ code: "internal", message: `${doing}: ${message}`, cause: error });
}

/** Sockets in both namespaces and, for changes, the lock: from the first view to the last ack. */
export class Transaction {
  readonly #runner: NativeRunner;
  readonly #native: NativeTransaction;
  readonly #namespaces: readonly (NativeNetns | null)[];
  #ended = false;

  private constructor(runner: NativeRunner, native: NativeTransaction, namespaces: readonly (NativeNetns | null)[]) {
    this.#runner = runner;
    this.#native = native;
    this.#namespaces = namespaces;
  }

  /** One hop to the namespace thread: sockets, lock, first reads. A null namespace is the one this process is in. */
  static async begin(
    runner: NativeRunner,
    namespaces: readonly (NativeNetns | null)[],
    asks: readonly Ask[],
    lock: LockOptions | undefined,
  ): Promise<{ transaction: Transaction; answers: Answer[] }> {
    const begun = await Transaction.#begin(runner, namespaces, asks, lock, undefined);
    if (begun.transaction === undefined) throw new Error("a program ran that nobody guessed");
    return begun;
  }

  /** The same with a program that runs in the same hop when every answer is as guessed. */
  static attempt(
    runner: NativeRunner,
    namespaces: readonly (NativeNetns | null)[],
    asks: readonly Ask[],
    lock: LockOptions,
    guess: Guess,
  ): Promise<Begun> {
    return Transaction.#begin(runner, namespaces, asks, lock, guess);
  }

  static async #begin(
    runner: NativeRunner,
    namespaces: readonly (NativeNetns | null)[],
    asks: readonly Ask[],
    lock: LockOptions | undefined,
    guess: Guess | undefined,
  ): Promise<Begun> {
    const deadline = lock === undefined ? 0 : Date.now() + lock.timeoutMs;
    const locked = lock === undefined ? {} : { lockPath: `${lock.runDir}/lock`, lockTimeoutMs: lock.timeoutMs };
    const guessed = guess === undefined ? {} : { guess: { program: guess.program, slots: guess.slots } };
    const options = {
      namespaces: [...namespaces],
      ...locked,
      queries: nativeQueries(asks, guess?.expects),
      ...guessed,
    };
    const once = async (): Promise<Begun> => {
      const { transaction, answers, report } = await runner.begin(options);
      return report === undefined
        ? { transaction: new Transaction(runner, transaction as NativeTransaction, namespaces), answers }
        : { answers, report };
    };
    const begin = async (): Promise<Begun> => {
      if (lock?.signal === undefined) return once();
      for (;;) {
        options.lockTimeoutMs = Math.max(0, Math.min(LOCK_SLICE, deadline - Date.now()));
        try {
          return await once();
        } catch (error) {
          if ((error as NativeError).reason !== "lock-timeout" || Date.now() >= deadline) throw error;
          if (lock.signal.aborted)
            throw new PipeworkError({
              code: "aborted",
              message: "aborted while another pipework held the lock; nothing was changed",
              cause: lock.signal.reason,
            });
        }
      }
    };
    try {
      return await begin();
    } catch (error) {
      // The directory is gone after a boot, and is there in all other runs: asking first would cost each of them.
      const missing =
        lock !== undefined &&
        (error as NativeError).errno !== undefined &&
        errnoName((error as NativeError).errno as number) === "ENOENT";
      if (!missing) throw fromNative(error, "reading the interfaces");
    }
    mkdirSync((lock as LockOptions).runDir, { recursive: true, mode: 0o700 });
    try {
      return await begin();
    } catch (error) {
      throw fromNative(error, "reading the interfaces");
    }
  }

  async ask(asks: readonly Ask[]): Promise<Answer[]> {
    if (asks.length === 0) return [];
    try {
      return await this.#runner.query(this.#native, nativeQueries(asks));
    } catch (error) {
      throw fromNative(error, "reading the interfaces");
    }
  }

  /** A setting below /proc/sys/net, such as ipv4/conf/eth0/rp_filter; undefined where there is none of that name. */
  async sysctl(netns: Side, key: string): Promise<string | undefined> {
    try {
      return (await this.#runner.readSysctl(this.#namespaces[sideIndex[netns]] ?? null, `/proc/sys/net/${key}`)).trim();
    } catch (error) {
      const { errno } = error as NativeError;
      if (errno !== undefined && errnoName(errno) === "ENOENT") return undefined;
      throw fromNative(error, `reading ${key}`);
    }
  }

  /** Runs a program and ends the transaction. */
  async run(instructions: NativeInstruction[], slots: number[]): Promise<NativeReport> {
    try {
      const report = await this.#runner.run(this.#native, instructions, slots);
      this.#ended = true;
      return report;
    } catch (error) {
      await this.end();
      throw fromNative(error, "running the plan");
    }
  }

  /** Ends without running anything; harmless when it has ended. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#runner.end(this.#native);
  }
}
