import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { attach } from "../../../src/attach.js";
import { detach } from "../../../src/detach.js";
import { Instance } from "../../../src/instance.js";
import {
  type NativeAddon,
  type NativeBeginOptions,
  type NativeInstruction,
  type NativeNetns,
  NativeOp,
  type NativeRunner,
} from "../../../src/kernel/native.js";
import { list } from "../../../src/list.js";
import type { AttachRequest } from "../../../src/plan/request.js";
import { PipeworkError } from "../../../src/values/error.js";

/** What the child is to do, handed over as JSON. */
export interface LeakTask {
  readonly addon: string;
  readonly host: string;
  readonly runDir: string;
  readonly guests: readonly string[];
  /** A NIC of the host side, for macvlans. */
  readonly nic: string;
  readonly warmUp: number;
  readonly cycles: number;
  readonly workers: number;
}

/** What the process holds, when nothing is under way. */
export interface Held {
  readonly descriptors: number;
  readonly threads: number;
  /** Namespaces that its threads are in. */
  readonly namespaces: string[];
  readonly rss: number;
  readonly heap: number;
}

export interface LeakAnswer {
  /** Before anything, after the warm-up, after the cycles, after the workers. */
  readonly held: readonly [Held, Held, Held, Held];
  /** Error codes of the failures, with how often each came. */
  readonly failures: Record<string, number>;
  /** Guests' namespaces that were open at the end of a cycle: the collector closes them in the end, which hides them in `held`. */
  readonly forgotten: number;
}

type Tampering = (one: NativeInstruction) => NativeInstruction;

function load(file: string): NativeAddon {
  const module = { exports: {} };
  process.dlopen(module, file, constants.dlopen.RTLD_NOW);
  return module.exports as NativeAddon;
}

