import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { CommandAnswer, CommandTask } from "./command.js";
import type { Act } from "./scenario-act.js";
import type { World } from "./world.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const addon = here("../../../build/Release/pipework.node");

export interface Ended extends CommandAnswer {
  readonly signal: NodeJS.Signals | null;
}

/** Processes of their own that carry out commands: bundled once, because Node runs no TypeScript by itself. */
export class Children {
  readonly #directory = mkdtempSync(`${tmpdir()}/pipework-child-`);
  readonly #script = `${this.#directory}/command.mjs`;

  static async make(): Promise<Children> {
    const children = new Children();
    await build({
      entryPoints: [here("command.ts")],
      outfile: children.#script,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      logLevel: "error",
    });
    return children;
  }

  /** `killAt`: let it carry out this many instructions and then die by SIGKILL. */
  run(world: World, guest: string, act: Act, killAt?: number): Promise<Ended> {
    const task: CommandTask = {
      addon,
      host: world.host,
      runDir: world.runDir,
      guest,
      act,
      ...(killAt === undefined ? {} : { killAt }),
    };
    // Node 20 parses the extra certificates at every start.
    const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [this.#script, JSON.stringify(task)], {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let [said, complained] = ["", ""];
      child.stdout.on("data", (data) => {
        said += data;
      });
      child.stderr.on("data", (data) => {
        complained += data;
      });
      child.on("error", reject);
      child.on("close", (status, signal) => {
        if (signal !== null) return resolve({ signal });
        if (status !== 0) return reject(new Error(`the child ended with ${status}: ${complained}`));
        resolve({ signal, ...(JSON.parse(said) as CommandAnswer) });
      });
    });
  }

  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
