import { existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { errnoNumber } from "../../src/kernel/errno.js";
import type {
  NativeAnswer,
  NativeBeginOptions,
  NativeBegun,
  NativeInstruction,
  NativeNetns,
  NativeQuery,
  NativeReport,
  NativeRunner,
  NativeTransaction,
} from "../../src/kernel/native.js";
import { Killed } from "./fault.js";
import type { FakeNamespace } from "./link.js";
import type { FakeMachine } from "./machine.js";
import { FakeNetns } from "./netns.js";
import { Execution, expected } from "./program.js";

interface Open {
  readonly namespaces: readonly FakeNamespace[];
  readonly unlock: () => void;
}

/** The addon's runner without threads: everything happens at the call, and the answer comes in a later turn. */
export class FakeRunner implements NativeRunner {
  readonly #machine: FakeMachine;
  readonly #open = new Map<number, Open>();
  #nextId = 1;
  #closed = false;

  constructor(machine: FakeMachine) {
    this.#machine = machine;
  }

  async begin(options: NativeBeginOptions): Promise<NativeBegun> {
    if (this.#closed) throw Object.assign(new Error("closed"), { reason: "closed" });
    const { lockPath } = options;
    if (lockPath !== undefined) {
      if (!existsSync(dirname(lockPath)))
        throw Object.assign(new Error(`open ${lockPath}`), { errno: errnoNumber("ENOENT"), syscall: "open" });
      writeFileSync(lockPath, "");
    }
    const unlock = lockPath === undefined ? () => {} : await this.#machine.lock();
    const namespaces = options.namespaces.map((one) => this.#machine.namespaceOf(one));
    const transaction = { id: this.#nextId++ };
    this.#open.set(transaction.id, { namespaces, unlock });
    const answers = this.#ask(transaction, options.queries);
    const { guess, queries } = options;
    if (guess !== undefined && queries.every((query, i) => expected(query, answers[i] as NativeAnswer))) {
      this.#machine.guesses++;
      return { answers, report: await this.run(transaction, guess.program, guess.slots) };
    }
    return { transaction, answers };
  }

  #of(transaction: NativeTransaction): Open {
    const open = this.#open.get(transaction.id);
    if (open === undefined) throw Object.assign(new Error("the transaction has ended"), { reason: "closed" });
    return open;
  }

  #ask(transaction: NativeTransaction, queries: readonly NativeQuery[]): NativeAnswer[] {
    const { namespaces } = this.#of(transaction);
    return queries.map(({ netns, message }) =>
      this.#machine.kernel.request(namespaces[netns] as FakeNamespace, message.slice()),
    );
  }

  async query(transaction: NativeTransaction, queries: NativeQuery[]): Promise<NativeAnswer[]> {
    return this.#ask(transaction, queries);
  }

  async run(
    transaction: NativeTransaction,
    program: NativeInstruction[],
    slots: number[],
    keep = false,
  ): Promise<NativeReport> {
    const { namespaces } = this.#of(transaction);
    const { fault } = this.#machine;
    if (fault !== undefined) this.#machine.fault = undefined;
    this.#machine.programs.push(program);
    try {
      return new Execution(this.#machine.kernel, namespaces, program, slots, fault).run();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      // The kernel lets go of a dead process's lock and sockets; its promise never settles in a way that runs more of it.
      this.#machine.died();
      throw error;
    } finally {
      if (!keep) await this.end(transaction);
    }
  }

  async end(transaction: NativeTransaction): Promise<void> {
    this.#open.get(transaction.id)?.unlock();
    this.#open.delete(transaction.id);
  }

  async createNetns(): Promise<NativeNetns> {
    const { kernel } = this.#machine;
    return new FakeNetns(kernel, kernel.addNamespace(`/anonymous/${kernel.namespaces.length}`));
  }

  async readSysctl(netns: NativeNetns | null, path: string): Promise<string> {
    return this.#machine.kernel.readSysctl(this.#machine.namespaceOf(netns), path);
  }

  async converse(): Promise<Uint8Array> {
    throw new Error("a fake machine has no engine");
  }

  async exchange(): Promise<Uint8Array | null> {
    return null;
  }

  async watch(): Promise<never> {
    throw new Error("a fake machine sends no notices");
  }

  async look(): Promise<null> {
    return null;
  }

  async unwatch(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed = true;
  }
}
