import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadAddon } from "../../../src/kernel/addon.js";
import {
  type NativeBegun,
  type NativeInstruction,
  type NativeNetns,
  NativeOp,
  type NativeQuery,
  type NativeReport,
  type NativeRunner,
  type NativeTransaction,
} from "../../../src/kernel/native.js";
import { type AnyMessage, encode } from "../../../src/netlink/nouns.js";

/** Offset of ifi_index in a link message. */
export const IFINDEX = 20;

/** Slots by the names that messages use. */
const slotNumbers: Record<string, number> = { a: 0, b: 1, c: 2 };

/** A message's bytes, and its relocations as the addon takes them. */
export function bytes(message: AnyMessage): { message: Uint8Array; relocations: number[] } {
  const encoded = encode(message);
  return {
    message: encoded.bytes,
    relocations: encoded.relocations.flatMap(({ offset, slot }) => [offset, slotNumbers[slot] as number]),
  };
}

export function step(netns: number, message: AnyMessage, more: Partial<NativeInstruction> = {}): NativeInstruction {
  return { op: NativeOp.netlink, netns, ...bytes(message), ...more };
}

export const newVeth = (ifname: string, peer: string, peerNetns?: number): AnyMessage => ({
  noun: "link",
  type: "RTM_NEWLINK",
  flags: ["NLM_F_CREATE", "NLM_F_EXCL"],
  header: {},
  attributes: {
    ifname,
    linkinfo: { kind: "veth", data: { peer: { header: {}, attributes: { ifname: peer, netNsFd: peerNetns } } } },
  },
});

export const newBridge = (ifname: string): AnyMessage => ({
  noun: "link",
  type: "RTM_NEWLINK",
  flags: ["NLM_F_CREATE", "NLM_F_EXCL"],
  header: {},
  attributes: { ifname, linkinfo: { kind: "bridge" } },
});

export const getLink = (ifname: string): AnyMessage => ({
  noun: "link",
  type: "RTM_GETLINK",
  header: {},
  attributes: { ifname },
});
export const dumpLinks: AnyMessage = {
  noun: "link",
  type: "RTM_GETLINK",
  flags: ["NLM_F_DUMP"],
  header: {},
  attributes: {},
};
export const deleteLink = (ifname: string): AnyMessage => ({
  noun: "link",
  type: "RTM_DELLINK",
  header: {},
  attributes: { ifname },
});
export const deleteSlot = (slot: string): AnyMessage => ({
  noun: "link",
  type: "RTM_DELLINK",
  header: { index: { slot } },
  attributes: {},
});

/** Captures the index of the link of that name into slot a, b or c. */
export const capture = (netns: number, ifname: string, slot: string): NativeInstruction =>
  step(netns, getLink(ifname), { capture: { slot: slotNumbers[slot] as number, offset: IFINDEX } });

/** Deletes the link in the slot, and is done when its end is announced. */
export const reap = (netns: number, slot: string): NativeInstruction => ({
  op: NativeOp.reap,
  netns,
  ...bytes(deleteSlot(slot)),
  notice: { group: 1, type: 17, offset: IFINDEX, slot: slotNumbers[slot] as number },
});

/** Two network namespaces of our own, a directory, and a runner of the real addon. */
export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), "pipework-runner-"));
  readonly lockPath = join(this.directory, "lock");
  readonly runner: NativeRunner = new (loadAddon().Runner)();
  #host: NativeNetns | undefined;
  #guest: NativeNetns | undefined;

  async open(): Promise<this> {
    this.#host = await this.runner.createNetns();
    this.#guest = await this.runner.createNetns();
    return this;
  }
  get host(): NativeNetns {
    return this.#host as NativeNetns;
  }
  get guest(): NativeNetns {
    return this.#guest as NativeNetns;
  }

  async close(): Promise<void> {
    await this.runner.close();
    this.#host?.close();
    this.#guest?.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Without a lock unless told so. */
  begin(options: { lock?: boolean; lockTimeoutMs?: number; queries?: NativeQuery[] } = {}): Promise<OpenBegun> {
    const { lock = false, lockTimeoutMs = 20_000, queries = [] } = options;
    const locking = lock ? { lockPath: this.lockPath, lockTimeoutMs } : {};
    return this.runner.begin({ namespaces: [this.host, this.guest], queries, ...locking }) as Promise<OpenBegun>;
  }

  /** A transaction of one program. */
  async run(program: NativeInstruction[], slots = [0, 0, 0]): Promise<NativeReport> {
    const { transaction } = await this.begin();
    return this.runner.run(transaction, program, slots);
  }

  /** A program by another eye, inside one of the namespaces. */
  inside(netns: NativeNetns, command: string, ...words: string[]): string {
    const { status, stdout, stderr } = spawnSync(
      "nsenter",
      [`--net=/proc/${process.pid}/fd/${netns.fd}`, command, ...words],
      { encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`${command} ${words.join(" ")}: ${stderr}`);
    return stdout;
  }

  // biome-ignore lint/suspicious/noExplicitAny: iproute2's JSON is its own
  json(netns: NativeNetns, ...words: string[]): any[] {
    return JSON.parse(this.inside(netns, "ip", "-j", ...words) || "[]");
  }

  /** Names of the links there, lo left out. */
  links(netns = this.host): string[] {
    return this.json(netns, "link")
      .map(({ ifname }) => ifname as string)
      .filter((name) => name !== "lo")
      .sort();
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), "utf8");
  }
}

/** A begin without a guess leaves its transaction open. */
export type OpenBegun = NativeBegun & { transaction: NativeTransaction };

/** Network namespaces that the threads of this process are in. */
export function threadNamespaces(): Set<string> {
  const found = new Set<string>();
  for (const task of readdirSync("/proc/self/task")) {
    try {
      found.add(readlinkSync(`/proc/self/task/${task}/ns/net`));
    } catch {
      // The thread has just ended.
    }
  }
  return found;
}

export const threadNames = (): string[] =>
  readdirSync("/proc/self/task").flatMap((task) => {
    try {
      return [readFileSync(`/proc/self/task/${task}/comm`, "utf8").trim()];
    } catch {
      return [];
    }
  });

/** Descriptors, without the one that reading the directory takes. */
export const descriptors = (): number => readdirSync("/proc/self/fd").length - 1;

setFlagsFromString("--expose-gc");
export const collectGarbage = runInNewContext("gc") as () => void;

/** Comes back when `holds` does; a test that waits in vain ends by its own limit. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
