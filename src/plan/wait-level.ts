import { invalid } from "../values/error.js";
import { suggest } from "../values/suggest.js";
import type { WaitLevel } from "./request.js";

/** From the least to the most. */
export const waitLevels = ["exists", "up", "address", "route"] as const satisfies readonly WaitLevel[];

/** Throws PipeworkError "invalid-request". */
export function parseLevel(word: string): WaitLevel {
  const level = waitLevels.find((one) => one === word);
  if (level !== undefined) return level;
  const near = suggest(word, waitLevels);
  throw invalid(
    `${JSON.stringify(word)} is no level to wait for`,
    near === undefined
      ? `the levels are ${waitLevels.join(", ")}; an interface is named with -i`
      : `did you mean ${near}?`,
  );
}
