#!/usr/bin/env node
// Builds the plain C++ and the addon with the sanitizers (cmake-js, build-cmake/), runs the C++ tests, then Node with that
// addon: faults of memory, undefined behaviour, and leaks that our own code has a part in.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);
const build = join(root, "build-cmake");
const require = createRequire(import.meta.url);

function fail(text) {
  console.error(`test-native: ${text}`);
  process.exit(1);
}

function run(program, words, options = {}) {
  const result = spawnSync(program, words, {
    cwd: root,
    encoding: "utf8",
    stdio: "inherit",
    maxBuffer: 1 << 28,
    ...options,
  });
  if (result.error) fail(`${program}: ${result.error.message}`);
  return result;
}

if (process.getuid() !== 0) fail("root is needed: the tests make network namespaces");

const cmakeJs = require.resolve("cmake-js/bin/cmake-js");
if (
  run(process.execPath, [cmakeJs, "compile", "--out", build, "--CDSANITIZE=ON", "--log-level", "error"]).status !== 0
) {
  fail(
    "the build failed; cmake, a C++17 compiler and its sanitizer libraries are needed: apt-get install cmake build-essential",
  );
}
if (run("ctest", ["--test-dir", build, "--output-on-failure"]).status !== 0) fail("C++ tests failed");

// The addon is linked to libasan, which must be the first library of the process.
const libasan = run("c++", ["-print-file-name=libasan.so"], { stdio: "pipe" }).stdout.trim();
if (!existsSync(libasan)) fail("libasan.so is not where the compiler says");

/**
 * Reports of leaks that our own code has a part in. When the process ends early, V8 leaves its heap as it is: then only
 * what our code allocated itself counts. Never counted are the 8 bytes of a promise that is pending when its worker is
 * terminated: Node-API frees them by settling the promise, and refuses to do so by then.
 */
function ourLeaks(output, endedEarly) {
  const ours = /pipework\.node|\/native\/|\/node-addon-api\//;
  return output
    .split(/\n(?=(?:Direct|Indirect) leak of)/)
    .filter((block) => /^(?:Direct|Indirect) leak of/.test(block))
    .map((block) => block.split("\n\n")[0])
    .filter((block) => {
      const frames = block.split("\n").slice(2);
      const allocator = frames.find((frame) => !frame.includes("/usr/include/c++/"));
      if (allocator === undefined || allocator.includes(" in napi_create_promise ")) return false;
      return ours.test(endedEarly ? allocator : block);
    });
}

for (const mode of [[], ["exit"]]) {
  const { status, signal, stderr, stdout } = run(
    process.execPath,
    ["--expose-gc", join(root, "test/native/smoke.mjs"), join(build, "Release/pipework.node"), ...mode],
    {
      stdio: "pipe",
      env: {
        ...process.env,
        LD_PRELOAD: libasan,
        ASAN_OPTIONS: "detect_leaks=1:detect_stack_use_after_return=1",
        LSAN_OPTIONS: "exitcode=0",
        UBSAN_OPTIONS: "print_stacktrace=1",
      },
    },
  );
  const output = stdout + stderr;
  const leaks = ourLeaks(output, mode.length > 0);
  if (status !== 0 || leaks.length > 0 || /ERROR: AddressSanitizer|runtime error:/.test(output)) {
    console.error(leaks.length > 0 ? leaks.join("\n\n") : output.slice(0, 20000));
    fail(
      `Node under the sanitizers${mode.length > 0 ? ", ended early" : ""}: status ${status ?? signal}, ${leaks.length} leaks`,
    );
  }
  console.log(`smoke under the sanitizers${mode.length > 0 ? ", ended early" : ""}: ok`);
}
