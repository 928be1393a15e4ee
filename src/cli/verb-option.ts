import type { Command } from "commander";
import { invalid } from "../values/error.js";
import { parseTimeout } from "./common-option.js";
import type { OutputOptions } from "./invocation.js";

/** Options that most verbs take. */
export interface CommonValues {
  dryRun?: boolean;
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  timeout?: string;
}

export function outputOf({ dryRun, json, quiet, verbose }: CommonValues): OutputOptions {
  return { dryRun: dryRun === true, json: json === true, quiet: quiet === true, verbose: verbose === true };
}

export function timeoutOf({ timeout }: CommonValues): { timeoutMs?: number } {
  return timeout === undefined ? {} : { timeoutMs: parseTimeout(timeout) };
}

/** Digits only: Number() takes "", "0x10" and "1e3" as well. Whether it is in range is the request's to say. */
export function whole(option: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw invalid(`${option} ${JSON.stringify(text)} is not a whole number`);
  return Number(text);
}

export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

export function common(command: Command, kinds: readonly ("dry-run" | "quiet" | "verbose" | "timeout")[]): Command {
  if (kinds.includes("dry-run")) command.option("--dry-run", "show the plan, change nothing");
  command.option("--json", "the result on stdout and errors on stderr, both as JSON");
  if (kinds.includes("quiet")) command.option("-q, --quiet", "no warnings");
  if (kinds.includes("verbose")) command.option("-v, --verbose", "one line on stderr about what was done");
  if (kinds.includes("timeout"))
    command.option("--timeout <seconds>", "how long to wait for the engine, for a starting guest, for the lock");
  return command;
}

export const all = ["dry-run", "quiet", "verbose", "timeout"] as const;
