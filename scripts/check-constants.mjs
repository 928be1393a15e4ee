// Checks every number of the netlink room against the kernel's headers: attribute numbers, message types, flags, enum
// members, struct sizes, offsets and field sizes. Needs a C compiler and linux-libc-dev.
//   node scripts/check-constants.mjs
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const HEADERS = [
  "stddef.h",
  "sys/socket.h",
  "linux/types.h",
  "linux/netlink.h",
  "linux/rtnetlink.h",
  "linux/if.h",
  "linux/if_addr.h",
  "linux/if_arp.h",
  "linux/if_link.h",
  "linux/if_bridge.h",
  "linux/ip.h",
  "linux/fib_rules.h",
  "linux/icmpv6.h",
  "linux/in_route.h",
  "linux/lwtunnel.h",
  "linux/mpls.h",
  "linux/mpls_iptunnel.h",
  "linux/seg6.h",
  "linux/seg6_iptunnel.h",
  "linux/seg6_local.h",
  "linux/neighbour.h",
  "linux/veth.h",
  "linux/pkt_sched.h",
  "linux/pkt_cls.h",
  "linux/gen_stats.h",
  "linux/tc_act/tc_gact.h",
  "linux/tc_act/tc_mirred.h",
  "linux/tc_act/tc_skbedit.h",
  "linux/tc_act/tc_vlan.h",
  "linux/tc_act/tc_pedit.h",
  "linux/netfilter.h",
  "linux/netfilter/nfnetlink.h",
  "linux/netfilter/nf_tables.h",
];

/** Names that headers before Linux 5.18 lack; anything else that is missing is a misspelling. */
export const NEWER = new Set(["IFA_PROTO"]);

const KERNEL_NAME = /^[A-Z][A-Z0-9]*(_[A-Za-z0-9]+)+$/;

/**
 * Every check that the exports of a module give, found by their shape: tables of attributes (rows), structs (fields),
 * nouns (types), and plain tables and constants whose names are the kernel's.
 * @returns {Map<string, {expression: string, value: number, where: string}>} keyed by the C expression
 */
export function collect(exports, where, layout, checks = new Map()) {
  const add = (expression, value, at) => {
    const before = checks.get(`${expression}=${value}`);
    if (before === undefined) checks.set(`${expression}=${value}`, { expression, value, where: at });
  };
  const seen = new Set();
  const visit = (value, at) => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (value.rows !== undefined && value.byNumber !== undefined) {
      for (const row of Object.values(value.rows)) {
        add(row.kernelName, row.number, `${at}: ${value.name}`);
        for (const inner of row.type.sets ?? []) visit(inner, at);
        for (const struct of [row.type.struct ?? [], row.type.structs ?? []].flat()) visit(struct, at);
      }
    } else if (value.fields !== undefined && value.prefix !== undefined) {
      add(`sizeof(struct ${value.name})`, value.size, at);
      for (const { member, offset, size } of layout(value)) {
        add(`offsetof(struct ${value.name}, ${member})`, offset, at);
        add(`sizeof(((struct ${value.name} *)0)->${member})`, size, at);
      }
    } else if (value.types !== undefined && value.attributes !== undefined && value.header !== undefined) {
      for (const [name, number] of Object.entries(value.types)) add(`(${name})`, number, `${at}: ${value.name}`);
      visit(value.header, at);
      visit(value.attributes, at);
    } else if (Object.getPrototypeOf(value) === Object.prototype) {
      for (const [name, inner] of Object.entries(value)) {
        if (typeof inner === "number" && KERNEL_NAME.test(name)) add(name, inner, at);
        else visit(inner, at);
      }
    }
  };
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value === "number" && KERNEL_NAME.test(name)) add(name, value, where);
    else visit(value, `${where}: ${name}`);
  }
  return checks;
}

/** A C file in which line n holds check n - FIRST: one that is wrong is an error in that line. */
export function source(checks) {
  const includes = HEADERS.map((header) => `#include <${header}>`);
  const lines = [...checks.values()].map(
    ({ expression, value }) => `_Static_assert((long long)(${expression}) == ${value}LL, "differs");`,
  );
  return { text: `${[...includes, ...lines].join("\n")}\n`, first: includes.length + 1 };
}

/**
 * What is wrong, in words, and which names these headers do not have (a mistake unless they are known to be newer).
 * @returns {{wrong: string[], missing: string[]}}
 */
export function verify(checks, cc = process.env.CC ?? "cc") {
  const directory = mkdtempSync(join(tmpdir(), "pipework-constants-"));
  try {
    const { text, first } = source(checks);
    const file = join(directory, "constants.c");
    writeFileSync(file, text);
    const { status, stderr, error } = spawnSync(
      cc,
      ["-std=c11", "-fsyntax-only", "-fmax-errors=0", "-fdiagnostics-color=never", file],
      {
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C" },
      },
    );
    if (error !== undefined) throw new Error(`the C compiler ${cc} cannot be run: ${error.message}`);
    const list = [...checks.values()];
    const wrong = [];
    const missing = [];
    const told = new Set();
    for (const line of stderr.split("\n")) {
      const match = /constants\.c:(\d+):\d+: (?:fatal )?error: (.*)$/.exec(line);
      if (match === null) continue;
      const check = list[Number(match[1]) - first];
      if (check === undefined) throw new Error(`the headers do not compile: ${line}`);
      if (told.has(check)) continue;
      told.add(check);
      const { expression, value, where } = check;
      if (/undeclared/.test(match[2])) missing.push(expression);
      else if (/static assertion failed/.test(match[2]))
        wrong.push(`${expression} is not ${value} (src/netlink/${where})`);
      else wrong.push(`${expression}: ${match[2]} (src/netlink/${where})`);
    }
    if (status !== 0 && told.size === 0) throw new Error(`${cc} failed:\n${stderr}`);
    return { wrong, missing };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The modules of a directory, bundled on the fly, and what they export. */
export async function load(directory) {
  const files = readdirSync(directory).filter((name) => name.endsWith(".ts"));
  const contents = files.map((name, i) => `export * as m${i} from ${JSON.stringify(`./${name}`)};`).join("\n");
  const output = mkdtempSync(join(tmpdir(), "pipework-netlink-"));
  try {
    const outfile = join(output, "netlink.mjs");
    await build({
      stdin: { contents, resolveDir: directory },
      bundle: true,
      format: "esm",
      platform: "neutral",
      outfile,
      logLevel: "error",
    });
    const modules = await import(pathToFileURL(outfile).href);
    return files.map((name, i) => [name, modules[`m${i}`]]);
  } finally {
    rmSync(output, { recursive: true });
  }
}

async function main() {
  const modules = await load(fileURLToPath(new URL("../src/netlink", import.meta.url)));
  const { structLayout } = modules.find(([name]) => name === "struct.ts")[1];
  const checks = new Map();
  for (const [name, exports] of modules) collect(exports, name, structLayout, checks);
  const { wrong, missing } = verify(checks);
  const misspelt = missing.filter((name) => !NEWER.has(name));
  for (const line of wrong) console.error(line);
  for (const name of missing)
    console.error(`${name} is not in these headers${NEWER.has(name) ? " (newer than they are)" : ""}`);
  const bad = wrong.length + misspelt.length;
  console.log(`${checks.size} numbers, ${missing.length} not in these headers, ${bad} wrong`);
  process.exitCode = bad === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
