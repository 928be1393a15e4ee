import { setTimeout as pause } from "node:timers/promises";
import { PipeworkError } from "../values/error.js";
import type { Container, ContainerState } from "./container.js";
import type { ResolveContext } from "./context.js";
import type { DockerEngine, EngineCallOptions } from "./docker.js";

/** Milliseconds between two looks at a guest that is starting. */
const POLL_MS = 50;
/** The same for one that is waited for by somebody with more time than that. */
const LATER_POLL_MS = 250;
/** Milliseconds that it may take to start, where nobody says otherwise: as long as the script waited. */
const PATIENCE_MS = 3000;

/** Milliseconds that a guest may take to start. */
export function startPatience({ patienceMs, timeoutMs }: ResolveContext): number {
  return patienceMs ?? timeoutMs ?? PATIENCE_MS;
}

/** Milliseconds until the next look at a guest that is starting. */
export function startPoll(waitedMs: number): number {
  return waitedMs < PATIENCE_MS ? POLL_MS : LATER_POLL_MS;
}

/** Deadline and signal of one question to the engine. A patience of 0 is about waiting for guests, not about answers. */
export function callOptions({ timeoutMs, signal }: ResolveContext): EngineCallOptions {
  return { timeoutMs: timeoutMs || undefined, signal };
}

/** A process of the container's own exists and will be there for a while. A paused container's does. */
export function isLive({ running, restarting, pid }: ContainerState): boolean {
  return running && !restarting && pid > 0;
}

/**
 * The container of this name, id or unique prefix, as the engine resolves them; null when the engine knows none.
 * @throws PipeworkError "guest-ambiguous" naming all that fit
 */
export async function findContainer(
  ref: string,
  name: string,
  engine: DockerEngine,
  context: ResolveContext,
): Promise<Container | null> {
  try {
    return await engine.inspect(name, callOptions(context));
  } catch (error) {
    // Engines answer an ambiguous prefix with 400, 409 or 500 and words of their own: the list tells for certain.
    const ambiguous =
      error instanceof PipeworkError && error.code === "engine-unreachable" && /^[0-9a-f]{1,63}$/.test(name);
    const all = ambiguous ? await engine.list({}, callOptions(context)).catch(() => []) : [];
    const fitting = all.filter(({ id }) => id.startsWith(name));
    if (fitting.length < 2) throw error;
    const length = Math.max(12, name.length + 4);
    const shown = fitting.slice(0, 10).map(({ id, names }) => `${id.slice(0, length)} (${names[0] ?? "no name"})`);
    const more = fitting.length > shown.length ? ` and ${fitting.length - shown.length} more` : "";
    throw new PipeworkError({
      code: "guest-ambiguous",
      message: `guest ${ref} is ambiguous: the id begins so for ${shown.join(", ")}${more}`,
      hint: "write more of the id, or the name",
      guest: ref,
      cause: error,
    });
  }
}

/**
 * Waits for a container that was created or is between two runs; one that runs is returned at once.
 * @throws PipeworkError "guest-not-running": at once for one that ended, after `timeoutMs` (3 s) for one that does not start;
 * "guest-gone" when it is removed meanwhile
 */
export async function awaitLive(
  ref: string,
  found: Container,
  engine: DockerEngine,
  context: ResolveContext,
): Promise<Container> {
  const patience = startPatience(context);
  let container = found;
  // Taken only when there is something to wait for: Node loads its clock on first use, which most attaches never need.
  let began: number | undefined;
  for (;;) {
    const { state } = container;
    if (isLive(state)) return container;
    const mayStart = state.status === "created" || state.restarting || state.running;
    if (!mayStart) throw notRunning(ref, container, engine, null);
    began ??= performance.now();
    if (performance.now() - began >= patience) throw notRunning(ref, container, engine, patience);
    await pauseUnlessAborted(ref, startPoll(performance.now() - began), context);
    // By id: its name may be given to another container meanwhile.
    const again = await engine.inspect(container.id, callOptions(context));
    if (again === null) {
      throw new PipeworkError({
        code: "guest-gone",
        message: `guest ${ref}: the container ${container.name} was removed while its start was awaited`,
        guest: ref,
      });
    }
    container = again;
  }
}

/** @throws PipeworkError "aborted" */
export async function pauseUnlessAborted(ref: string, ms: number, { signal }: ResolveContext): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch (cause) {
    throw new PipeworkError({ code: "aborted", message: `the wait for guest ${ref} was aborted`, guest: ref, cause });
  }
}

function notRunning(
  ref: string,
  { name, state }: Container,
  { kind }: DockerEngine,
  waitedMs: number | null,
): PipeworkError {
  const waited = waitedMs ? ` (waited ${waitedMs / 1000} s)` : "";
  const failure = state.error === "" ? "" : `; the engine says: ${state.error}`;
  let what: string;
  let hint = `${kind.name} start ${name}`;
  if (state.restarting) {
    what = `restarts over and over and has no process now${waited}; its last run ended with code ${state.exitCode}${failure}`;
    hint = `${kind.name} logs ${name} says why it ends`;
  } else if (state.status === "created") {
    what = `was created and has not been started${waited}${failure}`;
  } else if (state.running) {
    what = `has no process yet (PID 0)${waited}`;
    hint = "try again, or allow more time with --timeout";
  } else {
    what = `is not running: ${state.status}, with code ${state.exitCode}${endOf(state)}${failure}`;
  }
  return new PipeworkError({
    code: "guest-not-running",
    message: `guest ${ref}: the container ${name} ${what}`,
    hint,
    guest: ref,
  });
}

/** The Engine's zero time is the year 1. */
function endOf({ finishedAt }: ContainerState): string {
  const at = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(finishedAt);
  return at === null || finishedAt.startsWith("0001-")
    ? ""
    : `, at ${at[1]} ${at[2]}${finishedAt.endsWith("Z") ? " UTC" : ""}`;
}
