import { existsSync, readFileSync } from "node:fs";

/** What came of the bundles of a run on one kernel. `trouble`: why the machine did not end by itself. */
export class Report {
  constructor(kernel, bundles, trouble) {
    this.kernel = kernel;
    this.files = bundles.map((bundle) => {
      const { tests, complete } = existsSync(bundle.result)
        ? JSON.parse(readFileSync(bundle.result, "utf8"))
        : { tests: [], complete: false };
      const lost = complete ? [] : [lostTest(tests, trouble)];
      return { file: bundle.file, tests: [...tests, ...lost].map((test) => explained(test, bundle)) };
    });
  }

  get tests() {
    return this.files.flatMap(({ tests }) => tests);
  }

  count(state) {
    return this.tests.filter((test) => test.state === state).length;
  }

  /** All that is not passed, skipped tests included: none may be. */
  get failures() {
    return this.files.flatMap(({ file, tests }) =>
      tests.filter(({ state }) => state !== "passed").map((test) => ({ file, ...test })),
    );
  }
}

function lostTest(tests, trouble) {
  const where = tests.length === 0 ? "before its first test" : `after "${tests.at(-1).name}"`;
  return {
    name: "the file itself: ran to its end",
    state: "failed",
    milliseconds: 0,
    errors: [`it ended ${where}${trouble === undefined ? "" : `: ${trouble}`}`],
  };
}

/** Places in the bundle become places in the sources, and those in packages are left out. */
function explained(test, bundle) {
  const lines = (text) =>
    text
      .split("\n")
      .map((line) => bundle.explained(line))
      .filter((line) => !/^\s+at .*(node_modules|node:internal|scripts\/vm\/inside)\//.test(line))
      .join("\n");
  return { ...test, errors: test.errors.map(lines) };
}

/** The counts as vitest's JSON reporter names them. */
export function counts(reports) {
  const sum = (state) => reports.reduce((total, report) => total + report.count(state), 0);
  const [numPassedTests, numFailedTests, numPendingTests] = ["passed", "failed", "skipped"].map(sum);
  return {
    numTotalTests: numPassedTests + numFailedTests + numPendingTests,
    numPassedTests,
    numFailedTests,
    numPendingTests,
    kernels: Object.fromEntries(reports.map(({ kernel, files }) => [kernel.series, files])),
  };
}
