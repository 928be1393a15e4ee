import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { errnoNumber } from "../../src/kernel/errno.js";
import {
  type NativeAnswer,
  type NativeInstruction,
  type NativeMatch,
  NativeOp,
  type NativeQuery,
  type NativeReport,
  type NativeResult,
} from "../../src/kernel/native.js";
import { splitMessages } from "../../src/netlink/message.js";
import { attributeAt } from "./attribute.js";
import { type Fault, Killed } from "./fault.js";
import type { FakeKernel } from "./kernel.js";
import type { FakeNamespace } from "./link.js";
import { Refusal } from "./refusal.js";

const NLMSG_HEADER = 16;

interface Outcome {
  errno: number;
  text?: string;
  skipped?: boolean;
  /** It failed, and may have been done all the same. */
  unknown?: boolean;
  reply?: Uint8Array;
  met?: boolean;
}

/** Whether an answer is as it was guessed to be. */
export function expected(query: NativeQuery, answer: NativeAnswer): boolean {
  const { expect } = query;
  if (expect === undefined) return true;
  if (answer.errno !== (expect.errno ?? 0)) return false;
  const replies = [...splitMessages(answer.replies)];
  const [first] = replies;
  const { words = [], where = [], none } = expect;
  for (let i = 0; i < words.length; i += 3) {
    const [offset, mask, value] = words.slice(i, i + 3) as [number, number, number];
    if (first === undefined || (first.u32(offset) & mask) >>> 0 !== value) return false;
  }
  if (where.length > 0 && (first === undefined || !where.every((match) => holds(match, first.bytes)))) return false;
  return none === undefined || replies.every((reply) => reply.u8(none[0]) !== none[1]);
}

function holds(match: NativeMatch, message: Uint8Array): boolean {
  const payload = attributeAt(message, NLMSG_HEADER + match.header, match.path);
  return payload !== undefined && Buffer.from(payload).equals(Buffer.from(match.value));
}

function firstFitting(replies: Uint8Array, where: readonly NativeMatch[] = []): Uint8Array | undefined {
  for (const { bytes } of splitMessages(replies)) if (where.every((match) => holds(match, bytes))) return bytes;
  return undefined;
}

/** One run of a program with the semantics that src/kernel/native.ts gives its fields. */
export class Execution {
  readonly #kernel: FakeKernel;
  readonly #namespaces: readonly FakeNamespace[];
  readonly #program: readonly NativeInstruction[];
  readonly #slots: number[];
  readonly #fault: Fault | undefined;
  /** What a sysctl or a file held before, by instruction. */
  readonly #before = new Map<number, string | null>();

  constructor(
    kernel: FakeKernel,
    namespaces: readonly FakeNamespace[],
    program: readonly NativeInstruction[],
    slots: readonly number[],
    fault?: Fault,
  ) {
    this.#kernel = kernel;
    this.#namespaces = namespaces;
    this.#program = program;
    this.#slots = [...slots];
    this.#fault = fault;
  }

  run(): NativeReport {
    const results: NativeResult[] = [];
    const done = new Set<number>();
    const report = (more: Partial<NativeReport>): NativeReport => ({
      ok: true,
      results,
      slots: this.#slots,
      undone: [],
      ...more,
    });
    for (const [index, one] of this.#program.entries()) {
      const outcome = this.#faulty(index, one);
      if (outcome === undefined) continue;
      const { unknown = false, ...result } = outcome;
      results.push(result);
      if ((outcome.errno === 0 && outcome.skipped !== true) || unknown) done.add(index);
      const tolerated = !unknown && (one.tolerate ?? []).includes(outcome.errno);
      if (outcome.errno === 0 || one.optional === true || tolerated) continue;
      const { errno, text } = outcome;
      return report({
        ok: false,
        failed: { index, errno, ...(text === undefined ? {} : { text }) },
        undone: this.#undo(done),
      });
    }
    if (this.#fault?.kind === "kill" && this.#fault.at >= this.#program.length) throw new Killed();
    if (this.#fault?.kind === "only") throw new Killed();
    return report(this.#program.at(-1)?.op === NativeOp.reap ? { via: "notice" } : {});
  }

  #faulty(index: number, one: NativeInstruction): Outcome | undefined {
    const fault = this.#fault;
    if (fault?.kind === "kill" && index === fault.at) throw new Killed();
    if (fault?.kind === "only" && !fault.which.has(index)) return undefined;
    if (fault?.kind === "refuse" && index === fault.at) return { errno: errnoNumber("EIO"), text: "injected fault" };
    if (fault?.kind === "lose-request" && index === fault.at) return { errno: errnoNumber("ENOBUFS"), unknown: true };
    const outcome = this.#execute(one, index);
    if (fault?.kind === "lose-ack" && index === fault.at)
      return { ...outcome, errno: errnoNumber("ENOBUFS"), unknown: true };
    return outcome;
  }

  #undo(done: ReadonlySet<number>): NativeReport["undone"] {
    const undone: NativeReport["undone"] = [];
    for (let index = this.#program.length - 1; index >= 0; index--) {
      if (!done.has(index)) continue;
      const one = this.#program[index] as NativeInstruction;
      const own = one.undo ?? this.#builtin(index, one);
      for (const [position, inverse] of own.entries()) {
        const { errno, text, skipped, unknown = false } = this.#execute(inverse);
        const silent = inverse.optional === true || (!unknown && (inverse.tolerate ?? []).includes(errno));
        undone.push({
          index,
          position,
          errno: silent ? 0 : errno,
          ...(text === undefined ? {} : { text }),
          ...(skipped === undefined ? {} : { skipped }),
        });
      }
    }
    return undone;
  }

  #builtin(index: number, one: NativeInstruction): NativeInstruction[] {
    const before = this.#before.get(index);
    if (one.noUndo === true || before === undefined) return [];
    return [{ op: one.op, netns: one.netns, path: one.path as string, data: before, noUndo: true }];
  }

