import { setMaxListeners } from "node:events";
import { aliveFile, type LiveGuest } from "./guests/guest.js";
import type { Instance } from "./instance.js";
import { type GuestLife, LinkWatch } from "./kernel/watch-link.js";
import { operStates } from "./netlink/link.js";
import type { Waited, WaitRequest } from "./plan/request.js";
import { lacking, parseWait, type Readiness, usableAddresses, type WaitWish } from "./plan/wait.js";
import { PipeworkError } from "./values/error.js";

/** When to stop waiting, and why. */
class Limit {
  readonly #at: number;
  readonly #signal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onAbort: (() => void) | undefined;

  constructor({ timeoutMs, signal }: Pick<WaitRequest, "timeoutMs" | "signal">) {
    this.#at = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    this.#signal = signal;
    // One signal may end a thousand waits, which is no leak: Node warns from the eleventh on.
    if (signal !== undefined) setMaxListeners(0, signal);
  }

  /** Milliseconds; Infinity without a limit. */
  get left(): number {
    return Math.max(0, this.#at - performance.now());
  }

  get signal(): AbortSignal | undefined {
    return this.#signal;
  }

  /** Resolves when it is reached. */
  reached(): Promise<"timeout" | "aborted"> {
    return new Promise((resolve) => {
      if (this.#signal?.aborted === true) return resolve("aborted");
      this.#onAbort = () => resolve("aborted");
      this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
      if (this.left !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(resolve, this.left, "timeout");
    });
  }

  /** Nothing of it keeps the process alive, or the signal's owner's memory. */
  dispose(): void {
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** As the message names it. */
function nameOf({ guest, ifname }: WaitWish): string {
  return guest === undefined ? ifname : `${ifname} of ${guest}`;
}

function refusal(
  code: "timeout" | "aborted",
  wish: WaitWish,
  seen: Readiness | undefined,
  limit: Limit,
): PipeworkError {
  const { guest, ifname, level } = wish;
  const lacks = seen === undefined ? undefined : lacking(level, seen);
  const aborted = `waiting for ${nameOf(wish)} was aborted${lacks === undefined ? "" : `: it ${lacks}`}`;
  return new PipeworkError({
    code,
    message: code === "aborted" ? aborted : `${nameOf(wish)} ${lacks}, and the time to wait for it is up`,
    ifname,
    ...(guest === undefined ? {} : { guest }),
    ...(code === "aborted" ? { cause: limit.signal?.reason } : {}),
  });
}

function ended(wish: WaitWish, seen: Readiness | undefined): PipeworkError {
  const { guest, ifname, level } = wish;
  const lacks = seen === undefined ? "" : `, when it ${lacking(level, seen)}`;
  return new PipeworkError({
    code: "guest-gone",
    message: `guest ${guest}: it ended or was restarted while its ${ifname} was waited for${lacks}`,
    hint: "wait again once it runs",
    ifname,
    guest,
  });
}

/** Looks, and looks again whenever something has changed, until nothing is lacking. */
async function until(watch: LinkWatch, wish: WaitWish, limit: Limit): Promise<Readiness> {
  const reached = limit.reached();
  let seen: Readiness | undefined;
  for (;;) {
    const looking = watch.look();
    // Once the limit is reached nobody waits for it any more.
    looking.catch(() => {});
    let found = await Promise.race([looking, reached]);
    // The first look waits for nothing, and tells what is lacking when there was no time at all.
    if (found === "timeout" && seen === undefined) found = await looking;
    if (found === "timeout" || found === "aborted") throw refusal(found, wish, seen, limit);
    if (found === undefined) throw ended(wish, seen);
    seen = found;
    if (lacking(wish.level, seen) === undefined) return seen;
    if (limit.left === 0) throw refusal("timeout", wish, seen, limit);
  }
}

function resultOf(wish: WaitWish, readiness: Readiness, guest: LiveGuest | undefined): Waited {
  const { link } = readiness;
  if (link === undefined) throw new Error("nothing is lacking of a link that is not there");
  return {
    ...(guest === undefined ? {} : { guest: guest.ref, guestId: guest.id }),
    ifname: wish.ifname,
    level: wish.level,
    ifindex: link.index,
    mac: link.address ?? "",
    mtu: link.mtu,
    operstate: operStates[link.operstate] ?? String(link.operstate),
    ...(wish.level === "address" ? { addresses: usableAddresses(readiness) } : {}),
    warnings: [...(guest?.warnings ?? [])],
  };
}

/** By what the end of this guest is known: that of its process, or of the name of its namespace. */
function lifeOf(guest: LiveGuest): GuestLife {
  const path = aliveFile(guest);
  // A path of the process file system goes with the process, and is no mount.
  const pid = guest.pid ?? /^\/proc\/(?:\d+\/task\/)?(\d+)\/ns\/net$/.exec(path ?? "")?.[1];
  return { ...(path === undefined ? {} : { path }), ...(pid === undefined ? {} : { pid: Number(pid) }) };
}

/** The guest, once it runs. */
async function resolveWithin(instance: Instance, ref: string, request: WaitRequest, limit: Limit): Promise<LiveGuest> {
  const { timeoutMs, signal } = request;
  try {
    return await instance.resolve(ref, { timeoutMs, patienceMs: timeoutMs ?? Number.POSITIVE_INFINITY, signal });
  } catch (error) {
    // Those that may still start were waited for as long as there was time.
    if (!(error instanceof PipeworkError) || error.code !== "guest-not-running" || limit.left > 0) throw error;
    const { message, hint, guest } = error;
    throw new PipeworkError({ code: "timeout", message, hint, guest, cause: error });
  }
}

/**
 * Waits until an interface of a guest is as far as asked for, driven by the kernel's notices. A guest that was created and
 * does not run yet is waited for as well. Without `timeoutMs` there is no limit.
 * @throws PipeworkError "timeout" saying what is lacking, "guest-gone" when the guest ends meanwhile, "aborted", and
 * whatever finding the guest throws
 */
export async function wait(instance: Instance, request: WaitRequest): Promise<Waited> {
  const wish = parseWait(request);
  const { guest: ref } = wish;
  if (ref === undefined || ref === "")
    throw new PipeworkError({ code: "invalid-request", message: "a guest is missing" });
  const limit = new Limit(request);
  try {
    const guest = await resolveWithin(instance, ref, request, limit);
    let watch: LinkWatch;
    try {
      watch = await LinkWatch.open(instance.runner, guest.netns, wish, lifeOf(guest));
    } finally {
      // From here on only the watch holds the namespace, and it lets go when the guest ends, whatever is done here then.
      guest.close();
    }
    return await finish(watch, wish, limit, guest);
  } finally {
    limit.dispose();
  }
}

/** The same for an interface of the caller's own namespace. */
export async function waitHere(instance: Instance, request: Omit<WaitRequest, "guest">): Promise<Waited> {
  const wish = parseWait(request);
  const limit = new Limit(request);
  try {
    return await finish(await LinkWatch.open(instance.runner, null, wish), wish, limit, undefined);
  } finally {
    limit.dispose();
  }
}

async function finish(watch: LinkWatch, wish: WaitWish, limit: Limit, guest: LiveGuest | undefined): Promise<Waited> {
  try {
    return resultOf(wish, await until(watch, wish, limit), guest);
  } finally {
    await watch.close();
  }
}
