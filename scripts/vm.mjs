// Runs the tests of test/vm on Debian's kernels in an emulated machine, for what the kernel at hand lacks or does otherwise.
//
//   node scripts/vm.mjs fetch                                downloads the kernels into .vm/, unless they are there
//   node scripts/vm.mjs 6.1|6.12|all [file ...]              all files of test/vm, or these
//       --tests <pattern>    only tests whose names match
//       --report <file>      writes what came of them as JSON
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Bundle } from "./vm/bundle.mjs";
import { Kernel, SERIES } from "./vm/kernel.mjs";
import { Machine } from "./vm/machine.mjs";
import { counts, Report } from "./vm/report.mjs";

const root = dirname(import.meta.dirname);
const FILE_SECONDS = 300;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { tests: { type: "string" }, report: { type: "string" } },
});
const [what, ...named] = positionals;
const series = what === "all" || what === "fetch" ? SERIES : [what];
if (!series.every((one) => SERIES.includes(one))) {
  console.error(`usage: node scripts/vm.mjs fetch | <${SERIES.join("|")}|all> [test/vm/x.test.ts ...]`);
  process.exit(2);
}

const kernels = series.map((one) => new Kernel(one));
for (const kernel of kernels) kernel.fetch();
if (what !== "fetch") process.exitCode = (await runAll()) ? 0 : 1;

function testFiles() {
  if (named.length > 0) return named.map((file) => relative(root, resolve(file)));
  return readdirSync(join(root, "test/vm"))
    .filter((name) => name.endsWith(".test.ts"))
    .sort()
    .map((name) => `test/vm/${name}`);
}

/** One machine that runs all files. */
async function runOn(kernel, files, processors) {
  mkdirSync(join(root, ".vm"), { recursive: true });
  const folder = mkdtempSync(join(root, `.vm/run-${kernel.series}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.on("exit", remove);
  const bundles = files.map((file) => new Bundle(file, folder));
  await Promise.all(bundles.map((bundle) => bundle.write()));
  const task = { bundles: bundles.map(({ name }) => name), fileSeconds: FILE_SECONDS, tests: values.tests };
  writeFileSync(join(folder, "task.json"), JSON.stringify(task));
  const say = (line) => {
    const told = bundles.reduce((text, bundle) => bundle.explained(text), line);
    console.log(`[${kernel.series}] ${told}`);
  };
  const machine = new Machine({ kernel, root, folder, processors, seconds: 120 + FILE_SECONDS * files.length, say });
  const stop = () => machine.stop();
  process.on("exit", stop);
  const trouble = await machine.run();
  if (trouble !== undefined) console.log(`[${kernel.series}] ${trouble}`);
  const report = new Report(kernel, bundles, trouble);
  for (const listener of [remove, stop]) process.off("exit", listener);
  remove();
  return report;
}

async function runAll() {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
  const files = testFiles();
  const processors = Math.max(1, Math.floor(cpus().length / kernels.length));
  const started = Date.now();
  const reports = await Promise.all(kernels.map((kernel) => runOn(kernel, files, processors)));
  for (const report of reports)
    for (const { file, name, state, errors } of report.failures)
      console.log(`\n${state} on ${report.kernel.release}: ${file} > ${name}\n${errors.join("\n")}`);
  console.log("");
  for (const report of reports)
    console.log(`${report.kernel.release}: ${report.count("passed")} passed, ${report.failures.length} failed`);
  const all = counts(reports);
  const failed = all.numTotalTests - all.numPassedTests;
  console.log(`vm: ${all.numPassedTests} passed, ${failed} failed in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(all));
  return failed === 0 && all.numTotalTests > 0;
}
