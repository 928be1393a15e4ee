import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

// The built command: dist/ is made by `npm run build`.
const dist = join(import.meta.dirname, "../../dist");
const cli = join(dist, "cli.cjs");
let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "pipework-startup-test-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function checkStartup(...words: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(dist, "../scripts/check-startup.mjs"), ...words],
    { encoding: "utf8" },
  );
  return { status, output: stdout + stderr };
}

/** A command that does something first, and is the real one otherwise. */
function commandWith(name: string, first: string): string {
  const file = join(directory, name);
  writeFileSync(
    file,
    `${first}\nprocess.argv[1] = ${JSON.stringify(cli)};\nrequire("node:module")._load(${JSON.stringify(cli)}, module);\n`,
  );
  return file;
}

describe("what a one-shot attach by container name loads", () => {
  test("nothing but what it needs", () => {
    expect(checkStartup()).toMatchObject({
      status: 0,
      output: expect.stringContaining("loaded on the way to an attachment: "),
    });
  });

  test("a dependency that creeps in is named", () => {
    const http = checkStartup(commandWith("http.cjs", 'require("node:http");'));
    expect(http).toMatchObject({ status: 1, output: expect.stringContaining("not allowed on this path: http\n") });
    writeFileSync(join(directory, "dependency.cjs"), "");
    const file = checkStartup(commandWith("file.cjs", 'require("./dependency.cjs");'));
    expect(file).toMatchObject({
      status: 1,
      output: expect.stringContaining("not allowed on this path: the file ./dependency.cjs\n"),
    });
    const module = checkStartup(commandWith("module.cjs", 'void import("node:fs/promises");'));
    expect(module).toMatchObject({ status: 1, output: expect.stringContaining("the ES module loader") });
  });
});

describe("the code cache", () => {
  const probe = `
    const { Script } = require("node:vm");
    const { readFileSync } = require("node:fs");
    const source = "(function(exports,require,module,__filename,__dirname){" + readFileSync(process.argv[1] + "/cli-bundle.cjs", "latin1") + "\\n})";
    const script = new Script(source, { filename: process.argv[1] + "/cli-bundle.cjs", cachedData: readFileSync(process.argv[1] + "/cli-bundle.cache") });
    console.log(script.cachedDataRejected);
  `;
  function probed(folder: string, ...flags: string[]): string {
    return spawnSync(process.execPath, [...flags, "-e", probe, folder], { encoding: "utf8" }).stdout.trim();
  }
  function version(folder: string, ...flags: string[]): { status: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, join(folder, "cli.cjs"), "--version"], {
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  }
  const expected = {
    status: 0,
    stdout: `${JSON.parse(readFileSync(join(dist, "../package.json"), "utf8")).version}\n`,
    stderr: "",
  };

  test("is taken by the Node that made it, wherever the package lies", () => {
    expect(probed(dist)).toBe("false");
    cpSync(dist, join(directory, "moved"), { recursive: true });
    expect(probed(join(directory, "moved"))).toBe("false");
  });

  test("of another V8, cut short, or missing: the command works all the same", () => {
    const folder = join(directory, "other");
    cpSync(dist, folder, { recursive: true });
    // Another flag of V8 is to a cache what another version is.
    expect(probed(folder, "--no-opt")).toBe("true");
    expect(version(folder, "--no-opt")).toEqual(expected);
    const cache = readFileSync(join(folder, "cli-bundle.cache"));
    writeFileSync(join(folder, "cli-bundle.cache"), cache.subarray(0, 1000));
    expect(version(folder)).toEqual(expected);
    writeFileSync(join(folder, "cli-bundle.cache"), "");
    expect(version(folder)).toEqual(expected);
    rmSync(join(folder, "cli-bundle.cache"));
    expect(version(folder)).toEqual(expected);
    expect(
      spawnSync(process.execPath, [join(folder, "cli-bundle.cjs"), "--version"], { encoding: "utf8" }).stdout,
    ).toBe(expected.stdout);
  });
});
