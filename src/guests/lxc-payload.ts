import { readdirSync, readFileSync } from "node:fs";
import { procOf, type ResolveContext } from "./context.js";

/** A process of an LXC container, found by its cgroup. */
export interface PayloadProcess {
  readonly pid: number;
  /** Field 22 of proc(5)'s stat: with the PID it names one process for ever. */
  readonly startTime: string;
  /** PIDs in this namespace and those below it, outermost first: an init's ends with 1. */
  readonly levels: readonly number[];
  /** Lines of its cgroup file, for the state of its freezer. */
  readonly cgroups: readonly CgroupLine[];
}

/** A line of /proc/PID/cgroup, cgroups(7): 0 and no controllers is version 2. */
export interface CgroupLine {
  readonly hierarchy: string;
  readonly controllers: readonly string[];
  readonly path: string;
}

/**
 * The init of a container, by the cgroups of all processes: for those whose monitor was killed, or is in a network
 * namespace that is not this process's. What /proc says needs no mounted cgroup file system and no version of it.
 *
 * LXC 3 puts a container into lxc/NAME or lxc.payload/NAME, LXC 4 and later into lxc.payload.NAME, below the cgroup of
 * PID 1, where nobody but root can make any. One further below, or in a user's own cgroup, is another's container.
 */
export function findPayload(name: string, context: ResolveContext): PayloadProcess | null {
  const bases = basesOf(context);
  const processes = readdirSync(procOf(context))
    .filter((entry) => /^[1-9][0-9]*$/.test(entry))
    .flatMap((entry) => {
      const cgroups = cgroupsOf(Number(entry), context);
      return cgroups.some((line) => isPayload(line, name, bases)) ? (readPayload(Number(entry), context) ?? []) : [];
    });
  const inits = processes.filter(({ levels }) => levels.at(-1) === 1);
  // A container inside the container has an init as well, on a deeper level. One that shares our PID namespace has none:
  // its first process then, which is older than whatever was sent into it later.
  const candidates = inits.length > 0 ? inits : processes;
  return (
    candidates.sort((a, b) => a.levels.length - b.levels.length || Number(a.startTime) - Number(b.startTime))[0] ?? null
  );
}

/** Whether the process is still the one that was found, and still in the container. */
export function isStill(found: PayloadProcess, name: string, context: ResolveContext): boolean {
  const bases = basesOf(context);
  if (!cgroupsOf(found.pid, context).some((line) => isPayload(line, name, bases))) return false;
  return readPayload(found.pid, context)?.startTime === found.startTime;
}

/** Whether the container is frozen, as far as cgroup file systems at their usual places tell. */
export function isFrozen({ cgroups }: PayloadProcess, mount = "/sys/fs/cgroup"): boolean {
  return cgroups.some(({ hierarchy, controllers, path }) => {
    if (hierarchy === "0") {
      return [mount, `${mount}/unified`].some((root) => /^frozen 1$/m.test(read(`${root}${path}/cgroup.events`)));
    }
    return controllers.includes("freezer") && read(`${mount}/freezer${path}/freezer.state`).trim() === "FROZEN";
  });
}

/** Where LXC makes its cgroups, by hierarchy: where PID 1 is, without systemd's own init.scope. */
function basesOf(context: ResolveContext): ReadonlyMap<string, string> {
  return new Map(
    cgroupsOf(1, context).map(({ hierarchy, path }) => [
      hierarchy,
      path.replace(/\/init\.scope$/, "").replace(/\/$/, ""),
    ]),
  );
}

function isPayload({ hierarchy, path }: CgroupLine, name: string, bases: ReadonlyMap<string, string>): boolean {
  const base = bases.get(hierarchy);
  if (base === undefined || !path.startsWith(`${base}/`)) return false;
  const below = `${path.slice(base.length + 1)}/`;
  // With lxc.cgroup.pattern = lxc/%n LXC 4 puts the monitor beside the payload, one level further down.
  if (below.startsWith(`lxc/${name}/monitor/`)) return false;
  return [`lxc/${name}/`, `lxc.payload/${name}/`, `lxc.payload.${name}/`].some((layout) => below.startsWith(layout));
}

function cgroupsOf(pid: number, context: ResolveContext): CgroupLine[] {
  return read(`${procOf(context)}/${pid}/cgroup`)
    .split("\n")
    .flatMap((line) => {
      const [, hierarchy = "", controllers = "", path = ""] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
      return path === "" ? [] : [{ hierarchy, controllers: controllers.split(","), path }];
    });
}

/** null when it has ended. */
function readPayload(pid: number, context: ResolveContext): PayloadProcess | null {
  // The name of the program stands in parentheses, and may hold anything.
  const stat = read(`${procOf(context)}/${pid}/stat`);
  const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  if (startTime === undefined) return null;
  const words = /^NSpid:\s*(.*)$/m.exec(read(`${procOf(context)}/${pid}/status`))?.[1];
  return { pid, startTime, levels: (words ?? `${pid}`).split(/\s+/).map(Number), cgroups: cgroupsOf(pid, context) };
}

/** "" when it cannot be read: the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