/** The real addon; `tamper.once` changes the instructions of the next program, which comes by way of `run` or as a guess. */
function tamperable(
  addon: NativeAddon,
  tamper: { once?: Tampering | undefined },
  opened: Set<NativeNetns>,
): NativeAddon {
  const changed = (program: NativeInstruction[]): NativeInstruction[] => {
    const { once } = tamper;
    tamper.once = undefined;
    return once === undefined ? program : program.map(once);
  };
  const { Runner } = addon;
  return {
    openNetns: (path) => {
      const netns = addon.openNetns(path);
      opened.add(netns);
      return netns;
    },
    Runner: class {
      constructor() {
        const runner = new Runner();
        // biome-ignore lint/correctness/noConstructorReturn: a stand-in that passes everything on
        return new Proxy(runner, {
          get(target, name) {
            if (name === "run")
              return (...[transaction, program, ...more]: Parameters<NativeRunner["run"]>) =>
                target.run(transaction, changed(program), ...more);
            if (name === "begin") {
              return (options: NativeBeginOptions) => {
                const { guess } = options;
                return target.begin(
                  guess === undefined ? options : { ...options, guess: { ...guess, program: changed(guess.program) } },
                );
              };
            }
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
      }
    } as unknown as NativeAddon["Runner"],
  };
}

const MAC = [0x02, 0x70, 0x77, 0x01, 0x02, 0x03];

/** Makes that MAC a multicast one in a finished message: what no request gets past the checks. */
function multicast(one: NativeInstruction): NativeInstruction {
  if (one.message === undefined) return one;
  const message = one.message.slice();
  const at = message.findIndex((_, i) => MAC.every((byte, k) => message[i + k] === byte));
  if (at >= 0) message[at] = 0x03;
  return { ...one, message };
}

/** The guest is another one by the time the program asks. */
function gone(one: NativeInstruction): NativeInstruction {
  return one.op === NativeOp.identity ? { ...one, ino: (one.ino as number) + 1 } : one;
}

class Cycles {
  readonly failures: Record<string, number> = {};
  readonly #tamper: { once?: Tampering | undefined } = {};
  readonly #opened = new Set<NativeNetns>();
  readonly #instance: Instance;
  forgotten = 0;

  constructor(
    private readonly task: LeakTask,
    private readonly guests: readonly string[],
  ) {
    const { host, runDir, addon } = task;
    this.#instance = new Instance({ host: `netns:${host}`, runDir }, () =>
      tamperable(load(addon), this.#tamper, this.#opened),
    );
  }

  /** One attach and detach; every third time the attach is one that fails. */
  async cycle(i: number): Promise<void> {
    const guest = `netns:${this.guests[i % this.guests.length]}`;
    const request: AttachRequest = {
      guest,
      to: i % 5 === 0 ? this.task.nic : `br${i % 2}`,
      addresses: [`10.0.${i % 200}.2/24`, "2001:db8::2/64"],
      gateway: i % 2 === 0 ? `10.0.${i % 200}.1` : [],
    };
    if (i % 3 === 0) await this.#fail(i, request);
    await attach(this.#instance, request);
    await attach(this.#instance, request);
    if (i % 10 === 0) await list(this.#instance);
    await detach(this.#instance, { guest });
    for (const netns of this.#opened) {
      if (netns === this.#instance.host) continue;
      if (!netns.closed) this.forgotten++;
      this.#opened.delete(netns);
    }
  }

  async #fail(i: number, request: AttachRequest): Promise<void> {
    switch ((i / 3) % 6) {
      case 0:
        // For the kernel to refuse, when nearly all is done.
        return this.#refused("kernel-refused", { ...request, routes: ["192.168.0.0/16 via 172.31.9.9"] });
      case 1:
        return this.#refused(
          "kernel-refused",
          { ...request, to: "br0", mac: MAC.map((byte) => byte.toString(16).padStart(2, "0")).join(":") },
          multicast,
        );
      case 2:
        return this.#refused("guest-gone", request, gone);
      case 3:
        await attach(this.#instance, request);
        await this.#refused("name-taken", { ...request, to: "br2" });
        await detach(this.#instance, { guest: request.guest });
        return;
      case 4:
        return this.#refused("guest-not-found", { ...request, guest: "netns:no-such-guest" });
      default:
        return this.#refused("aborted", { ...request, signal: AbortSignal.abort() });
    }
  }

  async #refused(code: string, request: AttachRequest, tampering?: Tampering): Promise<void> {
    this.#tamper.once = tampering;
    try {
      await attach(this.#instance, request);
    } catch (error) {
      if (!(error instanceof PipeworkError) || error.code !== code) throw error;
      this.failures[code] = (this.failures[code] ?? 0) + 1;
      return;
    } finally {
      this.#tamper.once = undefined;
    }
    throw new Error(`an attach succeeded that should have been refused with ${code}`);
  }

  close(): Promise<void> {
    return this.#instance.close();
  }
}

const readable = <T>(read: () => T): T[] => {
  try {
    return [read()];
  } catch {
    // A thread that has just ended, or the descriptor of the listing itself.
    return [];
  }
};

const tasks = (): string[] => readdirSync("/proc/self/task");

/** Waits until the thread that collects late acks has ended, and with it what it kept open for them. */
async function reaped(): Promise<void> {
  const names = () =>
    tasks().flatMap((task) => readable(() => readFileSync(`/proc/self/task/${task}/comm`, "utf8").trim()));
  while (names().includes("pw-reap")) await pause(5);
}

async function held(): Promise<Held> {
  await reaped();
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await pause(20);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return {
    descriptors: readdirSync("/proc/self/fd").flatMap((fd) => readable(() => readlinkSync(`/proc/self/fd/${fd}`)))
      .length,
    threads: tasks().length,
    namespaces: [...new Set(tasks().flatMap((task) => readable(() => readlinkSync(`/proc/self/task/${task}/ns/net`))))],
    rss,
    heap: heapUsed,
  };
}

/** Two instances at once in a worker, each with a guest of its own. */
async function work(task: LeakTask, guests: readonly string[]): Promise<void> {
  const both = guests.map((guest) => new Cycles(task, [guest]));
  await Promise.all(
    both.map(async (cycles) => {
      for (let i = 0; i < 60; i++) await cycles.cycle(i);
      await cycles.close();
    }),
  );
}

function inWorker(task: LeakTask, guests: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(process.argv[1] as string, { workerData: { task, guests } });
    worker.on("error", reject);
    worker.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
  });
}

/** In a function of its own, so that the instance is there for the collector when it returns. */
async function alone(task: LeakTask): Promise<Omit<LeakAnswer, "held"> & { warm: Held; after: Held }> {
  const cycles = new Cycles(task, task.guests);
  for (let i = 0; i < task.warmUp; i++) await cycles.cycle(i);
  const warm = await held();
  for (let i = 0; i < task.cycles; i++) await cycles.cycle(i);
  const after = await held();
  await cycles.close();
  return { warm, after, failures: cycles.failures, forgotten: cycles.forgotten };
}

if (isMainThread) {
  const task = JSON.parse(process.argv[2] ?? "") as LeakTask;
  // Node opens its standard streams when they are first used, and a worker uses the main thread's.
  process.stdin.destroy();
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write("", resolve))),
  );
  const before = await held();
  const { warm, after, ...rest } = await alone(task);
  await Promise.all(
    Array.from({ length: task.workers }, (_, i) => inWorker(task, task.guests.slice(2 * i, 2 * i + 2))),
  );
  const answer: LeakAnswer = { held: [before, warm, after, await held()], ...rest };
  process.stdout.write(JSON.stringify(answer));
} else {
  const { task, guests } = workerData as { task: LeakTask; guests: string[] };
  await work(task, guests);
}
