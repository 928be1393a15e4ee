/**
 * The addon's whole surface, as seen from JavaScript. The addon knows nlmsghdr, nlmsgerr, extended acks and the
 * shape of attributes (length, type, nesting); every number of rtnetlink comes from the netlink room.
 */

/** An owned descriptor of a network namespace. Closing twice is harmless; a forgotten one is closed by the collector. */
export interface NativeNetns {
  /** Device and inode of the nsfs file: the identity of the namespace. */
  readonly dev: number;
  readonly ino: number;
  /** The descriptor's number, for IFLA_NET_NS_FD; -1 once closed. It stays this object's property. */
  readonly fd: number;
  readonly closed: boolean;
  close(): void;
}

/**
 * Errors thrown or rejected by the addon are `Error`s with these fields. `reason` is set for what is no errno:
 * "not-nsfs" and "not-net" (openNetns), "lock-timeout" (begin), "closed" (any), "stopping" (env is going away),
 * "way-home" (the thread could not return to its namespace; it was retired and replaced).
 */
export interface NativeError extends Error {
  errno?: number;
  syscall?: string;
  reason?: "not-nsfs" | "not-net" | "lock-timeout" | "closed" | "stopping" | "way-home";
}

/** A read-only request sent while a transaction is open. A dump is repeated when the kernel flags it as interrupted. */
export interface NativeQuery {
  /** Index into the transaction's namespaces. */
  netns: number;
  /** A dump's messages that have none of these values at that byte are left out, and never become JavaScript's. */
  keep?: { offset: number; value: Uint8Array };
  /** What the caller guesses the answer to be; without it any answer will do. */
  expect?: NativeExpect;
  /** One whole netlink message; the addon stamps the sequence number and the length. NLM_F_DUMP in its flags makes it a dump. */
  message: Uint8Array;
}

/** A guess at an answer: all that is given must hold, and unless `errno` is given, the query must succeed. */
export interface NativeExpect {
  errno?: number;
  /** Triples (byte offset, mask, value): the u32 at that offset of the first reply, masked, has that value. */
  words?: number[];
  /** Attributes of the first reply. */
  where?: NativeMatch[];
  /** [byte offset, value]: no reply has that byte there. */
  none?: [number, number];
}

/** Answer of a query: the reply messages (headers included) back to back, or the errno. */
export interface NativeAnswer {
  errno: number;
  text?: string;
  replies: Uint8Array;
}

/** A condition on a reply message: the value of the attribute at `path`, walked from `header` bytes behind nlmsghdr. */
export interface NativeMatch {
  header: number;
  path: number[];
  value: Uint8Array;
}

export enum NativeOp {
  /** Send a netlink message, await its ack (and its replies). */
  netlink = 0,
  /** Write a file under /proc/sys/net while inside the namespace; undone by writing back what was read there before. */
  sysctl = 1,
  /** Replace (write beside, fsync not needed, rename) or remove a file; undone by putting back what was there. */
  file = 2,
  /** Delete on a reaper thread; last instruction of a program only. */
  reap = 3,
  /** stat(path) must succeed with inode `ino`, else ESRCH; changes nothing, is never undone. */
  identity = 4,
}

export interface NativeInstruction {
  op: NativeOp;
  netns: number;

  /** netlink, reap: the message. */
  message?: Uint8Array;
  /** Pairs (byte offset in message, slot): the u32 of that slot is written there before sending. */
  relocations?: number[];
  /**
   * netlink: from the first reply that satisfies all of `where`, the u32 at byte `offset` (from the start of the
   * message) goes into `slot`. No reply that fits is ENOENT, unless `optional`.
   */
  capture?: { slot: number; offset: number; where?: NativeMatch[] };
  /** Errnos that count as done; a step that ended so is not undone. */
  tolerate?: number[];
  /** A failure is recorded in the result and the program goes on; also set for undo steps that may fail silently. */
  optional?: boolean;
  /** netlink: repeat the request until its (first) reply satisfies this, or the time is up (recorded, never a failure). */
  until?: NativeMatch & { timeoutMs: number };
  /** Skip this instruction (result: skipped) unless the slot is empty: undo of a step whose ack was lost. */
  unlessSlot?: number;
  /** Skip this instruction unless the slot is filled. */
  ifSlot?: number;
  /** Skip this instruction when this dump yields any message satisfying `where`; its relocations as above. */
  unlessAny?: { message: Uint8Array; relocations?: number[]; where?: NativeMatch[] };

