import type { LxcHost } from "../../../src/guests/lxc-host.js";
import { errnoNumber } from "../../../src/kernel/errno.js";
import type { NativeConversation } from "../../../src/kernel/native.js";

/** What a monitor answers: numbers of lxc_state_t are found by name. */
export interface Word {
  readonly state?: string;
  readonly pid?: number;
  readonly monitor?: number;
  readonly uid?: number;
  readonly ret?: number;
}

const STATES = ["STOPPED", "STARTING", "RUNNING", "STOPPING", "ABORTING", "FREEZING", "FROZEN", "THAWED"];

/** struct ucred and struct lxc_cmd_rsp of a 64-bit little-endian machine, written by hand. */
export function answerBytes({ monitor = 4710, uid = 0, ret = 0 }: Word, value: number): Uint8Array {
  const bytes = Buffer.alloc(28);
  bytes.writeInt32LE(monitor, 0);
  bytes.writeUInt32LE(uid, 4);
  bytes.writeInt32LE(ret, 12);
  bytes.writeBigInt64LE(BigInt(value), 20);
  return bytes;
}

/** Monitors by path of their socket. Each question is answered by what `word` says then; an errno's name is thrown. */
export class FakeMonitors {
  readonly asked: NativeConversation[] = [];
  readonly words = new Map<string, () => Word | string>();

  constructor(readonly directory: string) {}

  /** The container's monitor, at the place of its usual socket. */
  monitor(name: string, word: () => Word | string): void {
    this.words.set(`\0${this.directory}/${name}/command`, word);
  }

  /** Of questions, how many: each look is two of them. */
  get looks(): number {
    return this.asked.length / 2;
  }

  readonly host = (): LxcHost => ({
    directory: this.directory,
    converse: async (options) => {
      this.asked.push(options);
      const word = this.words.get(options.path)?.() ?? "ECONNREFUSED";
      if (typeof word === "string")
        throw Object.assign(new Error("the kernel's words"), { errno: errnoNumber(word), syscall: "connect" });
      const command = new DataView(options.payload.buffer).getInt32(0, true);
      if (command === 3) return answerBytes(word, STATES.indexOf(word.state ?? "RUNNING"));
      if (command === 4) return answerBytes(word, word.pid ?? 4711);
      throw new Error(`command ${command} is nothing that may be asked`);
    },
  });
}
