import { Instance } from "../instance.js";
import { linkFrom } from "../kernel/observe.js";
import { Transaction } from "../kernel/transaction.js";
import { ifFlags } from "../netlink/link.js";
import { getLinkByName } from "../plan/link-message.js";
import { PipeworkError } from "../values/error.js";
import type { WaitRequest } from "./command-port.js";

const LOOK_EVERY_MS = 50;

/**
 * Up and working: the kernel sets IFF_RUNNING when the operational state is up, or unknown, which is all that drivers
 * that do not track it ever say.
 */
const WORKING = ifFlags.IFF_UP | ifFlags.IFF_RUNNING;

/** How far the interface of our own namespace is: undefined when it is working. */
async function lacks(instance: Instance, ifname: string): Promise<string | undefined> {
  const ask = { netns: "host", message: getLinkByName(ifname) } as const;
  const { transaction, answers } = await Transaction.begin(instance.runner, [null], [ask], undefined);
  await transaction.end();
  const link = linkFrom(answers[0], ifname);
  if (link === undefined) return "is not there";
  if ((link.flags & ifFlags.IFF_UP) === 0) return "is there and down";
  return (link.flags & WORKING) === WORKING ? undefined : "is up and has no carrier";
}

/**
 * Resolves when an interface of this process's own namespace is up. No time limit unless one is given.
 * Throws PipeworkError "timeout" or "aborted".
 */
export async function waitForOwnLink({ ifname, timeoutMs, signal }: WaitRequest): Promise<void> {
  const instance = new Instance({});
  const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  try {
    for (;;) {
      const still = await lacks(instance, ifname);
      if (still === undefined) return;
      if (signal?.aborted === true)
        throw new PipeworkError({ code: "aborted", message: `waiting for ${ifname} was aborted: it ${still}`, ifname });
      const left = deadline - performance.now();
      if (left <= 0)
        throw new PipeworkError({
          code: "timeout",
          message: `${ifname} ${still}, and the time to wait for it is up`,
          ifname,
        });
      await pause(Math.min(LOOK_EVERY_MS, left), signal);
    }
  } finally {
    await instance.close();
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
  });
}