  /** identity: the inode that `path` must have. */
  ino?: number;

  /** sysctl, file, identity: absolute path. sysctl paths must begin with /proc/sys/net/ and have no ".." component. */
  path?: string;
  /** sysctl, file: the content; null (file only) removes it. */
  data?: string | null;

  /**
   * reap: the delete counts as done when a message of `type` arrives on multicast `group` in that namespace whose
   * u32 at byte `offset` equals that of slot/`value`; its ack is collected later. No notice: the ack decides.
   * The first byte of the notice's payload (the family) must be 0, AF_UNSPEC: a bridge announces a leaving port by an
   * RTM_DELLINK of family AF_BRIDGE with the same ifindex, up to 0.2 ms before the link is gone and its name free.
   */
  notice?: { group: number; type: number; offset: number; value?: number; slot?: number };

  /** Run in this order when a later instruction fails. sysctl and file have a built-in inverse when this is absent. */
  undo?: NativeInstruction[];
  /** sysctl, file: no inverse at all (the object goes with the link that an earlier instruction undoes). */
  noUndo?: boolean;
}

export interface NativeResult {
  /** 0; or the errno that was tolerated or belongs to an optional instruction. */
  errno: number;
  text?: string;
  skipped?: boolean;
  /** capture, until: the reply message that was taken. */
  reply?: Uint8Array;
  /** until: whether the condition came true in time. */
  met?: boolean;
}

export interface NativeReport {
  ok: boolean;
  /** One per instruction that was reached. */
  results: NativeResult[];
  /** Final slot values; 0 is an empty slot. */
  slots: number[];
  failed?: {
    index: number;
    errno: number;
    /** The kernel's extended ack text. */
    text?: string;
    /** Byte offset into the sent message that the kernel points at. */
    offset?: number;
    /** Set when not the kernel's answer failed but the transport: sendto, recvmsg, setns, open... */
    syscall?: string;
  };
  /** What undo did, in the order done: index of the instruction undone, position in its undo list. */
  undone: { index: number; position: number; errno: number; text?: string; skipped?: boolean }[];
  /** reap: how the end of the link was learned. */
  via?: "notice" | "ack";
}

export interface NativeTransaction {
  readonly id: number;
}

export interface NativeBegun {
  /** Absent when the guess held: the transaction has ended with its program. */
  transaction?: NativeTransaction;
  answers: NativeAnswer[];
  /** The guess held: what came of its program. */
  report?: NativeReport;
}

export interface NativeBeginOptions {
  /** Index 0 is the host side. null = the namespace this process (the thread's home) is in. */
  namespaces: (NativeNetns | null)[];
  /** Netlink protocol of the sockets; NETLINK_ROUTE = 0. */
  protocol?: number;
  /** File locked with flock(LOCK_EX) until the transaction ends; absent = no lock (read-only use). Its directory exists. */
  lockPath?: string;
  lockTimeoutMs?: number;
  queries: NativeQuery[];
  /**
   * A program made beforehand for the answers that the queries expect. When every one of them is as expected, it runs at
   * once, under the same lock: one hop instead of two. Otherwise nothing of it is done.
   */
  guess?: { program: NativeInstruction[]; slots: number[] };
}

/** A namespace that is watched. A forgotten one is ended by the collector. */
export interface NativeWatch {
  readonly id: number;
}

export interface NativeWatchOptions {
  /** null = home. Not held: the watch has sockets of its own there. */
  netns: NativeNetns | null;
  /** Netlink protocol of the sockets; NETLINK_ROUTE = 0. */
  protocol?: number;
  /** Multicast groups to join. */
  groups: number[];
  /** Which notices wake: of these types, and with one of these values at that byte if that is given. */
  notable: { type: number; keep?: { offset: number; value: Uint8Array } }[];
  /** The guest's process, whose end ends the watch. */
  pid?: number;
  /**
   * The file that is the namespace while the guest lives; the watch has ended when it is that no more. Without `pid` it is
   * looked at whenever mounts change.
   */
  path?: string;
}

