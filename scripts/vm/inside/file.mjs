// Runs one file of tests in this process, prints each test as it ends, and writes what came of them.
import { writeFileSync } from "node:fs";
import { startTests } from "@vitest/runner";

/** As the other tests on the real kernel; limits of time are those of an emulated processor. */
const config = {
  root: "/",
  setupFiles: [],
  name: undefined,
  passWithNoTests: false,
  testNamePattern: process.env.PIPEWORK_VM_TESTS === undefined ? undefined : new RegExp(process.env.PIPEWORK_VM_TESTS),
  allowOnly: false,
  sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
  chaiConfig: { truncateThreshold: 0 },
  maxConcurrency: 5,
  testTimeout: 180_000,
  hookTimeout: 120_000,
  retry: 1,
  includeTaskLocation: false,
  diffOptions: { truncateThreshold: 4000 },
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
};

function fullName(task) {
  const above = task.suite === undefined || task.suite.filepath !== undefined ? [] : [fullName(task.suite)];
  return [...above, task.name].join(" > ");
}

/** An error with what was expected and the places in our own files. */
function words({ message, stack, diff }) {
  const where = (stack ?? "").split("\n").filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line));
  return [message, ...(diff === undefined ? [] : [diff]), ...where].join("\n");
}

function told(task) {
  const { state, duration, retryCount, errors } = task.result ?? {};
  return {
    name: fullName(task),
    state: state === "pass" ? "passed" : state === "fail" ? "failed" : "skipped",
    milliseconds: Math.round(duration ?? 0),
    ...(retryCount ? { retries: retryCount } : {}),
    errors: [...new Set((errors ?? []).map(words))],
  };
}

function print({ name, state, milliseconds, retries, errors }) {
  const sign = { passed: "✓", failed: "✗", skipped: "-" }[state];
  console.log(`  ${sign} ${name} ${milliseconds} ms${retries ? ` (tried ${retries + 1} times)` : ""}`);
  // All of it is printed when the machine has ended.
  for (const text of errors) console.log(`      ${text.split("\n")[0]}`);
}

/** All tests below a task, with what came of them; those that a failed hook kept from running are there as well. */
function testsOf(task) {
  return task.type === "test" ? [task] : task.tasks.flatMap(testsOf);
}

/** Suites whose hooks, or the file whose import, failed: no tests, and failures all the same. */
function brokenSuites(task) {
  if (task.type === "test") return [];
  const { errors = [] } = task.result ?? {};
  const name = task.filepath === undefined ? fullName(task) : "the file itself";
  const own = errors.map((error) => ({
    name: `${name}: import or hooks`,
    state: "failed",
    milliseconds: 0,
    errors: [words(error)],
  }));
  return [...own, ...task.tasks.flatMap(brokenSuites)];
}

/** @param work imports the file. @param result path of the JSON that is written. */
export async function runFile(file, work, result) {
  const printed = new Map();
  const write = (tests, complete) => writeFileSync(result, JSON.stringify({ file, tests, complete }));
  const files = await startTests([file], {
    config,
    importFile: (_path, source) => (source === "collect" ? work() : undefined),
    onCollected: () => console.log(file),
    onAfterRunTask(test) {
      const one = told(test);
      printed.set(test, one);
      print(one);
      // The process may be ended by what a later test does.
      write([...printed.values()], false);
    },
  });
  const further = [
    ...files
      .flatMap(testsOf)
      .flatMap((test) => (printed.has(test) || (test.mode === "skip" && config.testNamePattern) ? [] : [told(test)])),
    ...files.flatMap(brokenSuites),
  ];
  for (const one of further) print(one);
  write([...printed.values(), ...further], true);
  process.exit(0);
}
