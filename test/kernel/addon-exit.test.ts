import { describe, expect, test } from "vitest";
import { child } from "./support/child.js";

const endless = ["waitingForLock", "waitingForState", "exchanging", "looking"];
const stages = [
  "loaded",
  "created",
  "open",
  "running",
  "reaping",
  "reaped",
  "closing",
  "closed",
  "watching",
  ...endless,
];

async function endsWell(what: string) {
  const { code, signal, said, stderr } = await child(what);
  expect({ code, signal, said, stderr }).toEqual({ code: 0, signal: null, said: ["ending"], stderr: "" });
}

describe.concurrent("process.exit() while", () => {
  for (const stage of stages) test(stage, () => endsWell(`exit:${stage}`));
});

describe.concurrent("a process with nothing else to do ends by itself when", () => {
  for (const stage of stages) if (!endless.includes(stage)) test(stage, () => endsWell(`end:${stage}`));
});

describe.concurrent("a worker that is terminated while", () => {
  for (const stage of stages) test(stage, () => endsWell(`worker:${stage}`));
});
