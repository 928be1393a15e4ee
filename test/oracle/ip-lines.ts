import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Instance } from "../../src/instance.js";
import { route } from "../../src/route.js";
import { rule } from "../../src/rule.js";
import type { World } from "../kernel/support/world.js";
import { iproute2, type Outcome, pipework, sameEnding, Twins } from "./twin.js";

/** Lines for `ip`, one after the other in namespaces set up by the lines of `setup`. */
export interface Group {
  readonly name: string;
  readonly setup: readonly string[];
  readonly lines: readonly string[];
}

/** A line on which we differ from iproute2 on purpose. */
export interface Difference {
  readonly line: string;
  readonly reason: string;
}

export interface Oracle {
  readonly setup: readonly string[];
  readonly groups: readonly (Omit<Group, "setup"> & { readonly setup?: readonly string[] })[];
  readonly differences: readonly Difference[];
}

export function readOracle(name: string): Oracle {
  return JSON.parse(readFileSync(fileURLToPath(new URL(`${name}.json`, import.meta.url)), "utf8")) as Oracle;
}

/** Whether a line only shows something: its output counts then, and nothing changes. */
function shows(line: string): boolean {
  const words = line.split(" ").filter((word) => !word.startsWith("-"));
  return /^(s|sh|sho|show|l|li|lis|list|lst|ls|g|ge|get)$/.test(words[1] ?? "show");
}

/** What iproute2 sees of routes and rules in a namespace. Times that run are left out. */
async function look(namespace: string): Promise<string> {
  const words = [
    ["-j", "-d", "-4", "route", "show", "table", "all"],
    ["-j", "-d", "-6", "route", "show", "table", "all"],
    ["-j", "-d", "-4", "rule"],
    ["-j", "-d", "-6", "rule"],
  ];
  const seen = await Promise.all(words.map((one) => iproute2("ip", ["-n", namespace, ...one])));
  return seen.map(({ output }) => steady(output).replaceAll("},{", "},\n{")).join("\n");
}

/**
 * Lifetimes run, and age does. The routes that the kernel makes for each link that has a carrier stand in the order in
 * which the carriers came.
 */
function steady(text: string): string {
  const still = text.replace(/"(expires|age)":( ?)\d+/g, '"$1":$20').replace(/\b(expires|age) \d+sec/g, "$1 0sec");
  if (!/fe80::\/64|ff00::\/8/.test(still)) return still;
  const separator = still.startsWith("[") ? /\},\{/ : /\n/;
  const pieces = still
    .replace(/^\[ ?\{/, "")
    .replace(/\} ?\]\n?$/, "")
    .split(separator);
  const drawn = (piece: string) => /fe80::\/64|ff00::\/8/.test(piece);
  return [...pieces.filter((piece) => !drawn(piece)), ...pieces.filter(drawn).sort()].join("\n");
}

/** One line run by both; undefined when they agree, else what differs. */
export async function compare(instance: Instance, twins: Twins, line: string): Promise<string | undefined> {
  const words = line.split(" ").filter((word) => word !== "");
  const run = (object: string) => {
    const said = [["ip", ...words]];
    return object === "rule"
      ? rule(instance, `netns:${twins.ours}`, said)
      : route(instance, `netns:${twins.ours}`, said);
  };
  const object = words.some((word) => /^ru(l|le)?$/.test(word)) ? "rule" : "route";
  const [ours, theirs] = await Promise.all([
    pipework(() => run(object)),
    iproute2("ip", ["-n", twins.theirs, ...words]),
  ]);
  const ended = ({ ending, said, reasons }: Outcome) => `${ending} ${JSON.stringify(said)} ${reasons.join(" | ")}`;
  if (!sameEnding(ours, theirs)) return `${line}\n  ours:   ${ended(ours)}\n  theirs: ${ended(theirs)}`;
  if (ours.ending === "done" && steady(ours.output) !== steady(theirs.output))
    return `${line}\n  ours:\n${ours.output}\n  theirs:\n${theirs.output}`;
  if (shows(line)) return undefined;
  const [mine, its] = await Promise.all([look(twins.ours), look(twins.theirs)]);
  if (mine === its) return undefined;
  const only = (a: string, b: string) =>
    a
      .split("\n")
      .filter((one) => !b.split("\n").includes(one))
      .join("\n    ");
  if (only(mine, its) === "" && only(its, mine) === "") return `${line}\n  ours:\n${mine}\n  theirs:\n${its}`;
  return `${line}\n  only in ours:\n    ${only(mine, its)}\n  only in theirs:\n    ${only(its, mine)}`;
}

/** Runs a group's lines; after a difference with new twins. Returns what differs. */
export async function compareGroup(world: World, instance: Instance, { setup, lines }: Group): Promise<string[]> {
  const differing: string[] = [];
  let twins = await Twins.make(world, setup);
  for (const line of lines) {
    const difference = await compare(instance, twins, line);
    if (difference === undefined) continue;
    differing.push(difference);
    twins = await Twins.make(world, setup);
  }
  return differing;
}

/** Runs the lines on which we differ on purpose; returns those on which we agree after all. */
export async function stillDiffering(
  world: World,
  instance: Instance,
  { setup, differences }: Oracle,
): Promise<string[]> {
  const agreeing: string[] = [];
  for (const { line } of differences) {
    const twins = await Twins.make(world, setup);
    if ((await compare(instance, twins, line)) === undefined) agreeing.push(line);
  }
  return agreeing;
}