export interface NativeConversation {
  /** The network namespace whose abstract names are meant. Absent, or null: this process's own. */
  netns?: NativeNetns | null;
  /** Absolute; or a zero byte and a name in the abstract namespace (unix(7)), of which each network namespace has its own. */
  path: string;
  payload: Uint8Array;
  timeoutMs: number;
  /** The answer is whole after so many bytes. Absent: it ends where the other side closes, which may be earlier anyway. */
  length?: number;
  /**
   * Sends our own credentials along, and puts those of who answered before the answer: struct ucred of unix(7), three
   * words of 32 bits (PID, UID, GID) that the kernel vouches for, as seen from this process's namespaces. An answer that
   * several processes have written is EPROTO; an empty one has none. Where neither root nor our own user listens, nothing
   * is asked: EACCES.
   */
  credentials?: boolean;
}

/** One namespace thread (and its reapers), started at the first job. */
export interface NativeRunner {
  /**
   * Opens sockets in each namespace, takes the lock, runs the queries: one hop. A second begin on the same runner
   * while a transaction with a lock is open waits its turn (FIFO) inside the runner, not on the thread.
   */
  begin(options: NativeBeginOptions): Promise<NativeBegun>;
  query(transaction: NativeTransaction, queries: NativeQuery[]): Promise<NativeAnswer[]>;
  /**
   * Runs the whole program; on failure undoes in reverse. The transaction ends with it (sockets closed, lock released)
   * unless `keep`. Bytes are copied at the call. `slots` are the initial slot values: 0 is empty, to be captured.
   */
  run(
    transaction: NativeTransaction,
    program: NativeInstruction[],
    slots: number[],
    keep?: boolean,
  ): Promise<NativeReport>;
  /** Ends without running: sockets closed, lock released. Ending twice is harmless. */
  end(transaction: NativeTransaction): Promise<void>;
  /** A new network namespace that lives as long as descriptors of it do. */
  createNetns(): Promise<NativeNetns>;
  /** Reads a file under /proc/sys/net while inside the namespace (null = home). */
  readSysctl(netns: NativeNetns | null, path: string): Promise<string>;
  /**
   * Sends one datagram on a socket opened inside the namespace and collects what comes back until `match` holds for a
   * datagram or the time is up. socket = [domain, type, protocol]; address = the sockaddr to send to. Runs on a reaper
   * thread: it may wait.
   */
  exchange(options: {
    netns: NativeNetns | null;
    socket: [number, number, number];
    address: Uint8Array;
    payload: Uint8Array;
    /** The datagram whose bytes at `offset` equal `value`. */
    match: { offset: number; value: Uint8Array };
    timeoutMs: number;
  }): Promise<Uint8Array | null>;
  /**
   * Connects to a unix stream socket, sends, and reads to its end. For the one-shot command, to which loading node:net
   * would cost five milliseconds. Runs on a reaper thread: it may wait. No answer in time is ETIMEDOUT.
   */
  converse(options: NativeConversation): Promise<Uint8Array>;
  /**
   * Subscribes inside the namespace. The sockets are closed as soon as the guest has ended, whatever JavaScript does
   * meanwhile: as long as they are open they keep a dead guest's links alive.
   */
  watch(options: NativeWatchOptions): Promise<NativeWatch>;
  /**
   * Asks inside the watched namespace: at once when nothing was asked before or something notable came since the last look
   * began, else when something comes (or notices are lost). null: the guest has ended. One look at a time. The queries'
   * namespace is 0. Asked on a reaper thread; nothing waits on the namespace thread.
   */
  look(watch: NativeWatch, queries: NativeQuery[]): Promise<NativeAnswer[] | null>;
  /** Ends a watch; who looks is rejected with "closed". Resolves when its sockets are closed. Ending twice is harmless. */
  unwatch(watch: NativeWatch): Promise<void>;
  /** Finishes what runs, refuses what waits, ends the threads. Idempotent. */
  close(): Promise<void>;
}

export interface NativeAddon {
  /** Synchronous and quick: open(O_RDONLY|O_CLOEXEC|O_NONBLOCK), fstatfs, NS_GET_NSTYPE, fstat. */
  openNetns(path: string): NativeNetns;
  Runner: new () => NativeRunner;
}
