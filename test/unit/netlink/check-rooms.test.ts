import { describe, expect, test } from "vitest";

interface Breach {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}
interface Script {
  breaches(files: Iterable<readonly [string, string]>): Breach[];
  importsOf(text: string): { specifier: string; line: number }[];
}
const { breaches, importsOf } = (await import(
  new URL("../../../scripts/check-rooms.mjs", import.meta.url).href
)) as Script;

const found = (file: string, text: string) => breaches([[file, text]]).map(({ line, rule }) => `${line}: ${rule}`);

describe("imports are found", () => {
  test.each([
    ['import { a } from "./a.js";', ["./a.js"]],
    ['import type { A } from "./a.js";', ["./a.js"]],
    ['import "./a.js";', ["./a.js"]],
    ['import a, * as b from "./a.js";', ["./a.js"]],
    ['export { a } from "./a.js";', ["./a.js"]],
    ['export type * from "./a.js";', ["./a.js"]],
    ['const a = await import("./a.js");', ["./a.js"]],
    ['type A = import("./a.js").A;', ["./a.js"]],
    ['const a = require("./a.js");', ["./a.js"]],
    ['// import { a } from "./a.js";', []],
    ['/* import { a } from "./a.js"; */', []],
    ['const url = "http://x"; import { a } from "./a.js";', ["./a.js"]],
    ['export const a = 1;\nexport const b = "from";', []],
  ])("%s", (text, specifiers) => {
    expect(importsOf(text).map(({ specifier }) => specifier)).toEqual(specifiers);
  });

  test("with the line they stand in", () => {
    expect(importsOf('/*\n*/\nimport {\n  a,\n  b,\n} from "./a.js";\n')).toEqual([{ specifier: "./a.js", line: 6 }]);
  });
});

describe("arrows", () => {
  test.each([
    ["src/cli/main.ts", 'import { Pipework } from "../pipework.js";'],
    ["src/cli/main.ts", 'import { md5 } from "../values/md5.js";'],
    ["src/pipework.ts", 'const d = import("./doctor/doctor.js");'],
    ["src/doctor/doctor.ts", 'import type { Instance } from "../instance.js";'],
    ["src/attach.ts", 'import { list } from "./list.js";'],
    ["src/instance.ts", 'import { Kernel } from "./kernel/kernel.js";'],
    ["src/kernel/runner.ts", 'import { loadAddon } from "./addon.js";'],
    ["src/guests/guest.ts", 'import type { NativeNetns } from "../kernel/native.js";'],
    ["src/guests/docker.ts", 'import { request } from "node:http";'],
    ["src/kernel/assemble.ts", 'import type { Plan } from "../plan/step.js";'],
    ["src/plan/attach.ts", 'import { link } from "../netlink/link.js";'],
  ])("%s may: %s", (file, text) => {
    expect(found(file, text)).toEqual([]);
  });

  test.each([
    [
      "src/values/mac.ts",
      '\nimport { link } from "../netlink/link.js";',
      "2: arrows go down only, and values lies below netlink",
    ],
    [
      "src/netlink/link.ts",
      'import type { Plan } from "../plan/step.js";',
      "1: arrows go down only, and netlink lies below plan",
    ],
    [
      "src/plan/attach.ts",
      'import { Transaction } from "../kernel/transaction.js";',
      "1: arrows go down only, and plan lies below kernel",
    ],
    [
      "src/plan/attach.ts",
      'import type { NativeNetns } from "../kernel/native.js";',
      "1: arrows go down only, and plan lies below kernel",
    ],
    [
      "src/kernel/view.ts",
      'import { DockerEngine } from "../guests/docker.js";',
      "1: arrows go down only, and kernel lies below guests",
    ],
    [
      "src/guests/docker.ts",
      'import { list } from "../list.js";',
      "1: arrows go down only, and guests lies below deeds",
    ],
    [
      "src/attach.ts",
      'import { Pipework } from "./pipework.js";',
      "1: arrows go down only, and deeds lies below pipework",
    ],
    ["src/pipework.ts", 'import { run } from "./cli/run.js";', "1: arrows go down only, and pipework lies below cli"],
    [
      "src/guests/docker.ts",
      'import { Client } from "../dhcp/client.js";',
      "1: the rooms guests and dhcp do not know each other",
    ],
    [
      "src/guests/docker.ts",
      'import { loadAddon } from "../kernel/addon.js";',
      "1: only src/kernel/ imports the addon",
    ],
    ["src/cli/main.ts", 'import type { x } from "../kernel/addon.js";', "1: only src/kernel/ imports the addon"],
    [
      "src/cli/main.ts",
      'import { x } from "../helpers/x.js";',
      "1: helpers is no room; add it to the list in scripts/check-rooms.mjs",
    ],
    ["src/utils/x.ts", "", "1: utils is no room; add it to the list in scripts/check-rooms.mjs"],
    [
      "src/cli/main.ts",
      'import { x } from "../../bench/run.mjs";',
      "1: src/ imports nothing from outside itself, such as bench/run.mjs",
    ],
  ])("%s may not: %s", (file, text, rule) => {
    expect(found(file, text)).toEqual([rule]);
  });
});

describe("pure rooms", () => {
  test.each([
    [
      "src/values/md5.ts",
      'import { createHash } from "node:crypto";',
      '1: the room values is pure and imports no "node:crypto"',
    ],
    ["src/plan/x.ts", 'import fs from "fs";', '1: the room plan is pure and imports no "fs"'],
    ["src/plan/x.ts", "\nconst now = Date.now();", "2: the room plan is pure, and this asks the clock"],
    ["src/netlink/x.ts", "const x = Math.random();", "1: the room netlink is pure, and this draws at random"],
    ["src/values/x.ts", "setTimeout(go, 1);", "1: the room values is pure, and this waits"],
    ["src/values/x.ts", "const e = process.env;", "1: the room values is pure, and this looks at the process"],
  ])("%s: %s", (file, text, rule) => {
    expect(found(file, text)).toEqual([rule]);
  });

  test("words in comments and strings are no clock", () => {
    expect(
      found("src/plan/x.ts", '// Date.now() is not for here\nconst hint = "see process.env, Math.random";'),
    ).toEqual([]);
    expect(found("src/kernel/x.ts", "const now = Date.now();")).toEqual([]);
  });
});
