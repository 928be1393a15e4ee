import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = dirname(dirname(import.meta.dirname));
const scratch = mkdtempSync(join(tmpdir(), "pipework-packaging-"));
const clone = join(scratch, "clone");
const user = join(scratch, "user");
const installed = join(user, "node_modules/pipework");

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function run(command: string, words: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): string {
  return execFileSync(command, words, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Runs in a private network and mount namespace with the guests blue and red. */
function privately(words: readonly string[], cwd = user): string {
  const prepare = 'mount -t tmpfs tmpfs /run && ip netns add blue && ip netns add red && exec "$@"';
  return run("unshare", ["--net", "--mount", "sh", "-ec", prepare, "sh", ...words], cwd);
}

/** A PATH with Node and npm, and neither a compiler nor make nor python. */
function withoutCompiler(): NodeJS.ProcessEnv {
  const bin = join(scratch, "bin");
  mkdirSync(bin, { recursive: true });
  for (const [name, target] of [
    ["node", process.execPath],
    ["npm", join(dirname(process.execPath), "npm")],
    ["sh", "/bin/sh"],
    ["env", "/usr/bin/env"],
  ] as const) {
    if (!existsSync(join(bin, name))) symlinkSync(target, join(bin, name));
  }
  return { ...process.env, PATH: bin };
}

let files: string[];

beforeAll(() => {
  // What is committed or about to be, without anything that was built here.
  const tracked = run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], root)
    .split("\0")
    .filter(Boolean);
  for (const file of tracked) {
    if (existsSync(join(root, file))) cpSync(join(root, file), join(clone, file));
  }
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
  for (const script of ["build:ts", "build:cli", "prebuild"]) run("npm", ["run", script], clone);
  const [packed] = JSON.parse(run("npm", ["pack", "--json"], clone)) as [
    { filename: string; files: { path: string }[] },
  ];
  files = packed.files.map(({ path }) => path);
  mkdirSync(user);
  writeFileSync(join(user, "package.json"), '{ "name": "user", "version": "1.0.0", "private": true }');
  run(
    "npm",
    ["install", "--no-audit", "--no-fund", "--offline", join(clone, packed.filename)],
    user,
    withoutCompiler(),
  );
}, 300_000);

describe("the tarball", () => {
  test("holds the command, the library with its types, and the prebuild, and nothing to be compiled", () => {
    for (const file of ["dist/cli.cjs", "dist/index.js", "dist/index.d.ts", "README.md", "LICENSE", "CHANGELOG.md"])
      expect(files).toContain(file);
    expect(files.filter((file) => /^prebuilds\/linux-x64\/.*\.glibc\.node$/.test(file))).toHaveLength(1);
    expect(files.filter((file) => /(^|\/)binding\.gyp$|\.cc$|^src\/|^test\//.test(file))).toEqual([]);
  });

  test("runs no script when it is installed and brings no other package", () => {
    expect(readdirSync(join(user, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["pipework"]);
    expect(existsSync(join(installed, "build"))).toBe(false);
  });

  test("passes publint", () => {
    run("npx", ["publint", "--strict", "--pack", "npm"], clone);
  });
});

describe("installed without a compiler", () => {
  test("the command attaches, lists and detaches", () => {
    const words =
      "pipework br1 netns:blue 192.0.2.1/24 && pipework list --json && pipework detach netns:blue && pipework list --json";
    const out = privately(["sh", "-ec", `PATH=${join(user, "node_modules/.bin")}:$PATH; ${words}`]);
    const [first, second] = out
      .trim()
      .split(/\n(?=\[)/)
      .map((text) => JSON.parse(text) as { guest: string; addresses: string[]; state: string }[]);
    expect(first).toMatchObject([{ guest: "netns:blue", addresses: ["192.0.2.1/24"], state: "up" }]);
    expect(second).toEqual([]);
  });

  test("import and require give the same classes", () => {
    writeFileSync(
      join(user, "both.mjs"),
      `import { createRequire } from "node:module";
       import { Pipework, PipeworkError } from "pipework";
       const required = createRequire(import.meta.url)("pipework");
       const pw = new Pipework();
       const at = await pw.attach({ guest: "netns:blue", to: "br1", addresses: ["192.0.2.1/24"] });
       const error = await pw.attach({ guest: "netns:blue", to: "nothing" }).catch((e) => e);
       await pw.close();
       console.log(JSON.stringify([required.Pipework === Pipework, at.outcome, error instanceof PipeworkError, error.name, error.code]));`,
    );
    expect(JSON.parse(privately(["node", "both.mjs"]))).toEqual([
      true,
      "attached",
      true,
      "PipeworkError",
      "interface-not-found",
    ]);
  });

  test("its types are complete", () => {
    writeFileSync(
      join(user, "use.ts"),
      `import { Pipework, PipeworkError, renderPlan, type Attachment, type AttachRequest } from "pipework";
       const request: AttachRequest = { guest: "web1", to: "br1", addresses: ["192.0.2.1/24"], gateway: "192.0.2.254" };
       export async function use(pw: Pipework): Promise<Attachment | string> {
         try { return await pw.attach(request); }
         catch (error) { if (error instanceof PipeworkError) return error.code; throw error; }
         finally { renderPlan(await pw.plan(request)); }
       }
       // @ts-expect-error a field that does not exist
       export const wrong: AttachRequest = { guest: "web1", to: "br1", adresses: [] };`,
    );
    const options = [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2022",
      "--skipLibCheck",
      "false",
      "--types",
      "node",
      "--ignoreConfig",
    ];
    const types = join(root, "node_modules/@types");
    run("npx", ["tsc", ...options, "--typeRoots", types, join(user, "use.ts")], root);
  });

  test("a missing addon is told with every file tried and the remedy", () => {
    const broken = join(scratch, "broken");
    cpSync(installed, broken, { recursive: true });
    rmSync(join(broken, "prebuilds"), { recursive: true });
    let said = "";
    try {
      run("node", [join(broken, "dist/cli.cjs"), "br1", "netns:blue", "192.0.2.1/24"], user);
    } catch (error) {
      said = (error as { stderr: string }).stderr;
    }
    expect(said).toContain("the native addon of pipework cannot be loaded");
    expect(said).toContain(join(broken, "build/Release/pipework.node"));
    expect(said).toContain("npm run build:native");
  });
});
