import { readFileSync } from "node:fs";
import type { NativeNetns } from "../kernel/native.js";
import { PipeworkError } from "../values/error.js";
import { pauseUnlessAborted, startPatience, startPoll } from "./container-search.js";
import { procOf, type ResolveContext } from "./context.js";
import type { LiveGuest } from "./guest.js";
import { refuseHome } from "./host-network.js";
import { isDefined } from "./lxc-directory.js";
import type { LxcHost } from "./lxc-host.js";
import { askMonitor, type MonitorReport } from "./lxc-monitor.js";
import { findPayload, isFrozen, isStill } from "./lxc-payload.js";
import { networkOwner } from "./lxc-share.js";
import { openProcessNetns } from "./process-netns.js";

/** A container's init and its namespace, which has been made sure of. */
interface Opened {
  readonly name: string;
  readonly pid: number;
  readonly netns: NativeNetns;
  readonly frozen: boolean;
}

/** lxc:X and plain words; null when LXC knows no such container. */
export async function resolveLxc(
  ref: string,
  name: string,
  host: LxcHost,
  context: ResolveContext,
): Promise<LiveGuest | null> {
  const opened = await open(ref, name, host, context);
  if (opened === null) {
    if (isDefined(host.directory, name)) throw notRunning(ref, name, "is not running: STOPPED", `lxc-start -n ${name}`);
    return null;
  }
  refuseHome(opened.netns, ref, whatIs(name), context);
  const warnings = opened.frozen ? [`${whatIs(name)} is frozen: it answers nobody until it is unfrozen`] : [];
  const owner = await ownerOf(opened, ref, host, context);
  if (owner !== null) {
    warnings.push(
      `${whatIs(name)} shares the network of ${owner.name}: what is attached belongs to ${owner.name} and is seen by both`,
    );
  }
  const { name: known, pid } = owner ?? opened;
  const { netns } = opened;
  // LXC has no ids: a container's name is its directory's, and its host name unless it is told another.
  const id = `lxc:${known}`;
  return { ref, id, kind: "lxc", name: known, pid, hostname: known, netns, warnings, close: () => netns.close() };
}

/** The container whose network this one was started into, when that is still so. */
async function ownerOf(
  opened: Opened,
  ref: string,
  host: LxcHost,
  context: ResolveContext,
): Promise<{ name: string; pid: number } | null> {
  const name = networkOwner(host.directory, opened.name);
  if (name === null) return null;
  let owner: Opened | null;
  try {
    // It has been started, or it never will be what is looked for: no wait.
    owner = await open(ref, name, host, { ...context, patienceMs: 0 });
  } catch (error) {
    if (error instanceof PipeworkError && error.code !== "aborted") return null;
    opened.netns.close();
    throw error;
  }
  owner?.netns.close();
  const same = owner !== null && owner.netns.ino === opened.netns.ino && owner.netns.dev === opened.netns.dev;
  return same ? owner : null;
}

/** null when no process of such a container is there. */
async function open(ref: string, name: string, host: LxcHost, context: ResolveContext): Promise<Opened | null> {
  const report = await awaitRunning(ref, name, host, context);
  if (report === null) return openPayload(ref, name, context);
  const { pid, state } = report;
  const netns = openProcessNetns(pid, ref, context);
  if (netns === null) return refuseVanished(ref, name, report, host, context);
  try {
    const again = await askMonitor(ref, name, host, context);
    if (again === null || again.pid !== pid || !isLive(again)) throw gone(ref, name);
    // The parent says that the PID is of a process here and now. A monitor in another PID namespace has other numbers.
    if (parentOf(pid, context) !== again.monitor) throw elsewhere(ref, name, pid);
    return { name, pid, netns, frozen: state === "FROZEN" || state === "FREEZING" };
  } catch (error) {
    netns.close();
    throw error;
  }
}

function openPayload(ref: string, name: string, context: ResolveContext): Opened | null {
  const found = findPayload(name, context);
  if (found === null) return null;
  const netns = openProcessNetns(found.pid, ref, context);
  if (netns !== null && isStill(found, name, context)) {
    return { name, pid: found.pid, netns, frozen: isFrozen(found) };
  }
  netns?.close();
  throw gone(ref, name);
}

function isLive({ state, pid }: MonitorReport): boolean {
  return ["RUNNING", "FREEZING", "FROZEN", "THAWED"].includes(state) && pid > 0;
}

/** Waits for a container that is starting; null when it has no monitor. */
async function awaitRunning(
  ref: string,
  name: string,
  host: LxcHost,
  context: ResolveContext,
): Promise<MonitorReport | null> {
  const patience = startPatience(context);
  let began: number | undefined;
  for (;;) {
    const report = await askMonitor(ref, name, host, context);
    if (report === null || isLive(report)) return report;
    if (report.state !== "STARTING") throw notRunning(ref, name, `is not running: ${report.state}`);
    began ??= performance.now();
    const waited = performance.now() - began;
    if (waited >= patience) {
      const how = patience === 0 ? "" : ` (waited ${patience / 1000} s)`;
      throw notRunning(ref, name, `is starting and does not run yet${how}`, "allow more time with --timeout");
    }
    await pauseUnlessAborted(ref, startPoll(waited), context);
  }
}

/** The monitor named a process that is not there: it ended a moment ago, or the monitor's numbers are not ours. */
async function refuseVanished(
  ref: string,
  name: string,
  { pid }: MonitorReport,
  host: LxcHost,
  context: ResolveContext,
): Promise<never> {
  for (let look = 0; look < 10; look++) {
    const again = await askMonitor(ref, name, host, context);
    if (again === null || again.pid !== pid || !isLive(again)) throw gone(ref, name);
    await pauseUnlessAborted(ref, startPoll(0), context);
  }
  throw elsewhere(ref, name, pid);
}

function parentOf(pid: number, context: ResolveContext): number {
  try {
    const status = readFileSync(`${procOf(context)}/${pid}/status`, "utf8");
    return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? -1);
  } catch {
    return -1;
  }
}

function whatIs(name: string): string {
  return `the LXC container ${name}`;
}

function gone(ref: string, name: string): PipeworkError {
  return new PipeworkError({
    code: "guest-gone",
    message: `guest ${ref}: ${whatIs(name)} ended or was restarted while its network was being opened`,
    hint: "nothing was changed; try again once it runs",
    guest: ref,
  });
}

function elsewhere(ref: string, name: string, pid: number): PipeworkError {
  return new PipeworkError({
    code: "unsupported",
    message: `guest ${ref}: the monitor of ${whatIs(name)} names process ${pid}, which is no child of it here`,
    hint: "run pipework where the monitor runs; inside a container it needs --pid=host",
    guest: ref,
  });
}

function notRunning(ref: string, name: string, what: string, hint?: string): PipeworkError {
  return new PipeworkError({
    code: "guest-not-running",
    message: `guest ${ref}: ${whatIs(name)} ${what}`,
    hint,
    guest: ref,
  });
}
