import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = dirname(dirname(dirname(import.meta.dirname)));
export const addonFile = join(root, "build/Release/pipework.node");

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** Lines of standard output, parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: each child has its own to say
  readonly said: any[];
  readonly stderr: string;
}

/** Runs support/child.mjs, under strace when words for it are given, with so many descriptors when they are limited. */
export function child(
  what: string,
  { strace, descriptors }: { strace?: string[]; descriptors?: number } = {},
): Promise<Ended> {
  const directory = mkdtempSync(join(tmpdir(), "pipework-child-"));
  const [program, ...words] = [
    ...(strace === undefined ? [] : ["strace", "-f", "-qq", "-o", "/dev/null", ...strace]),
    ...(descriptors === undefined ? [] : ["prlimit", `--nofile=${descriptors}:${descriptors}`]),
    ...[process.execPath, join(import.meta.dirname, "child.mjs"), addonFile, directory, what],
  ];
  return new Promise((resolve, reject) => {
    const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
    const running = spawn(program as string, words, { stdio: ["ignore", "pipe", "pipe"], env });
    let stdout = "";
    let stderr = "";
    running.stdout.on("data", (data) => (stdout += data));
    running.stderr.on("data", (data) => (stderr += data));
    running.on("error", reject);
    running.on("close", (code, signal) => {
      rmSync(directory, { recursive: true, force: true });
      const said = stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line));
      resolve({ code, signal, said, stderr });
    });
  });
}
