// Builds the command line: one bundle of everything, its code cache, and the small file that starts it.
//
//   dist/cli.cjs           the command: runs the bundle with the cache
//   dist/cli-bundle.cjs    all of it in one file; `node dist/cli-bundle.cjs` works as well
//   dist/cli-bundle.cache  what V8 makes of the bundle
//
// V8 needs some 5 ms to look through the bundle and to compile what an attach uses; with the cache it needs a fifth of
// that. A cache of another version of V8, or a missing one, is no failure: the bundle is compiled then.
// CommonJS, because an ES module as entry costs Node 20 four milliseconds more. What stands behind a dynamic import()
// in the sources is inside the bundle and evaluated on first use.
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { build } from "esbuild";

const root = new URL("../", import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));
const { version } = JSON.parse(readFileSync(at("package.json"), "utf8"));

const bundle = await build({
  entryPoints: [at("src/cli/main.ts")],
  bundle: true,
  write: false,
  format: "cjs",
  platform: "node",
  target: "node20",
  minify: true,
  // import("node:net") would load Node's ES module loader; as a require() it does not, and scripts have none.
  supported: { "dynamic-import": false },
  // The cache is bound to the length of the text, which is read as Latin-1.
  charset: "ascii",
  legalComments: "inline",
  define: { "import.meta.dirname": "__dirname", PIPEWORK_VERSION: JSON.stringify(version) },
  logLevel: "warning",
});
const text = bundle.outputFiles[0].text;

// The wrapper of a CommonJS module, by hand: Node's own takes no cache.
const launcher = `#!/usr/bin/env node
"use strict";
const { readFileSync } = require("node:fs");
const { Script } = require("node:vm");
const filename = __dirname + "/cli-bundle.cjs";
const read = (name, encoding) => {
  try {
    return readFileSync(__dirname + name, encoding);
  } catch {
    return undefined;
  }
};
const wrapped = "(function(exports,require,module,__filename,__dirname){" + readFileSync(filename, "latin1") + "\\n})";
const script = new Script(wrapped, { filename, cachedData: read("/cli-bundle.cache") });
script.runInThisContext()(exports, require, module, filename, __dirname);
`;

/** Compiles every function at once, not only when it is first called, so that the cache holds them all. */
function compile() {
  setFlagsFromString("--no-lazy");
  try {
    return new Script(`(function(exports,require,module,__filename,__dirname){${text}\n})`, {
      filename: at("dist/cli-bundle.cjs"),
    });
  } finally {
    // Part of what V8 compares before it takes a cache.
    setFlagsFromString("--lazy");
  }
}

mkdirSync(at("dist"), { recursive: true });
// A cache that does not belong to the bundle must not be there, not even for a moment.
rmSync(at("dist/cli-bundle.cache"), { force: true });
writeFileSync(at("dist/cli-bundle.cjs"), text);
const cache = compile().createCachedData();
writeFileSync(at("dist/cli-bundle.cache"), cache);
writeFileSync(at("dist/cli.cjs"), launcher);
chmodSync(at("dist/cli.cjs"), 0o755);
console.log(`dist/cli-bundle.cjs: ${text.length} bytes, its cache ${cache.length}; dist/cli.cjs: ${launcher.length}`);
