/**
 * Stable names of everything this project refuses or fails at. They are part of the public contract
 * (documented in docs/errors.md): a new one may be added, none is ever renamed.
 */
export type ErrorCode =
  /** The words or the request make no sense: syntax, an unknown option, a value out of range. */
  | "invalid-request"
  /** No guest of that name, id, PID or namespace. */
  | "guest-not-found"
  /** A prefix that fits several guests. */
  | "guest-ambiguous"
  /** The guest exists and has no network namespace now: created, exited, dead. */
  | "guest-not-running"
  /** The guest uses the host's own network namespace. */
  | "guest-host-network"
  /** The guest died or was replaced while it was being attached, or waited for. */
  | "guest-gone"
  /** The container engine cannot be reached, or answered with an error. */
  | "engine-unreachable"
  /** A host interface that does not exist and may not be made. */
  | "interface-not-found"
  /** A MAC or PCI address that several host interfaces have. */
  | "interface-ambiguous"
  /** A host interface that cannot carry what was asked (wrong kind, enslaved, full...). */
  | "interface-unsuitable"
  /** A NIC of an attachment is neither in the guest nor on the host, and may still come back. */
  | "interface-away"
  /** The interface name is taken by something else, or by another configuration. */
  | "name-taken"
  /** The kernel refused a step; `errno`, `kernelText` and `step` say the rest. */
  | "kernel-refused"
  /** Another run holds the lock for longer than this one may wait. */
  | "lock-timeout"
  /** A capability is missing. */
  | "not-permitted"
  /** Out of time. */
  | "timeout"
  /** The caller's signal, or ctrl-C. */
  | "aborted"
  /** The instance is closed. */
  | "closed"
  /** The native addon cannot be loaded. */
  | "addon-missing"
  /** Asked for something this version does not do. */
  | "unsupported"
  /** A fault of ours. */
  | "internal";

/** What undoing a failed attempt did; empty when nothing had been done. */
export interface UndoOutcome {
  /** Label of the step whose effect was taken back. */
  readonly step: string;
  /** Set when taking it back failed as well: the kernel's words. */
  readonly failure?: string;
}

export interface ErrorDetail {
  readonly code: ErrorCode;
  /** One sentence: what was refused, on which interface of which guest. */
  readonly message: string;
  /** What the person can do about it; a sentence without the final stop being required. */
  readonly hint?: string | undefined;
  readonly guest?: string | undefined;
  readonly ifname?: string | undefined;
  /** Label of the plan step that failed. */
  readonly step?: string | undefined;
  /** Side of the failed step. */
  readonly netns?: "host" | "guest" | undefined;
  /** Positive errno of the kernel. */
  readonly errno?: number | undefined;
  /** Its name, such as EEXIST. */
  readonly errnoName?: string | undefined;
  /** The kernel's own text: the extended ack where there is one, else strerror. */
  readonly kernelText?: string | undefined;
  /** Path of the attribute the kernel points at, such as IFLA_LINKINFO.IFLA_INFO_DATA. */
  readonly attribute?: string | undefined;
  readonly undo?: readonly UndoOutcome[] | undefined;
  readonly cause?: unknown;
}

/** The one error type that leaves this library. */
export class PipeworkError extends Error {
  override readonly name = "PipeworkError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly guest: string | undefined;
  readonly ifname: string | undefined;
  readonly step: string | undefined;
  readonly netns: "host" | "guest" | undefined;
  readonly errno: number | undefined;
  readonly errnoName: string | undefined;
  readonly kernelText: string | undefined;
  readonly attribute: string | undefined;
  readonly undo: readonly UndoOutcome[];

  constructor(detail: ErrorDetail) {
    super(detail.message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = detail.code;
    this.hint = detail.hint;
    this.guest = detail.guest;
    this.ifname = detail.ifname;
    this.step = detail.step;
    this.netns = detail.netns;
    this.errno = detail.errno;
    this.errnoName = detail.errnoName;
    this.kernelText = detail.kernelText;
    this.attribute = detail.attribute;
    this.undo = detail.undo ?? [];
  }

  /** Plain data for `--json` and for logs. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, hint, guest, ifname, step, netns, errno, errnoName, kernelText, attribute } = this;
    const undo = this.undo.length > 0 ? this.undo : undefined;
    return { name, code, message, hint, guest, ifname, step, netns, errno, errnoName, kernelText, attribute, undo };
  }
}

/** Shorthand for the commonest refusal: words or a request that make no sense. */
export function invalid(message: string, hint?: string): PipeworkError {
  return new PipeworkError({ code: "invalid-request", message, hint });
}