  #execute(one: NativeInstruction, index?: number): Outcome {
    const slot = (number: number | undefined) => (number === undefined ? undefined : this.#slots[number]);
    if (one.unlessSlot !== undefined && slot(one.unlessSlot) !== 0) return { errno: 0, skipped: true };
    if (one.ifSlot !== undefined && slot(one.ifSlot) === 0) return { errno: 0, skipped: true };
    try {
      if (one.unlessAny !== undefined) {
        const { errno, replies } = this.#kernel.request(
          this.#ns(one),
          this.#relocated(one.unlessAny.message, one.unlessAny.relocations),
        );
        if (errno !== 0) return { errno };
        if (firstFitting(replies, one.unlessAny.where) !== undefined) return { errno: 0, skipped: true };
      }
      switch (one.op) {
        case NativeOp.netlink:
        case NativeOp.reap:
          return this.#netlink(one);
        case NativeOp.sysctl:
          return this.#sysctl(one, index);
        case NativeOp.file:
          return this.#file(one, index);
        case NativeOp.identity:
          return { errno: this.#kernel.namespaceAt(one.path as string)?.ino === one.ino ? 0 : errnoNumber("ESRCH") };
      }
    } catch (error) {
      if (error instanceof Refusal)
        return { errno: error.errno, ...(error.text === undefined ? {} : { text: error.text }) };
      throw error;
    }
  }

  #ns(one: NativeInstruction): FakeNamespace {
    return this.#namespaces[one.netns] as FakeNamespace;
  }

  #relocated(message: Uint8Array | undefined, relocations: readonly number[] = []): Uint8Array {
    const bytes = (message as Uint8Array).slice();
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < relocations.length; i += 2) {
      const value = this.#slots[relocations[i + 1] as number] as number;
      if (value === 0) throw new Refusal("EINVAL", "the slot is empty");
      view.setUint32(relocations[i] as number, value, true);
    }
    return bytes;
  }

  #netlink(one: NativeInstruction): Outcome {
    const { errno, text, replies } = this.#kernel.request(this.#ns(one), this.#relocated(one.message, one.relocations));
    if (errno !== 0) return { errno, ...(text === undefined ? {} : { text }) };
    if (one.capture !== undefined) {
      const reply = firstFitting(replies, one.capture.where);
      if (reply === undefined) return { errno: errnoNumber("ENOENT"), text: "no reply fits", unknown: true };
      this.#slots[one.capture.slot] = new DataView(reply.buffer, reply.byteOffset).getUint32(one.capture.offset, true);
      return { errno: 0, reply };
    }
    const first = one.until === undefined ? undefined : firstFitting(replies);
    return one.until === undefined || first === undefined
      ? { errno: 0 }
      : { errno: 0, reply: first, met: holds(one.until, first) };
  }

  #sysctl(one: NativeInstruction, index: number | undefined): Outcome {
    const path = one.path as string;
    const before = this.#kernel.readSysctl(this.#ns(one), path);
    this.#kernel.writeSysctl(this.#ns(one), path, one.data as string);
    if (index !== undefined) this.#before.set(index, before);
    return { errno: 0 };
  }

  #file(one: NativeInstruction, index: number | undefined): Outcome {
    const path = one.path as string;
    try {
      let before: string | null = null;
      try {
        before = readFileSync(path, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
      if (index !== undefined) this.#before.set(index, before);
      if (one.data === null || one.data === undefined) {
        rmSync(path, { force: true });
      } else {
        const beside = mkdtempSync(`${dirname(path)}/.fake-`);
        writeFileSync(`${beside}/file`, one.data, { mode: 0o600 });
        renameSync(`${beside}/file`, path);
        rmSync(beside, { recursive: true });
      }
      return { errno: 0 };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      return { errno: errnoNumber(code), text: (error as Error).message };
    }
  }
}
