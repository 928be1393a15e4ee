import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LeakAnswer, LeakTask } from "./support/leak-cycles.js";
import { closeWorlds, World } from "./support/world.js";

const root = join(import.meta.dirname, "../..");
/** Until V8 has compiled what it will. */
const WARM_UP = 1000;
const CYCLES = 1000;
const WORKERS = 4;
const MiB = 1024 * 1024;

/** In a process of its own, whose every descriptor, thread and byte is the product's, and whose collector can be called. */
async function cycles(world: World): Promise<LeakAnswer> {
  const directory = mkdtempSync(join(tmpdir(), "pipework-leak-"));
  try {
    const script = join(directory, "cycles.mjs");
    await build({
      entryPoints: [join(import.meta.dirname, "support/leak-cycles.ts")],
      outfile: script,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      logLevel: "error",
    });
    const guests = Array.from({ length: 2 * WORKERS }, (_, i) => world.guest({ ipv6: i % 2 === 0 }));
    const addon = join(root, "build/Release/pipework.node");
    const task: LeakTask = {
      addon,
      host: world.host,
      runDir: world.runDir,
      guests,
      nic: "nic0",
      warmUp: WARM_UP,
      cycles: CYCLES,
      workers: WORKERS,
    };
    // A young generation and arenas of a fixed size: else the process grows by 30 MB before it stays as it is. Node 20 keeps
    // the extra certificates it parses.
    const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...rest } = process.env;
    const flags = ["--expose-gc", "--max-semi-space-size=1"];
    const env = { ...rest, MALLOC_ARENA_MAX: "2" };
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, JSON.stringify(task)], {
      env,
    });
    return JSON.parse(stdout) as LeakAnswer;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe(`${CYCLES} attaches and detaches with failures mixed in, and 8 instances in ${WORKERS} workers`, () => {
  const world = new World();
  let answer: LeakAnswer;
  let before: unknown;
  const state = () => ({
    host: world.json(world.host, "link").map(({ ifname }) => ifname),
    guests: world.namespaces.slice(1).map((guest) => world.json(guest, "link").map(({ ifname }) => ifname)),
    files: readdirSync(world.runDir, { recursive: true, withFileTypes: true }).flatMap((entry) =>
      entry.isFile() && entry.name !== "lock" ? [entry.name] : [],
    ),
    named: readdirSync("/run/netns").filter((name) => /^\d+$/.test(name)),
  });

  beforeAll(async () => {
    world.ip(world.host, "link add nic0 type veth peer name far0", "link set far0 up");
    before = { ...state(), guests: Array.from({ length: 2 * WORKERS }, () => ["lo"]) };
    answer = await cycles(world);
  }, 240_000);
  afterAll(closeWorlds);

  it("failed in each of the ways they were to, a third of them", () => {
    const codes = ["aborted", "guest-gone", "guest-not-found", "kernel-refused", "name-taken"];
    expect(Object.keys(answer.failures).sort()).toEqual(codes);
    expect(Object.values(answer.failures).reduce((sum, one) => sum + one, 0)).toBe(
      Math.ceil(CYCLES / 3) + Math.ceil(WARM_UP / 3),
    );
  });

  it("leave no descriptor and no thread", () => {
    const [start, warm, after, closed] = answer.held;
    expect({ descriptors: after.descriptors, threads: after.threads }).toEqual({
      descriptors: warm.descriptors,
      threads: warm.threads,
    });
    expect({ descriptors: closed.descriptors, threads: closed.threads }).toEqual({
      descriptors: start.descriptors,
      threads: start.threads,
    });
  });

  it("close the guest's namespace each time, and leave none to the collector", () => {
    expect(answer.forgotten).toBe(0);
  });

  it("leave every thread in the namespace the process was started in", () => {
    const home = readlinkSync("/proc/self/ns/net");
    for (const { namespaces } of answer.held) expect(namespaces).toEqual([home]);
  });

  it("leave memory as it was: one lost message per cycle would be more than this", () => {
    const [, warm, after] = answer.held;
    expect(after.heap - warm.heap).toBeLessThan(CYCLES * 512);
    expect(after.rss - warm.rss).toBeLessThan(4 * MiB);
  });

  it("leave no link but the bridges, no file and no namespace", () => {
    const { host, ...rest } = state();
    const { host: hostBefore, ...restBefore } = before as ReturnType<typeof state>;
    expect(rest).toEqual(restBefore);
    expect(host.sort()).toEqual([...hostBefore, "br0", "br1"].sort());
    expect(world.json(world.host, "-d", "link").filter(({ group }) => group !== "default")).toEqual([]);
  });
});
