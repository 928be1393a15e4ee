import { existsSync } from "node:fs";
import { PipeworkError } from "../values/error.js";
import { resolveContainer } from "./container-guest.js";
import { netnsDirectoriesOf, procOf, type ResolveContext } from "./context.js";
import type { DockerEngine } from "./docker.js";
import type { EngineKind } from "./engine-kind.js";
import type { LiveGuest } from "./guest.js";
import { resolveLxc } from "./lxc-guest.js";
import { resolveNamedNetns, resolvePathNetns } from "./named-netns.js";
import { resolveProcess } from "./process-netns.js";
import { parseGuestReference } from "./reference.js";
import { explainRootless } from "./rootless-podman.js";

/**
 * Finds a guest and opens its network namespace, or refuses before anything is touched. The caller closes what it gets.
 * @throws PipeworkError "invalid-request", "guest-not-found", "guest-ambiguous", "guest-not-running", "guest-host-network",
 * "guest-gone", "engine-unreachable", "not-permitted", "kernel-refused", "timeout", "aborted", "unsupported"
 */
export async function resolveGuest(ref: string, context: ResolveContext): Promise<LiveGuest> {
  const reference = parseGuestReference(ref);
  if (context.signal?.aborted) {
    const cause: unknown = context.signal.reason;
    throw new PipeworkError({ code: "aborted", message: `the search for guest ${ref} was aborted`, guest: ref, cause });
  }
  switch (reference.form) {
    case "pid":
      return resolveProcess(ref, reference.pid, context);
    case "netns":
      return resolveNamedNetns(ref, reference.name, context);
    case "path":
      return resolvePathNetns(ref, reference.path, context);
    case "docker":
      return resolveAt(ref, reference.name, context.docker(), context);
    case "podman":
      return resolveAt(ref, reference.name, engineOf(ref, context), context);
    case "lxc":
      return resolveLxcOnly(ref, reference.name, context);
    case "word":
      return resolveWord(ref, reference.name, context);
  }
}

function engineOf(ref: string, { podman }: ResolveContext): DockerEngine {
  if (podman !== undefined) return podman();
  throw new PipeworkError({ code: "unsupported", message: `guest ${ref}: no Podman is asked here`, guest: ref });
}

/** docker:X and podman:X */
async function resolveAt(ref: string, name: string, engine: DockerEngine, context: ResolveContext): Promise<LiveGuest> {
  const { kind } = engine;
  const foreign = async (): Promise<PipeworkError | null> =>
    kind.name === "podman" ? explainRootless(ref, name, context) : null;
  let guest: LiveGuest | null;
  try {
    guest = await resolveContainer(ref, name, engine, context);
  } catch (error) {
    // Without Podman's own socket the one that has this container may still be a user's.
    throw (isAbsent(error) ? await foreign() : null) ?? error;
  }
  if (guest !== null) return guest;
  throw (await foreign()) ?? notFound(ref, `there is no container ${name} at ${engine.address.text}`, listing(kind));
}

async function resolveLxcOnly(ref: string, name: string, context: ResolveContext): Promise<LiveGuest> {
  const host = context.lxc?.();
  const guest = host === undefined ? null : await resolveLxc(ref, name, host, context);
  if (guest !== null) return guest;
  const hint = "lxc-ls lists those there are; another directory is told by lxc.lxcpath in /etc/lxc/lxc.conf";
  throw notFound(ref, `there is no LXC container ${name}${host === undefined ? "" : ` in ${host.directory}`}`, hint);
}

/**
 * A plain word: Docker's, then Podman's, then LXC's. An engine that is not there knows no container; one that is there and
 * cannot be asked might, and so might one that somebody has named: those are refusals.
 */
