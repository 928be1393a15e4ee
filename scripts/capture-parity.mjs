// Records what the 2013 shell script leaves in the kernel for each form of its command line, for the tests to compare with:
//   PIPEWORK_SH=/path/to/pipework node scripts/capture-parity.mjs [case...]
// As root, with the packages docker.io, busybox-static and iproute2. All of it happens between throw-away containers of an
// engine of its own and throw-away namespaces; a commit id to be noted may be given as PIPEWORK_SH_COMMIT.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const script = process.env.PIPEWORK_SH;
if (!script) {
  console.error("PIPEWORK_SH must name a copy of the shell script");
  process.exit(2);
}
const root = join(import.meta.dirname, "..");
const fixture = join(root, "test/docker/fixture");
const golden = join(root, "test/golden/parity");

// The situations and the eye are those of the tests, which are TypeScript.
const scratch = mkdtempSync(join(root, "node_modules/.parity-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
await build({
  entryPoints: ["engine", "parity"].map((name) => join(fixture, `${name}.ts`)),
  outdir: scratch,
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  outExtension: { ".js": ".mjs" },
  logLevel: "error",
});
const load = (name) => import(pathToFileURL(join(scratch, `${name}.mjs`)).href);
const { startEngine } = await load("engine");
const { parityCases, play, scriptPlayer } = await load("parity");

const text = (program, ...words) => execFileSync(program, words, { encoding: "utf8" }).trim();
const provenance = {
  script: "jpetazzo/pipework",
  ...(process.env.PIPEWORK_SH_COMMIT ? { commit: process.env.PIPEWORK_SH_COMMIT } : {}),
  blob: text("git", "hash-object", script),
  iproute2: text("ip", "-V").replace(/^ip utility, /, ""),
  kernel: release(),
  docker: text("docker", "--version"),
};

const wanted = process.argv.slice(2);
const engine = await startEngine();
const { player, remove } = scriptPlayer(script, engine.socket);
try {
  mkdirSync(golden, { recursive: true });
  if (wanted.length === 0) for (const name of readdirSync(golden)) rmSync(join(golden, name));
  for (const one of parityCases) {
    if (wanted.length > 0 && !wanted.includes(one.name)) continue;
    const played = await play(one, engine.containers, player);
    writeFileSync(
      join(golden, `${one.name}.json`),
      `${JSON.stringify({ provenance, commands: one.commands, ...played }, null, 2)}\n`,
    );
    console.log(`${one.name}: exit ${played.codes.join(", ")}`);
  }
} finally {
  remove();
  engine.stop();
}
