// Captures what `tc` sends to the kernel for every line of test/oracle/tc-*.json, as a fixture for the unit tests of the
// words of tc. Any kernel will do: what it answers is not looked at. Needs root, strace and iproute2; works in a
// throw-away network namespace.
//   scripts/capture-tc.mjs [fixture]      (default: test/golden/tc-sent.json)
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const fixture = process.argv[2] ?? join(root, "test/golden/tc-sent.json");
const work = mkdtempSync(join(tmpdir(), "pipework-tc-"));
const netns = `pwtc-${process.pid}`;

/** RTM_NEWQDISC to RTM_DELACTION and RTM_NEWCHAIN to RTM_GETCHAIN, without the questions (those that dump are listings). */
const isChange = (type) => (type >= 36 && type <= 50 && type % 4 < 2) || type === 100 || type === 101;

/** strace dumps what is written as " | 00000  20 00 ...  text |". */
function sentBy(trace) {
  const messages = [];
  let hex;
  for (const line of [...trace.split("\n"), "end("]) {
    if (/^[a-z]+\(/.test(line)) {
      if (hex !== undefined && hex !== "") messages.push(hex);
      hex = /^send(msg|to)\(/.test(line) ? "" : undefined;
    } else if (hex !== undefined && /^ \| [0-9a-f]+ {2}/.test(line)) {
      hex += line.slice(10, 59).replaceAll(" ", "");
    }
  }
  return messages.map((one) => Buffer.from(one, "hex")).filter((bytes) => isChange(bytes.readUInt16LE(4)));
}

function capture(line) {
  const trace = join(work, "trace");
  const words = line.replaceAll("DEV", "t0").replaceAll("OTHER", "t1").split(" ");
  const strace = ["-o", trace, "-e", "trace=sendmsg,sendto", "-e", "write=all"];
  const { status } = spawnSync("ip", ["netns", "exec", netns, "strace", ...strace, "tc", ...words], {
    encoding: "utf8",
  });
  const sent = sentBy(readFileSync(trace, "latin1"));
  if (sent.length > 1) throw new Error(`${line}: ${sent.length} messages`);
  // 1: the words are refused. 2: the kernel refuses, which depends on the kernel.
  if (sent.length === 0 && status === 0) throw new Error(`${line}: nothing was sent`);
  const bytes = sent[0];
  return { line, sent: bytes === undefined ? null : bytes.subarray(0, bytes.readUInt32LE(0)).toString("hex") };
}

try {
  execFileSync("ip", ["netns", "add", netns]);
  const indexes = { t0: 70, t1: 71 };
  for (const [name, index] of Object.entries(indexes))
    execFileSync("ip", ["-n", netns, "link", "add", name, "index", String(index), "type", "bridge"]);
  const files = readdirSync(join(root, "test/oracle")).filter((name) => /^tc-.*\.json$/.test(name));
  const lines = files.flatMap((name) =>
    JSON.parse(readFileSync(join(root, "test/oracle", name), "utf8")).flatMap((script) => script.lines),
  );
  const captures = [...new Set(lines)].map(capture);
  const iproute2 = execFileSync("tc", ["-V"], { encoding: "utf8" }).match(/iproute2-([^,\s]*)/)[1];
  const psched = readFileSync("/proc/net/psched", "utf8").trim();
  const head = JSON.stringify({ iproute2, machine: process.arch, psched, indexes });
  const body = captures.map((one) => `  ${JSON.stringify(one)}`).join(",\n");
  writeFileSync(fixture, `${head.slice(0, -1)},"captures":[\n${body}\n]}\n`);
  console.log(`${captures.length} lines, ${captures.filter(({ sent }) => sent === null).length} refused by tc itself`);
} finally {
  spawnSync("ip", ["netns", "del", netns]);
  rmSync(work, { recursive: true });
}