async function resolveWord(ref: string, name: string, context: ResolveContext): Promise<LiveGuest> {
  const looked: { readonly where: string; readonly list: string }[] = [];
  const missing: PipeworkError[] = [];
  for (const find of [context.docker, context.podman]) {
    if (find === undefined) continue;
    try {
      const engine = find();
      const guest = await resolveContainer(ref, name, engine, context);
      if (guest !== null) return withNotes(guest, missing);
      looked.push({ where: `at ${engine.address.text}`, list: `${engine.kind.name} ps -a` });
    } catch (error) {
      if (find === context.podman && isRemote(error)) continue;
      if (!isAbsent(error) || find().named) throw lookUp(error, ref, name, context);
      missing.push(error);
    }
  }
  const host = context.lxc?.();
  if (host !== undefined) {
    const guest = await resolveLxc(ref, name, host, context);
    if (guest !== null) return withNotes(guest, missing);
    if (existsSync(host.directory)) looked.push({ where: `in ${host.directory}`, list: "lxc-ls" });
  }
  const rootless = context.podman === undefined ? null : await explainRootless(ref, name, context);
  if (rootless !== null) throw rootless;
  // An engine that was stopped would know its containers: that nobody has this one cannot be told.
  const [unknown] = looked.length === 0 ? missing : missing.filter(isStopped);
  if (unknown !== undefined) throw lookUp(unknown, ref, name, context);
  const where = looked.map((one) => one.where).join(" or ");
  const besides = missing.map(({ message }) => `; ${message}`).join("");
  const lists = looked.map((one) => one.list).join(", ");
  throw notFound(
    ref,
    `there is no container ${name} ${where}${besides}`,
    alternative(name, context) ?? `those there are: ${lists}; other guests are named pid:N, netns:NAME or netns:/path`,
  );
}

/** Nobody listens at a socket: there is no such engine, or it does not run. */
function isAbsent(error: unknown): error is PipeworkError {
  return (
    error instanceof PipeworkError &&
    error.code === "engine-unreachable" &&
    (error.errnoName === "ENOENT" || error.errnoName === "ECONNREFUSED")
  );
}

function isStopped({ errnoName }: PipeworkError): boolean {
  return errnoName === "ECONNREFUSED";
}

/** CONTAINER_HOST names an engine of another machine, such as ssh://: none of its containers is here. */
function isRemote(error: unknown): boolean {
  return error instanceof PipeworkError && error.code === "unsupported" && error.guest === undefined;
}

/** An engine that was stopped comes first, and may have a container of that name which still runs. */
function withNotes(guest: LiveGuest, missing: readonly PipeworkError[]): LiveGuest {
  const notes = missing
    .filter(isStopped)
    .map(({ message }) => `${guest.ref} was taken for ${guest.id}, because ${message}`);
  return notes.length === 0 ? guest : { ...guest, warnings: [...guest.warnings, ...notes] };
}

function listing(kind: EngineKind): string {
  return `${kind.name} ps -a lists those there are; other guests are named pid:N, netns:NAME or netns:/path`;
}

function notFound(ref: string, what: string, hint: string): PipeworkError {
  return new PipeworkError({ code: "guest-not-found", message: `guest ${ref}: ${what}`, hint, guest: ref });
}

/** What kept a word from being looked up, with what else it may have been meant for. */
function lookUp(error: unknown, ref: string, name: string, context: ResolveContext): unknown {
  if (!(error instanceof PipeworkError) || error.code !== "engine-unreachable") return error;
  const other = alternative(name, context) ?? "a guest without an engine is named pid:N, netns:NAME or netns:/path";
  return new PipeworkError({
    code: error.code,
    message: `guest ${ref} cannot be looked up: ${error.message}`,
    hint: error.hint === undefined ? other : `${error.hint}; ${other}`,
    guest: ref,
    errnoName: error.errnoName,
    cause: error,
  });
}

/** What else a plain word may have been meant for. */
function alternative(name: string, context: ResolveContext): string | null {
  if (netnsDirectoriesOf(context).some((directory) => existsSync(`${directory}/${name}`))) {
    return `did you mean netns:${name}?`;
  }
  if (/^[1-9][0-9]*$/.test(name) && existsSync(`${procOf(context)}/${name}`)) return `did you mean pid:${name}?`;
  return null;
}
