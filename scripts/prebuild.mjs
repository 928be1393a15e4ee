#!/usr/bin/env node
// Makes prebuilds/linux-x64/*.glibc.node, the binary that the published package carries. What it asks of a system is checked
// by test/kernel/addon-binary.test.ts.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { nodeDirectory } from "./build-native.mjs";

const root = dirname(import.meta.dirname);
const folder = join(root, "prebuilds", "linux-x64");

function fail(text) {
  console.error(`prebuild: ${text}`);
  process.exit(1);
}

if (process.platform !== "linux" || process.arch !== "x64")
  fail(`made on linux-x64 only, this is ${process.platform}-${process.arch}`);
if (process.report.getReport().header.glibcVersionRuntime === undefined)
  fail("made with glibc only, this system has another C library");

rmSync(folder, { recursive: true, force: true });
const directory = nodeDirectory();
// Without a folder of headers prebuildify would download those of the newest Node it knows.
const env = directory === undefined ? process.env : { ...process.env, npm_config_nodedir: directory };
const prebuildify = createRequire(import.meta.url).resolve("prebuildify/bin.js");
const { status } = spawnSync(process.execPath, [prebuildify, "--napi", "--strip", "--tag-libc"], {
  cwd: root,
  env,
  stdio: "inherit",
});
if (status !== 0) fail("prebuildify failed");

const [file] = readdirSync(folder).filter((name) => name.endsWith(".glibc.node"));
if (file === undefined) fail(`no file *.glibc.node in ${folder}`);
console.log(join("prebuilds", "linux-x64", file));
