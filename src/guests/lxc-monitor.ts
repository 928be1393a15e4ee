import { errnoName } from "../kernel/errno.js";
import type { NativeError } from "../kernel/native.js";
import { PipeworkError } from "../values/error.js";
import type { ResolveContext } from "./context.js";
import {
  commandSocket,
  LXC_ANSWER,
  type LxcAnswer,
  type LxcState,
  lxcCommands,
  lxcRequest,
  lxcStates,
  readLxcAnswer,
} from "./lxc-command.js";
import type { LxcHost } from "./lxc-host.js";

/** What a container's monitor says of it. */
export interface MonitorReport {
  readonly state: LxcState;
  /** The container's init; 0 while there is none. */
  readonly pid: number;
  /** The monitor itself, which is the parent of that init; 0: it is not seen from here. */
  readonly monitor: number;
}

/** Milliseconds for an answer where nobody says how long. */
const PATIENCE_MS = 10_000;

/**
 * Asks the monitor of a container, over its command socket, how it stands; null when it has none, which is so when it does
 * not run, when its monitor was killed, and when the monitor is in another network namespace than the host side's.
 * The name of such a socket may be taken by anybody. Only root's word counts, and our own user's.
 * @throws PipeworkError "not-permitted", "timeout", "aborted", "unsupported"
 */
export async function askMonitor(
  ref: string,
  name: string,
  host: LxcHost,
  context: ResolveContext,
): Promise<MonitorReport | null> {
  const ask = (command: number): Promise<LxcAnswer | null> => askOnce(ref, name, command, host, context);
  const pid = await ask(lxcCommands.LXC_CMD_GET_INIT_PID);
  if (pid === null || !isTrusted(pid.monitor.uid)) return null;
  const state = await ask(lxcCommands.LXC_CMD_GET_STATE);
  // It has ended between the questions.
  if (state === null || state.monitor.pid !== pid.monitor.pid || !isTrusted(state.monitor.uid)) return null;
  for (const { ret } of [pid, state]) {
    if (ret < 0) throw refused(ref, name, -ret);
  }
  const word = lxcStates[state.value];
  if (word === undefined) throw strange(ref, name);
  return { state: word, pid: Math.max(0, pid.value), monitor: pid.monitor.pid };
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/** null when nobody listens, or who does goes away. */
async function askOnce(
  ref: string,
  name: string,
  command: number,
  { directory, converse }: LxcHost,
  { timeoutMs, signal }: ResolveContext,
): Promise<LxcAnswer | null> {
  const patience = timeoutMs || PATIENCE_MS;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () =>
      reject(
        new PipeworkError({
          code: "aborted",
          message: `the wait for guest ${ref} was aborted`,
          guest: ref,
          cause: signal?.reason,
        }),
      );
    signal?.addEventListener("abort", onAbort, { once: true });
  });
  const asked = converse({
    path: commandSocket(directory, name),
    payload: lxcRequest(command),
    timeoutMs: patience,
    length: LXC_ANSWER,
    credentials: true,
  });
  try {
    const bytes = await Promise.race([asked, aborted]);
    if (bytes.length === 0) return null;
    const answer = readLxcAnswer(bytes);
    if (answer === null) throw strange(ref, name);
    return answer;
  } catch (error) {
    if (error instanceof PipeworkError) throw error;
    const { errno, message } = error as NativeError;
    const code = errno === undefined ? "" : errnoName(errno);
    // EACCES: another user listens. EPROTO: an answer of several, which is no monitor's.
    if (["ECONNREFUSED", "ECONNRESET", "EPIPE", "EACCES", "EPROTO"].includes(code)) return null;
    if (code === "ETIMEDOUT") {
      throw new PipeworkError({
        code: "timeout",
        message: `guest ${ref}: the monitor of the LXC container ${name} did not answer within ${patience / 1000} s`,
        hint: "look whether lxc-info answers; --timeout allows more time",
        guest: ref,
        cause: error,
      });
    }
    throw new PipeworkError({
      code: "kernel-refused",
      message: `guest ${ref}: the monitor of the LXC container ${name} cannot be asked: ${message}`,
      guest: ref,
      errno,
      errnoName: code === "" ? undefined : code,
      kernelText: message,
      cause: error,
    });
  } finally {
    signal?.removeEventListener("abort", onAbort);
    asked.catch(() => {});
  }
}

const EPERM = 1;

function refused(ref: string, name: string, errno: number): PipeworkError {
  return new PipeworkError({
    code: errno === EPERM ? "not-permitted" : "unsupported",
    message: `guest ${ref}: the monitor of the LXC container ${name} does not answer us: ${errnoName(errno)}`,
    hint: errno === EPERM ? "run as root" : "name its process: pid:N, as lxc-info -p tells it",
    guest: ref,
    errno,
    errnoName: errnoName(errno),
  });
}

function strange(ref: string, name: string): PipeworkError {
  return new PipeworkError({
    code: "unsupported",
    message: `guest ${ref}: the monitor of the LXC container ${name} answers in a way that is not known`,
    hint: "name its process: pid:N, as lxc-info -p tells it",
    guest: ref,
  });
}
