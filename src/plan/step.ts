import type { Message } from "../netlink/message.js";
import type { Slot } from "../netlink/wire.js";

/** Which namespace a step works in. */
export type Side = "host" | "guest";

/** What one step does. Plain data; `--dry-run --json` prints it as it is. */
export type Operation = NetlinkOperation | SysctlOperation | FileOperation | IdentityOperation | ReapOperation;

/** A condition on a reply: the attribute at this path (kernel names, such as IFLA_GROUP) has this value. */
export interface Condition {
  readonly path: readonly string[];
  readonly value: number | string;
}

export interface NetlinkOperation {
  readonly op: "netlink";
  readonly message: Message;
  /** The ifindex in the (first fitting) reply goes into this slot. */
  readonly capture?: { readonly slot: string; readonly where?: readonly Condition[] };
  /** Repeat the request until its reply satisfies this; running out of time is no failure. */
  readonly until?: Condition & { readonly timeoutMs: number };
  /** Errno names that count as done, such as EEXIST. */
  readonly tolerate?: readonly string[];
  /** Only while the slot is empty / filled: for undo. */
  readonly unlessSlot?: string;
  readonly ifSlot?: string;
  /** Only when this dump yields nothing that fits: for undo of what others may use by now. */
  readonly unlessAny?: { readonly message: Message; readonly where?: readonly Condition[] };
}

export interface SysctlOperation {
  readonly op: "sysctl";
  /** Below /proc/sys/net, such as ipv6/conf/eth1/disable_ipv6. */
  readonly key: string;
  readonly value: string;
  /** Errno names that count as done; ENOENT where the kernel was built or started without IPv6. */
  readonly tolerate?: readonly string[];
  /** Only while the slot is filled: for undo. */
  readonly ifSlot?: string;
}

/** Fails (ESRCH) when the file is not there or has another inode: the guest died, or its PID names another one now. */
export interface IdentityOperation {
  readonly op: "identity";
  readonly path: string;
  readonly ino: number;
}

export interface FileOperation {
  readonly op: "file";
  readonly path: string;
  /** null removes the file. */
  readonly content: string | null;
}

/** A delete that resolves when the link is gone; its ack is collected later by a reaper thread. */
export interface ReapOperation {
  readonly op: "reap";
  readonly message: Message;
  readonly ifindex: number | Slot;
  /** Only while the slot is filled. */
  readonly ifSlot?: string;
}

/** Exactly one of: a complete inverse; gone with the link that another step made; none, for a reason. */
export type Undo =
  | { readonly inverse: readonly UndoOperation[] }
  | { readonly ownedBy: string }
  | { readonly builtin: "what was there before is written back" }
  | { readonly none: string };

export interface UndoOperation {
  readonly netns: Side;
  readonly op: Operation;
}

export interface Step {
  /** Unique in the plan. */
  readonly id: string;
  /** For people: "address 192.168.1.2/24 on eth1". */
  readonly label: string;
  readonly netns: Side;
  readonly op: Operation;
  readonly undo: Undo;
  /** Its failure is a warning, not the end. */
  readonly optional?: boolean;
  /** What the person can do about a refusal of this very step, by errno name. */
  readonly hints?: Readonly<Record<string, string>>;
}

export interface Plan {
  /**
   * route, rule, tc: words of `ip route`, `ip rule`, `tc`. bridge and release are the host's own: an uplink for the
   * bridge `ifname`, and its end.
   */
  readonly action: "attach" | "detach" | "route" | "rule" | "tc" | "bridge" | "release";
  /** The guest's identity, such as docker:<id>; "host". */
  readonly guestId: string;
  readonly guest: string;
  /** Empty where the words name what they are about. */
  readonly ifname: string;
  /** No step: what was asked for holds already. */
  readonly steps: readonly Step[];
  readonly outcome:
    | "attached"
    | "unchanged"
    | "completed"
    | "replaced"
    | "detached"
    | "absent"
    | "changed"
    | "bridged"
    | "released";
  readonly warnings: readonly string[];
  /** Names of links that steps know by their index alone, for people. */
  readonly links?: Readonly<Record<number, string>>;
}
