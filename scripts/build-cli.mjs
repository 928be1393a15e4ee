// Bundles the command line into one file, dist/cli.cjs. CommonJS because an ES module entry costs Node 20 four
// milliseconds more; what is behind a dynamic import() in the sources is inside the file and evaluated on first use.
import { chmodSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = new URL("../", import.meta.url);
const outfile = fileURLToPath(new URL("dist/cli.cjs", root));
const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));

await build({
  entryPoints: [fileURLToPath(new URL("src/cli/main.ts", root))],
  outfile,
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20",
  minify: true,
  legalComments: "inline",
  banner: { js: "#!/usr/bin/env node" },
  define: {
    "import.meta.dirname": "__dirname",
    PIPEWORK_VERSION: JSON.stringify(version),
  },
  logLevel: "warning",
});
chmodSync(outfile, 0o755);
console.log(`dist/cli.cjs: ${statSync(outfile).size} bytes`);
