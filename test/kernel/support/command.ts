import { constants } from "node:os";
import { Instance } from "../../../src/instance.js";
import type { NativeAddon } from "../../../src/kernel/native.js";
import { PipeworkError } from "../../../src/values/error.js";
import { FaultyAddon } from "./faulty-addon.js";
import { type Act, perform } from "./scenario-act.js";

/** What a process of its own is to do, handed over as JSON. */
export interface CommandTask {
  readonly addon: string;
  readonly host: string;
  readonly runDir: string;
  readonly guest: string;
  readonly act: Act;
  /** Carry out this many instructions, then die by SIGKILL with the lock in hand. Absent: all, and live. */
  readonly killAt?: number;
}

/** What it said on its standard output, as JSON. */
export interface CommandAnswer {
  readonly outcome?: string;
  readonly error?: Record<string, unknown>;
}

function load(file: string): NativeAddon {
  const module = { exports: {} };
  process.dlopen(module, file, constants.dlopen.RTLD_NOW);
  return module.exports as NativeAddon;
}

const task = JSON.parse(process.argv[2] ?? "") as CommandTask;
const faulty = new FaultyAddon(load(task.addon));
const { killAt } = task;
if (killAt !== undefined) {
  faulty.tamper = (program) => program.slice(0, killAt);
  faulty.ended = () => process.kill(process.pid, "SIGKILL");
}
const instance = new Instance({ host: `netns:${task.host}`, runDir: task.runDir }, () => faulty.load());
let answer: CommandAnswer;
try {
  answer = { outcome: await perform(instance, task.guest, task.act) };
} catch (error) {
  answer = { error: error instanceof PipeworkError ? error.toJSON() : { message: String(error) } };
}
process.stdout.write(JSON.stringify(answer));
await instance.close();
