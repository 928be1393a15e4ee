// Runs every example in a private network and mount namespace with the guests "blue" and "red", and requires each line
// that the example itself announces as "expect:" in its output.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = mkdtempSync(join(tmpdir(), "pipework-examples-"));
symlinkSync(join(root, "dist/cli.cjs"), join(bin, "pipework"));
let failed = 0;
try {
  for (const name of readdirSync(join(root, "examples")).sort()) {
    if (!/\.(mjs|cjs|sh)$/.test(name)) continue;
    const file = join(root, "examples", name);
    const runner = name.endsWith(".sh") ? "sh" : "node";
    const prepare = 'mount -t tmpfs tmpfs /run && ip netns add blue && ip netns add red && exec "$@"';
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      ["--net", "--mount", "sh", "-ec", prepare, "sh", runner, file],
      {
        encoding: "utf8",
        env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
        timeout: 60_000,
      },
    );
    const expected = [...readFileSync(file, "utf8").matchAll(/^(?:\/\/|#) expect: (.*)$/gm)].map((match) => match[1]);
    const missing = expected.filter((line) => !stdout.includes(line));
    const good = status === 0 && expected.length > 0 && missing.length === 0;
    console.log(`${good ? "ok" : "FAILED"} examples/${name}`);
    if (!good) {
      failed++;
      console.log(
        `  exit ${status}; ${missing.map((line) => `no line with "${line}"`).join("; ")}\n${stdout}${stderr}`,
      );
    }
  }
} finally {
  rmSync(bin, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
