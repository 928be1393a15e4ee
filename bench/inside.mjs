/**
 * The inner half of the benchmark: started by run.mjs as the first process of private PID, network and mount
 * namespaces. Reads its options as JSON from argv, writes its record as JSON to descriptor 3, progress to stderr.
 */
import { existsSync, writeSync } from "node:fs";
import { attachSection, checkSameResult, warmUp } from "./attach-section.mjs";
import { DockerEngine, ScriptedEngine } from "./engine.mjs";
import { compile, Floor, SpawnTimer } from "./floor.mjs";
import { nameSection } from "./name-section.mjs";
import { processSection } from "./process-section.mjs";
import { Record } from "./record.mjs";
import { shellSection } from "./shell-section.mjs";
import { hideMachine, linkNames, makeBridge, makeGuest, scratch, sleep } from "./stage.mjs";
import { bridge, reapMs } from "./wiring.mjs";

const { quick, docker, cgroup, library, cli, shell } = JSON.parse(process.argv[2]);

// The first process of a PID namespace ignores signals it has no handler for. When it ends, everything else does.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(signal === "SIGINT" ? 130 : 143));
process.stdin.on("close", () => process.exit(1)).resume(); // the outer half is gone

const started = Date.now();
const progress = (text) =>
  process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);

async function main() {
  hideMachine();
  makeBridge(bridge);
  const scale = (full, short) => (quick ? short : full);
  const record = new Record();
  const env = process.env;
  const spawnTimer = compile("spawn-timer", scratch);
  const floor = new Floor(compile("attach-floor", scratch), env);

  progress(docker.use ? "starting a Docker Engine" : "starting the scripted engine");
  const engine = docker.use ? await DockerEngine.start(6, cgroup) : await ScriptedEngine.start(6);
  process.env.DOCKER_HOST = `unix://${engine.socketPath}`;
  const spawn = new SpawnTimer(spawnTimer, process.env);
  const { Pipework } = await import(library);
  const pw = new Pipework({ docker: process.env.DOCKER_HOST });
  try {
    const make = (prefix, count, ipv6) => Array.from({ length: count }, (_, i) => makeGuest(`${prefix}${i}`, { ipv6 }));
    const guests = make("quiet", 16, false);
    const talkative = make("ipv6-", 16, true);
    const side = { floor, pw, record, engine, spawn, cli, spawnTimer };

    progress("checking that floor and library give the same result");
    await checkSameResult(side, guests);

    progress("warming up");
    await warmUp(side, guests, scale(40, 25));

    progress("attach by namespace and detach, guests without IPv6");
    const attachRows = { floor: "attach.floor", library: "attach.library" };
    const detachRows = { notice: "detach.notice", ack: "detach.ack", detach: "detach.library" };
    await attachSection(side, guests, { ...attachRows, ...detachRows }, { blocks: scale(40, 8) });

    progress("the same without announcing");
    const plainRows = { floor: "plain.floor", library: "plain.library" };
    await attachSection(side, guests, plainRows, { blocks: scale(16, 4), more: { announce: false } });

    progress("the same, guests with the kernel's own IPv6");
    await attachSection(side, talkative, { floor: "ipv6.floor", library: "ipv6.library" }, { blocks: scale(16, 4) });

    progress("the same, idle for 30 ms before each attach");
    const idleRows = { floor: "idle.floor", library: "idle.library" };
    await attachSection(side, guests, idleRows, { blocks: scale(8, 2), pauseMs: 30 });

    progress(`attach by container name, ${engine.kind}`);
    await nameSection(side, { blocks: scale(60, 12), warmBlocks: 3 });

    progress("whole processes: the command line, bare Node, iproute2");
    await processSection(side, guests, { rounds: scale(60, 15) });

    if (shell.path && docker.use) {
      progress("the shell script");
      await shellSection(side, shell.path, { rounds: scale(20, 4), arpingRounds: scale(8, 2) });
    } else {
      const why = shell.path ? `it needs Docker: ${docker.why}` : shell.why;
      for (const row of ["shell.plain", "shell.arping", "shell.cli"]) record.skip(row, why);
    }

    await sleep(reapMs);
    const left = linkNames().filter((name) => name !== "lo" && name !== bridge);
    if (left.length > 0) throw new Error(`links were left behind on the host side: ${left.join(", ")}`);
  } finally {
    progress("cleaning up");
    await pw.close();
    await floor.close();
    await spawn.close();
    await engine.stop();
  }
  progress("done");
  return { engine: engine.kind, seconds: (Date.now() - started) / 1000, ...record };
}

if (!existsSync("/proc/1/ns/net")) throw new Error("/proc is not the private PID namespace's");
try {
  const result = Buffer.from(`${JSON.stringify(await main())}\n`);
  for (let sent = 0; sent < result.length; ) sent += writeSync(3, result, sent);
  process.exit(0);
} catch (error) {
  process.stderr.write(`bench: ${error?.stack ?? error}\n`);
  process.exit(1);
}
