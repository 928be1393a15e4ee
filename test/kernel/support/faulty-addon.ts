import type {
  NativeAddon,
  NativeBeginOptions,
  NativeBegun,
  NativeInstruction,
  NativeReport,
  NativeTransaction,
} from "../../../src/kernel/native.js";
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
  /** How many of them were run because all was found as guessed. */
  guesses = 0;
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
      Runner: class extends Runner {
        override async begin(options: NativeBeginOptions): Promise<NativeBegun> {
          const { tamper, ended } = faulty;
          const { guess } = options;
          const tampered =
            guess === undefined || tamper === undefined
              ? options
              : { ...options, guess: { ...guess, program: tamper(guess.program) } };
          const begun = await super.begin(tampered);
          if (begun.report === undefined || guess === undefined) return begun;
          faulty.programs.push(guess.program);
          faulty.guesses++;
          faulty.tamper = undefined;
          if (tamper !== undefined) ended?.();
          return begun;
        }

        override async run(
          transaction: NativeTransaction,
          program: NativeInstruction[],
          slots: number[],
          keep = false,
        ): Promise<NativeReport> {
          faulty.programs.push(program);
          const { tamper, ended } = faulty;
          faulty.tamper = undefined;
          if (tamper === undefined) return super.run(transaction, program, slots, keep);
          const report = await super.run(transaction, tamper(program), slots, ended !== undefined);
          ended?.();
          return report;
        }
      },
    };
  }
}
