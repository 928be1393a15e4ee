// Runs every stage, also after one has failed, and closes with one line: N passed, N failed.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scratch = mkdtempSync(join(tmpdir(), "pipework-test-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

/** A stage either is one check, counted as one, or writes a vitest JSON report whose tests are counted. */
const check = (name, ...command) => ({ name, command });
const vitest = (project) => ({
  name: project,
  command: [
    "npx",
    "vitest",
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${join(scratch, `${project}.json`)}`,
  ],
  report: join(scratch, `${project}.json`),
});

const emulated = {
  name: "vm",
  command: ["node", "scripts/vm.mjs", "all", "--report", join(scratch, "vm.json")],
  report: join(scratch, "vm.json"),
};

const stages = [
  check("types", "npx", "tsc", "--noEmit"),
  check("lint", "npm", "run", "--silent", "lint"),
  check("constants", "npm", "run", "--silent", "check:constants"),
  vitest("unit"),
  check("native", "node", "scripts/test-native.mjs"),
  vitest("kernel"),
  vitest("docker"),
  vitest("packaging"),
  emulated,
  check("examples", "node", "scripts/run-examples.mjs"),
];

const only = process.argv.slice(2);
for (const name of only) {
  if (!stages.some((stage) => stage.name === name)) {
    console.error(`there is no stage ${name}; stages: ${stages.map((stage) => stage.name).join(" ")}`);
    process.exit(2);
  }
}

function run([program, ...words]) {
  return new Promise((resolve) => {
    const child = spawn(program, words, { stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(1);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/** Counts of a vitest report; a run that died, or ran nothing, counts as one failure. Skipped tests count as failures: none may be. */
function counts(report, code) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTotalTests } = JSON.parse(readFileSync(report, "utf8"));
    const failed = numFailedTests + numPendingTests;
    return numTotalTests === 0 || (code !== 0 && failed === 0)
      ? { passed: numPassedTests, failed: failed + 1 }
      : { passed: numPassedTests, failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

let passed = 0;
let failed = 0;
const summary = [];
for (const { name, command, report } of stages) {
  if (only.length > 0 && !only.includes(name)) continue;
  console.log(`\n=== ${name}`);
  const started = Date.now();
  const code = await run(command);
  const result =
    report === undefined ? { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 } : counts(report, code);
  passed += result.passed;
  failed += result.failed;
  summary.push(
    `${name.padEnd(10)} ${String(result.passed).padStart(5)} passed ${String(result.failed).padStart(4)} failed ${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s`,
  );
}
console.log(`\n${summary.join("\n")}\n\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
