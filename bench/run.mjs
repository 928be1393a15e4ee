/**
 * npm run bench [-- --quick] [--docker | --no-docker]
 *
 * Measures the library and the command line against a C program that sends the least netlink for the same result, in
 * one run, side by side. Everything happens inside private PID, network and mount namespaces (inside.mjs): nothing on
 * the machine is touched, and everything made there is gone when that half ends, however it ends. See
 * docs/benchmark.md. Needs root, a C compiler, iproute2 and util-linux; no network.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cgroupName, removeCgroups } from "./engine.mjs";
import { evaluate, markdown } from "./report.mjs";

const root = join(import.meta.dirname, "..");

class Refusal extends Error {}

function installed(program) {
  return (process.env.PATH ?? "").split(":").some((directory) => existsSync(join(directory, program)));
}

function dockerUse({ docker, "no-docker": noDocker, quick }) {
  const missing = ["dockerd", "docker"].filter((program) => !installed(program));
  if (!existsSync("/bin/busybox")) missing.push("/bin/busybox (package busybox-static)");
  if (docker && missing.length > 0)
    throw new Refusal(`--docker was asked for, but this is missing: ${missing.join(", ")}`);
  if (noDocker) return { use: false, why: "--no-docker was given" };
  if (quick && !docker) return { use: false, why: "a quick run starts no engine without --docker" };
  if (missing.length > 0) return { use: false, why: `not installed: ${missing.join(", ")}` };
  return { use: true };
}

function shellScript() {
  const path = process.env.PIPEWORK_SH;
  if (!path) return { why: "PIPEWORK_SH does not name a copy of it" };
  if (!existsSync(path)) throw new Refusal(`PIPEWORK_SH names ${path}, which does not exist`);
  const absolute = realpathSync(path);
  if (absolute.startsWith("/run/")) throw new Refusal("PIPEWORK_SH may not lie under /run, which the benchmark hides");
  return { path: absolute };
}

function describeMachine() {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const [ip] = execFileSync("ip", ["-V"], { encoding: "utf8" }).trim().split(",").slice(1);
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? "unknown CPU",
    cores: cpus().length,
    kernel: release(),
    node: process.versions.node,
    iproute2: ip.trim(),
    pipework: version,
  };
}

/** Runs inside.mjs and gives what it writes to descriptor 3. */
async function runInside(options, seconds) {
  const { NODE_EXTRA_CA_CERTS, NODE_OPTIONS, DOCKER_CONTEXT, ...env } = process.env;
  const unshare = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];
  const inner = [process.execPath, join(import.meta.dirname, "inside.mjs"), JSON.stringify(options)];
  const child = spawn("unshare", [...unshare, ...inner], { env, stdio: ["pipe", "ignore", "inherit", "pipe"] });
  const stop = () => child.kill("SIGTERM");
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
  let late = false;
  const bound = setTimeout(() => {
    late = true;
    stop();
  }, seconds * 1000);
  let text = "";
  child.stdio[3].setEncoding("utf8").on("data", (chunk) => (text += chunk));
  const ended = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(bound);
  if (late) throw new Refusal(`the benchmark did not end within ${seconds} s`);
  if (ended !== 0) throw new Refusal(`the benchmark did not finish (${ended}); its last words are above`);
  return JSON.parse(text);
}

async function main() {
  const { values: options } = parseArgs({
    options: { quick: { type: "boolean" }, docker: { type: "boolean" }, "no-docker": { type: "boolean" } },
  });
  if (process.getuid() !== 0) throw new Refusal("the benchmark makes network namespaces: run it as root");
  for (const program of ["cc", "ip", "unshare", "nsenter", "mount"]) {
    if (!installed(program))
      throw new Refusal(`the benchmark needs ${program} (packages gcc, iproute2, util-linux, mount)`);
  }
  const library = join(root, "dist", "index.js");
  const cli = join(root, "dist", "cli.cjs");
  for (const file of [library, cli]) {
    if (!existsSync(file)) throw new Refusal(`${file} does not exist: run "npm run build" first`);
  }
  const quick = options.quick === true;
  const docker = dockerUse(options);
  let result;
  try {
    const inside = { quick, docker, cgroup: cgroupName(), library, cli, shell: shellScript() };
    result = await runInside(inside, quick ? 150 : 600);
  } finally {
    if (docker.use) removeCgroups();
  }
  const machine = describeMachine();
  const evaluation = evaluate(result);
  const table = markdown({ machine, options: { quick }, result, evaluation });
  const directory = join(import.meta.dirname, "results");
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${machine.date}-${machine.kernel}${quick ? "-quick" : ""}.json`);
  writeFileSync(
    file,
    `${JSON.stringify({ machine, quick, seconds: result.seconds, engine: result.engine, ...evaluation, samples: result.samples }, null, 1)}\n`,
  );
  writeFileSync(join(directory, "latest.md"), table);
  process.stdout.write(table);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Refusal ? error.message : (error?.stack ?? error)}\n`);
  process.exitCode = 1;
}
