import { expect } from "vitest";
import { PipeworkError } from "../../../src/values/error.js";

/** The refusal that a call ends in: "message | hint". Anything else fails the test. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof PipeworkError)) throw error;
    expect(error.code).toBe("invalid-request");
    return error.hint === undefined ? error.message : `${error.message} | ${error.hint}`;
  }
  throw new Error("nothing was refused");
}
