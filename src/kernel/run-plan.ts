import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Message } from "../netlink/message.js";
import { path } from "../netlink/nouns.js";
import type { Plan, Step } from "../plan/step.js";
import { PipeworkError, type UndoOutcome } from "../values/error.js";
import { assemble, type Program } from "./assemble.js";
import { errnoName, errnoText } from "./errno.js";
import type { NativeReport } from "./native.js";
import type { Transaction } from "./transaction.js";

export interface PlanOutcome {
  /** Reply message by step id, for steps that captured something. */
  readonly replies: ReadonlyMap<string, Uint8Array>;
  /** What optional steps failed at. */
  readonly warnings: readonly string[];
}

/** What the person can do about the commonest refusals. */
const hints: Readonly<Record<string, string>> = {
  EPERM: "run it as root: CAP_NET_ADMIN and CAP_SYS_ADMIN are needed",
  EACCES: "run it as root, outside a read-only /proc/sys",
  EBUSY: "something else uses that interface already: a bridge, a bond, or links of another kind on the same parent",
  EXFULL: "a Linux bridge carries 1023 ports; use a second bridge",
  ENOTSUPP: "this kernel lacks that kind of link; `pipework doctor` lists what it has",
  EOPNOTSUPP: "this kernel, or that interface, does not offer it; `pipework doctor` lists what the kernel has",
  ENODEV: "an interface went away meanwhile; look with `ip link` and repeat the command",
  ENETUNREACH: "the next hop must be reachable on this interface: is the prefix length right?",
  EHOSTUNREACH: "the next hop must be reachable on this interface: is the prefix length right?",
  EADDRINUSE: "another link on the same parent has that MAC; leave the MAC out or choose another",
  ENOMEM: "the kernel is out of memory for this",
};

function messageOf(step: Step | undefined): Message | undefined {
  return step !== undefined && "message" in step.op ? step.op.message : undefined;
}

/** A link that is gone for good: debris, or what had to go before its successor could come. */
function isRemoval({ op, undo }: Step): boolean {
  return "none" in undo && op.op === "netlink" && op.message.type === "RTM_DELLINK";
}

function hintOf({ op, hints: own }: Step, name: string): string | undefined {
  if (op.op === "sysctl" && name === "ENOENT" && op.key.startsWith("ipv6/")) {
    return "this kernel has no IPv6, or has it switched off at boot (ipv6.disable=1)";
  }
  return own?.[name] ?? hints[name];
}

function pointedAt(step: Step, report: NativeReport, sent: Uint8Array | undefined): string | undefined {
  const { offset } = report.failed ?? {};
  const message = messageOf(step);
  return offset === undefined || message === undefined || sent === undefined
    ? undefined
    : path(message.noun, sent, offset);
}

/** What did not come about. */
function undone({ action, ifname, guest }: Plan): string {
  switch (action) {
    case "attach":
    case "detach":
      return `${ifname} of ${guest} could not be ${action}ed`;
    case "bridge":
      return `bridge ${ifname} could not be given its uplink`;
    case "release":
      return `the uplink of bridge ${ifname} could not be taken back`;
    default:
      return guest;
  }
}

