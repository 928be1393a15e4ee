import { PipeworkError } from "../values/error.js";

/** A refusal of something that a later version does. */
export function notYet(what: string, hint?: string): PipeworkError {
  return new PipeworkError({ code: "unsupported", message: `${what} is not in this version yet`, hint });
}
