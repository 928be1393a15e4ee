// The machine's runner: each bundle of tests in a process of its own, ended when it hangs.
//   node run.mjs <folder>
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const folder = resolve(process.argv[2]);
const { bundles, fileSeconds, tests } = JSON.parse(readFileSync(join(folder, "task.json"), "utf8"));

function run(bundle) {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1", ...(tests === undefined ? {} : { PIPEWORK_VM_TESTS: tests }) };
    const child = spawn(process.execPath, [join(folder, bundle)], { stdio: ["ignore", "inherit", "inherit"], env });
    const limit = setTimeout(() => {
      console.log(`vm: ${bundle} is ended after ${fileSeconds} s`);
      child.kill("SIGKILL");
    }, fileSeconds * 1000);
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      if (code !== 0) console.log(`vm: ${bundle} ended with ${signal ?? code}`);
      resolve();
    });
  });
}

for (const bundle of bundles) await run(bundle);
