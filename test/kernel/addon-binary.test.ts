import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadAddon } from "../../src/kernel/addon.js";
import { PipeworkError } from "../../src/values/error.js";
import { addonFile } from "./support/child.js";

const lines = (program: string, ...words: string[]) =>
  execFileSync(program, words, { encoding: "utf8" }).trim().split("\n");

/** The highest version of each symbol namespace that Node 20's own Linux binary needs at least. */
const floor: Record<string, number[]> = { GLIBC: [2, 28], GLIBCXX: [3, 4, 25], CXXABI: [1, 3, 11], GCC: [3, 3, 1] };

function above(version: number[], limit: number[]): boolean {
  for (let i = 0; i < Math.max(version.length, limit.length); i++) {
    const difference = (version[i] ?? 0) - (limit[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

describe("the binary", () => {
  const undefined_ = lines("nm", "-D", "--undefined-only", addonFile).map(
    (line) => line.trim().split(/\s+/).pop() as string,
  );

  test("imports Node-API and the system's own libraries, nothing of libuv or V8", () => {
    // What the C runtime's start-up objects refer to weakly.
    const startup = ["_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable", "__gmon_start__"];
    const unversioned = undefined_.filter((symbol) => !symbol.includes("@") && !startup.includes(symbol));
    expect(unversioned.filter((symbol) => !symbol.startsWith("napi_"))).toEqual([]);
    expect(unversioned).toContain("napi_create_threadsafe_function");
    const versions = undefined_.flatMap((symbol) => symbol.split("@").slice(1)).filter((version) => version !== "");
    expect([...new Set(versions.map((version) => version.split("_")[0]))].sort()).toEqual([
      "CXXABI",
      "GCC",
      "GLIBC",
      "GLIBCXX",
    ]);
  });

  test("asks for nothing newer than Node 20 itself", () => {
    const wanted = undefined_.flatMap((symbol) => /@([A-Z]+)_([\d.]+)$/.exec(symbol)?.slice(1, 3) ?? []);
    const tooNew: string[] = [];
    for (let i = 0; i < wanted.length; i += 2) {
      const [library, version] = [wanted[i] as string, wanted[i + 1] as string];
      if (above(version.split(".").map(Number), floor[library] ?? [0])) tooNew.push(`${library}_${version}`);
    }
    expect(wanted.length).toBeGreaterThan(20);
    expect(tooNew).toEqual([]);
  });

  test("needs the usual libraries, and shows the two entry points alone", () => {
    const needed = lines("readelf", "-d", addonFile).flatMap((line) => /NEEDED.*\[(.*)\]/.exec(line)?.slice(1) ?? []);
    const usual = ["libc.so.6", "libgcc_s.so.1", "libpthread.so.0", "libstdc++.so.6"];
    expect(needed.filter((library) => !usual.includes(library))).toEqual([]);
    const shown = lines("nm", "-D", "--defined-only", addonFile).map((line) => line.split(" ").pop());
    expect(shown.sort()).toEqual(["napi_register_module_v1", "node_api_module_get_api_version_v1"]);
  });
});

describe("the loader", () => {
  const roots: string[] = [];
  afterAll(() => {
    for (const root of roots) rmSync(root, { recursive: true });
  });
  function root(files: Record<string, string | undefined>): string {
    const directory = mkdtempSync(join(tmpdir(), "pipework-root-"));
    roots.push(directory);
    for (const [name, content] of Object.entries(files)) {
      const file = join(directory, name);
      mkdirSync(join(file, ".."), { recursive: true });
      if (content === undefined) copyFileSync(addonFile, file);
      else writeFileSync(file, content);
    }
    return directory;
  }
  const prebuild = `prebuilds/linux-${process.arch}/pipework.glibc.node`;
  const local = "build/Release/pipework.node";

  // In this order: once an addon is loaded, it stays the one.
  test("names every file that it tried, why none would do, and what to do", () => {
    const directory = root({ [prebuild]: "no library at all" });
    let error: unknown;
    try {
      loadAddon(directory);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PipeworkError);
    const { code, message, hint } = error as PipeworkError;
    expect(code).toBe("addon-missing");
    expect(message).toContain(`${join(directory, prebuild)}: `);
    expect(message).toMatch(/invalid ELF header|file too short/);
    expect(message).toContain(`${join(directory, local)}: no such file`);
    expect(hint).toContain("npm run build:native");
  });

  test("falls back to a local build when the prebuild does not load, and keeps what it has loaded", () => {
    const addon = loadAddon(root({ [prebuild]: "no library at all", [local]: undefined }));
    expect(Object.keys(addon).sort()).toEqual(["Runner", "openNetns"]);
    expect(loadAddon("/nowhere")).toBe(addon);
  });

  test("prefers the prebuild", () => {
    // In a process of its own, whose maps tell which file was loaded.
    const directory = root({ [prebuild]: undefined, [local]: undefined, "package.json": `{"name":"pipework"}` });
    const source = join(import.meta.dirname, "../../src/kernel/addon.ts");
    const bundle = join(directory, "dist/kernel/addon.mjs");
    const esbuild = join(import.meta.dirname, "../../node_modules/.bin/esbuild");
    execFileSync(esbuild, [
      source,
      "--bundle",
      "--platform=node",
      "--format=esm",
      `--outfile=${bundle}`,
      "--log-level=error",
    ]);
    const script = `import { loadAddon } from ${JSON.stringify(bundle)}; loadAddon();
      const maps = (await import("node:fs")).readFileSync("/proc/self/maps", "utf8");
      console.log(maps.split("\\n").find((line) => line.endsWith(".node")).split(" ").pop());`;
    expect(execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }).trim()).toBe(
      join(directory, prebuild),
    );
  });
});