/** The error of a failed plan: the first failure always wins over what went wrong while undoing. */
function failure(plan: Plan, report: NativeReport, sent: Uint8Array | undefined): PipeworkError {
  const failed = report.failed as NonNullable<NativeReport["failed"]>;
  const step = plan.steps[failed.index] as Step;
  const name = errnoName(failed.errno);
  const text = failed.text ?? errnoText(failed.errno);
  // In the namespace of a dead guest nothing can be put back, and nothing needs to be: it goes.
  const dead = step.op.op === "identity";
  const undo: UndoOutcome[] = report.undone
    .filter(({ index, skipped }) => skipped !== true && !(dead && plan.steps[index]?.netns === "guest"))
    .map(({ index, errno, text: why }) => ({
      step: plan.steps[index]?.label ?? `step ${index}`,
      ...(errno === 0 ? {} : { failure: `${why ?? errnoText(errno)} (${errnoName(errno)})` }),
    }));
  const about = {
    guest: plan.guest,
    ifname: plan.ifname === "" ? undefined : plan.ifname,
    step: step.label,
    undo,
  };
  const left = undo.filter((outcome) => outcome.failure !== undefined);
  const removed = plan.steps.slice(0, failed.index).filter(isRemoval);
  const beyond =
    removed.length > 0 ? `; done before and not to be undone: ${removed.map((s) => `"${s.label}"`).join(", ")}` : "";
  const again = plan.steps
    .slice(0, failed.index)
    .some(({ id, undo: how }) => id === "replace.detach" && "inverse" in how)
    ? `; the old ${plan.ifname}, removed before, was made again`
    : "";
  const after =
    left.length > 0
      ? `${beyond}; undoing it failed as well at ${left.map((o) => `"${o.step}": ${o.failure}`).join(", ")}`
      : beyond === ""
        ? again || "; nothing was changed"
        : `${beyond}; all else is as before`;
  if (dead) {
    return new PipeworkError({
      ...about,
      code: "guest-gone",
      message: `${plan.guest} died while ${plan.ifname} was being attached${after}`,
      hint: "start it and repeat the command",
    });
  }
  const attribute = pointedAt(step, report, sent);
  return new PipeworkError({
    ...about,
    code: name === "EPERM" ? "not-permitted" : "kernel-refused",
    message:
      `${undone(plan)}: the kernel refused "${step.label}" ` +
      `with ${text} (${name}${attribute === undefined ? "" : ` at ${attribute}`})${after}`,
    hint: hintOf(step, name),
    netns: step.netns,
    errno: failed.errno,
    errnoName: name,
    kernelText: text,
    attribute,
  });
}

/** A plan made ready to run. */
export interface ReadyPlan {
  readonly plan: Plan;
  readonly program: Program;
  /** Initial slot values, in the program's order. */
  readonly slots: number[];
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new PipeworkError({
      code: code === "EACCES" || code === "EPERM" ? "not-permitted" : "internal",
      message: `the directory ${path} for records of attachments cannot be made: ${message}; nothing was changed`,
      hint: "it must be a directory that root may write to; remove what is in its place",
      cause: error,
    });
  }
}

export function makeReady(plan: Plan, known: Readonly<Record<string, number>>): ReadyPlan {
  const program = assemble(plan);
  for (const { op } of plan.steps) {
    // After a boot, and at the first attach of a host namespace. The runner itself makes no directories.
    if (op.op === "file" && op.content !== null) makeDirectory(dirname(op.path));
  }
  return { plan, program, slots: program.slots.map((slot) => known[slot] ?? 0) };
}

/** What came of a plan; throws what failed first, everything undone. */
export function outcomeOf({ plan, program }: ReadyPlan, report: NativeReport): PlanOutcome {
  if (!report.ok) throw failure(plan, report, program.instructions[report.failed?.index ?? -1]?.message);
  const replies = new Map<string, Uint8Array>();
  const warnings: string[] = [];
  for (const [i, result] of report.results.entries()) {
    const step = plan.steps[i] as Step;
    if (result.reply !== undefined) replies.set(step.id, result.reply);
    const tolerated = "tolerate" in step.op && step.op.tolerate?.includes(errnoName(result.errno)) === true;
    if (step.optional === true && result.errno !== 0 && !tolerated && !step.id.startsWith("announce.")) {
      warnings.push(
        `"${step.label}" was refused: ${result.text ?? errnoText(result.errno)} (${errnoName(result.errno)})`,
      );
    }
  }
  return { replies, warnings };
}

/** Runs a plan in one hop and ends the transaction. */
export async function runPlan(
  transaction: Transaction,
  plan: Plan,
  known: Readonly<Record<string, number>>,
): Promise<PlanOutcome> {
  let ready: ReadyPlan;
  try {
    ready = makeReady(plan, known);
  } catch (error) {
    // Nothing has run, and the lock must not stay with a transaction that nobody will end.
    await transaction.end();
    throw error;
  }
  return outcomeOf(ready, await transaction.run(ready.program.instructions, ready.slots));
}
