import { spawnSync } from "node:child_process";
import { beforeAll } from "vitest";

/**
 * For the head of a file: loads these kernel modules before its tests. The machine starts with none of them, so that a
 * test says what it depends on. One that cannot be loaded fails the file, with modprobe's words.
 */
export function needs(...modules: readonly string[]): void {
  beforeAll(() => {
    if (process.env["PIPEWORK_VM"] === undefined)
      throw new Error("these tests load kernel modules: they run in a virtual machine only, by scripts/vm.mjs");
    const missing = modules.flatMap((name) => {
      const { status, stderr, error } = spawnSync("modprobe", ["-q", name], { encoding: "utf8" });
      return status === 0 ? [] : [`${name}: ${error?.message ?? (stderr.trim() || "no such module")}`];
    });
    if (missing.length > 0) throw new Error(`kernel ${process.env["PIPEWORK_VM"]} lacks ${missing.join("; ")}`);
  });
}
