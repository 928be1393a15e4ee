#!/usr/bin/env node
// Builds build/Release/pipework.node with node-gyp, unless it is newer than everything it is made from.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);
const target = join(root, "build/Release/pipework.node");

/**
 * A folder with include/node, for node-gyp: without one, it would download headers. That of the running Node, else that of
 * Debian's libnode-dev (which npm there brings along): Node-API is the same in all of them. Undefined when there is none:
 * then node-gyp does what its user has configured.
 */
export function nodeDirectory() {
  const complete = (folder) =>
    ["node_api.h", "common.gypi"].every((name) => existsSync(join(folder, "include/node", name)));
  return [dirname(dirname(process.execPath)), "/usr"].find(complete);
}

function upToDate() {
  if (!existsSync(target)) return false;
  const built = statSync(target).mtimeMs;
  const sources = readdirSync(join(root, "native"), { recursive: true }).map((name) => join(root, "native", name));
  return [join(root, "binding.gyp"), ...sources].every((file) => statSync(file).mtimeMs < built);
}

function build() {
  const nodeGyp = createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
  const directory = nodeDirectory();
  const options = directory === undefined ? [] : [`--nodedir=${directory}`];
  const { status } = spawnSync(process.execPath, [nodeGyp, "rebuild", "--loglevel=warn", "-j", "max", ...options], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) {
    console.error(
      "build-native: the addon was not built. A C++17 compiler, make and python3 are needed: apt-get install build-essential python3",
    );
    process.exit(1);
  }
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes("--force") || !upToDate()) build();
}
