import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { Instance } from "../../src/instance.js";
import { errnoNumber } from "../../src/kernel/errno.js";
import type { NativeAddon, NativeInstruction, NativeNetns } from "../../src/kernel/native.js";
import type { Fault } from "./fault.js";
import { FakeKernel } from "./kernel.js";
import type { FakeNamespace } from "./link.js";
import { FakeNetns } from "./netns.js";
import { FakeRunner } from "./runner.js";

/** A fake machine: a kernel, a directory for records, and an addon that works on them. */
export class FakeMachine {
  readonly kernel = new FakeKernel();
  readonly runDir = mkdtempSync(`${tmpdir()}/pipework-fake-`);
  readonly host: FakeNamespace = this.kernel.addNamespace("/run/netns/host");
  /** The one that the process itself is in, which is neither. */
  readonly own: FakeNamespace = this.kernel.addNamespace("/proc/thread-self/ns/net");
  /** Every program that was run, newest last. */
  readonly programs: NativeInstruction[][] = [];
  /** How many programs were run because the answers were as guessed. */
  guesses = 0;
  /** For the next program alone. */
  fault: Fault | undefined;
  /** Programs that were killed. */
  deaths = 0;
  #tail: Promise<void> = Promise.resolve();

  addon(): NativeAddon {
    const machine = this;
    return {
      openNetns(path: string): NativeNetns {
        const namespace = machine.kernel.namespaceAt(path);
        if (namespace === undefined)
          throw Object.assign(new Error(`open ${path}`), { errno: errnoNumber("ENOENT"), syscall: "open" });
        return new FakeNetns(machine.kernel, namespace);
      },
      Runner: class extends FakeRunner {
        constructor() {
          super(machine);
        }
      },
    };
  }

  /** A process of its own: its own instance on the same machine. */
  instance(): Instance {
    return new Instance({ host: `netns:${this.host.path}`, runDir: this.runDir }, () => this.addon());
  }

  namespaceOf(netns: NativeNetns | null): FakeNamespace {
    return netns === null ? this.host : this.kernel.namespaceOfDescriptor(netns.fd);
  }

  /** First come, first served, like the real lock's queue. */
  async lock(): Promise<() => void> {
    const before = this.#tail;
    let unlock: () => void = () => {};
    this.#tail = new Promise((resolve) => {
      unlock = resolve;
    });
    await before;
    return unlock;
  }

  died(): void {
    this.deaths++;
  }

  /** Removes its directory. */
  dispose(): void {
    rmSync(this.runDir, { recursive: true, force: true });
  }
}
