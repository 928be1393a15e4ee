import type { NativeAddon, NativeBeginOptions, NativeInstruction, NativeRunner, NativeTransaction } from "../../../src/kernel/native.js";
import { NativeOp } from "../../../src/kernel/native.js";

/** What happens to the next program that is run. */
export type Tampering = (program: NativeInstruction[]) => NativeInstruction[];

/** No rtnetlink message has this type. */
const UNKNOWN_TYPE = 0x7ff0;

/** The same instruction, made so that the kernel refuses it. */
export function refused(one: NativeInstruction): NativeInstruction {
  const { tolerate: _, optional: __, ...rest } = one;
  switch (one.op) {
    case NativeOp.netlink:
    case NativeOp.reap: {
      const message = (one.message as Uint8Array).slice();
      new DataView(message.buffer).setUint16(4, UNKNOWN_TYPE, true);
      return { ...rest, message };
    }
    case NativeOp.sysctl:
      return { ...rest, path: "/proc/sys/net/ipv6/conf/no-such-link/accept_ra" };
    case NativeOp.file:
      return { ...rest, path: "/proc/no-such-directory/record", data: "" };
    case NativeOp.identity:
      return { ...rest, path: "/proc/no-such-process/ns/net" };
  }
}

/** The real addon, whose programs can be tampered with before they are run. */
export class FaultyAddon {
  readonly #addon: NativeAddon;
  /** For the next program alone. */
  tamper: Tampering | undefined;
  /** Programs that were run, as they were handed over. */
  readonly programs: NativeInstruction[][] = [];
  /** Called when a tampered program has ended; for it the transaction is kept open, lock and all, where that is possible. */
  ended: (() => void) | undefined;

  constructor(addon: NativeAddon) {
    this.#addon = addon;
  }

  load(): NativeAddon {
    const faulty = this;
    const { Runner } = this.#addon;
    return {
      openNetns: (path) => this.#addon.openNetns(path),
      Runner: class {
        constructor() {
          const runner = new Runner();
          const run = runner.run.bind(runner);
          const begin = runner.begin.bind(runner);
          return new Proxy(runner, {
            get(target, name) {
              if (name === "begin") {
                return async (options: NativeBeginOptions) => {
                  const { tamper, ended } = faulty;
                  const { guess } = options;
                  const tampered = guess === undefined || tamper === undefined ? options : { ...options, guess: { ...guess, program: tamper(guess.program) } };
                  const begun = await begin(tampered);
                  if (begun.report === undefined || guess === undefined) return begun;
                  faulty.programs.push(guess.program);
                  faulty.tamper = undefined;
                  if (tamper !== undefined) ended?.();
                  return begun;
                };
              }
              if (name === "run") {
                return async (transaction: NativeTransaction, program: NativeInstruction[], slots: number[]) => {
                  faulty.programs.push(program);
                  const { tamper, ended } = faulty;
                  faulty.tamper = undefined;
                  if (tamper === undefined) return run(transaction, program, slots);
                  const report = await run(transaction, tamper(program), slots, ended !== undefined);
                  ended?.();
                  return report;
                };
              }
              const value = Reflect.get(target, name, target) as unknown;
              return typeof value === "function" ? value.bind(target) : value;
            },
          });
        }
      } as unknown as new () => NativeRunner,
    };
  }
}
