import { existsSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { PipeworkError } from "../values/error.js";
import type { NativeAddon } from "./native.js";

let loaded: NativeAddon | undefined;

/** The folder of this package: this file lies in src/kernel, dist/kernel, or in a bundle in dist. */
function packageRoot(): string {
  for (let directory = import.meta.dirname; ; directory = dirname(directory)) {
    const manifest = join(directory, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "pipework") return directory;
    if (directory === dirname(directory)) return import.meta.dirname;
  }
}

/** A prebuild, as prebuildify names it (one binary for every Node, by --napi), comes before a local build. */
function candidates(root: string): string[] {
  const folder = join(root, "prebuilds", `linux-${process.arch}`);
  const prebuilt = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".glibc.node"))
        .sort()
    : [];
  return [...prebuilt.map((name) => join(folder, name)), join(root, "build/Release/pipework.node")];
}

/**
 * The native addon, loaded once per thread. By process.dlopen and not by a loader package: those cost the one-shot
 * command milliseconds, and obey environment variables that choose which code a root process runs.
 *
 * @throws PipeworkError "addon-missing", naming every file tried and why it would not do.
 */
export function loadAddon(root = packageRoot()): NativeAddon {
  if (loaded !== undefined) return loaded;
  const failures: string[] = [];
  for (const file of candidates(root)) {
    const module = { exports: {} };
    try {
      // RTLD_NOW: a missing symbol is told here, and not when it is first called.
      process.dlopen(module, file, constants.dlopen.RTLD_NOW);
      loaded = module.exports as NativeAddon;
      return loaded;
    } catch (error) {
      failures.push(existsSync(file) ? `${file}: ${(error as Error).message.split("\n")[0]}` : `${file}: no such file`);
    }
  }
  throw new PipeworkError({
    code: "addon-missing",
    message: `the native addon of pipework cannot be loaded: ${failures.join("; ")}`,
    hint: `build it with "npm run build:native" in ${root} (a C++17 compiler, make and python3 are needed)`,
  });
}
