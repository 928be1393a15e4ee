import { expect } from "vitest";
import { type ErrorCode, PipeworkError } from "../../../src/values/error.js";
import { snapshot } from "./snapshot.js";
import type { World } from "./world.js";

/** What a rejected promise was rejected with, which must be the one error type. */
export async function refusalOf(promise: Promise<unknown>): Promise<PipeworkError> {
  const error: unknown = await promise.then(
    (value) => {
      throw new Error(`not refused: ${JSON.stringify(value)}`);
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PipeworkError);
  return error as PipeworkError;
}

/** Runs what must be refused with that code, in one sentence with all of these words, and change nothing at all. */
export async function expectRefusal(
  world: World,
  work: () => Promise<unknown>,
  code: ErrorCode,
  ...words: string[]
): Promise<PipeworkError> {
  const before = snapshot(world);
  const error = await refusalOf(work());
  expect(error.code, error.message).toBe(code);
  for (const word of words) expect(`${error.message}; ${error.hint ?? ""}`).toContain(word);
  expect(error.message).not.toContain("\n");
  expect(snapshot(world)).toEqual(before);
  return error;
}
