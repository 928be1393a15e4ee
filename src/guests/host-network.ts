import type { NativeNetns } from "../kernel/native.js";
import { PipeworkError } from "../values/error.js";
import type { ResolveContext } from "./context.js";

/**
 * Closes and refuses a guest that lives in the host side's own namespace: what is done to it would be done to the host.
 * @param what for the message: "process 7", "container web1"
 */
export function refuseHome(netns: NativeNetns, ref: string, what: string, context: ResolveContext): void {
  if (netns.ino !== context.home.ino || netns.dev !== context.home.dev) return;
  netns.close();
  throw hostNetwork(ref, what);
}

export function hostNetwork(ref: string, what: string): PipeworkError {
  return new PipeworkError({
    code: "guest-host-network",
    message: `guest ${ref} is refused: ${what} uses the host's own network, where the host's interfaces are already`,
    hint: "give it a network namespace of its own; a container with --network none, for example",
    guest: ref,
  });
}
