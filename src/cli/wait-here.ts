import { Instance } from "../instance.js";
import type { Waited, WaitRequest } from "../plan/request.js";
import { waitHere as waitIn } from "../wait.js";

/** Waits for an interface of the namespace that the command runs in. */
export async function waitHere(request: Omit<WaitRequest, "guest">): Promise<Waited> {
  const instance = new Instance({});
  try {
    return await waitIn(instance, request);
  } finally {
    await instance.close();
  }
}
