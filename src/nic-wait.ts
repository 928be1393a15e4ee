import { statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Instance } from "./instance.js";
import { PipeworkError } from "./values/error.js";

/** Milliseconds. The kernel takes a dead namespace apart in a thread of its own, soon but not at once. */
const AWAY_MS = 3000;
const PAUSE_MS = 50;

/** Whether a NIC comes back to the host side when its namespace dies: the kernel puts it into that of process 1 at boot. */
function comesHome(instance: Instance): boolean {
  try {
    return statSync("/proc/1/ns/net").ino === instance.home.ino;
  } catch {
    // Another's process 1 may be out of our sight.
    return true;
  }
}

/**
 * Repeats what needs a NIC that is neither in its guest nor on the host, until it is back or the time is up.
 * @throws PipeworkError what `work` throws; "interface-away" at the end
 */
export async function onceHome<T>(
  instance: Instance,
  { timeoutMs, signal }: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  const until = Date.now() + (timeoutMs ?? AWAY_MS);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PipeworkError) || error.code !== "interface-away") throw error;
      if (!comesHome(instance)) {
        throw new PipeworkError({
          ...error,
          message: `${error.message}: the kernel returns it to the initial network namespace, and the host side here is another`,
          hint: "take it from there by hand",
        });
      }
      if (signal?.aborted === true || Date.now() + PAUSE_MS >= until) throw error;
    }
    await setTimeout(PAUSE_MS);
  }
}
