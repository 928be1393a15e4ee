// Captures what the kernel answers to the listings of `tc`, and what tc prints of it, as a fixture for the unit tests. For
// the scripts of test/oracle/tc-*.json that nothing refuses; run it on a kernel that has all of the modules they name.
// Needs root, strace and iproute2; works in throw-away network namespaces.
//   scripts/capture-tc-shown.mjs <directory of the scripts> <fixture>
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [scripts, fixture] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "pipework-tc-"));
const netns = `pwtc-${process.pid}`;

const isReply = (type) => [36, 40, 44, 48, 100].includes(type);

/** strace dumps what is read as " | 00000  20 00 ...  text |". */
function receivedIn(trace) {
  const datagrams = [];
  let hex;
  for (const line of [...trace.split("\n"), "end("]) {
    if (/^[a-z]+\(/.test(line)) {
      // A first look at the length is a datagram that is read again.
      if (hex !== undefined && hex !== "") datagrams.push(hex);
      hex = /^recvmsg\(/.test(line) && !line.includes("MSG_PEEK|MSG_TRUNC}") ? "" : undefined;
    } else if (hex !== undefined && /^ \| [0-9a-f]+ {2}/.test(line)) {
      hex += line.slice(10, 59).replaceAll(" ", "");
    }
  }
  const messages = [];
  for (const datagram of datagrams) {
    const bytes = Buffer.from(datagram, "hex");
    for (let at = 0; at + 16 <= bytes.length; at += (bytes.readUInt32LE(at) + 3) & ~3) {
      if (bytes.readUInt32LE(at) < 16) break;
      if (isReply(bytes.readUInt16LE(at + 4)))
        messages.push(bytes.subarray(at, at + bytes.readUInt32LE(at)).toString("hex"));
    }
  }
  // Peeked at and read: the same twice in a row.
  return messages.filter((one, i) => one !== messages[i - 1]).join("");
}

function inside(command, ...words) {
  return spawnSync("ip", ["netns", "exec", netns, command, ...words], { encoding: "utf8" });
}

function list(words) {
  const trace = join(work, "trace");
  const { stdout } = inside("strace", "-o", trace, "-e", "trace=recvmsg", "-e", "read=all", "tc", ...words);
  return { received: receivedIn(readFileSync(trace, "latin1")), text: stdout };
}

const flagSets = [[], ["-s", "-d"], ["-j", "-s", "-d"], ["-r", "-d", "-o"]];

function listings(objects) {
  return objects.map((object) => {
    const all = flagSets.map((flags) => ({ words: [...flags, ...object], ...list([...flags, ...object]) }));
    return {
      received: all[0].received,
      // Counters of time differ between one look and the next.
      shown: all.map(({ words, text, received }) => ({
        words: words.join(" "),
        text,
        ...(received === all[0].received ? {} : { received }),
      })),
    };
  });
}

function runScript({ about, lines, modules = [] }, file) {
  for (const module of modules) spawnSync("modprobe", [module]);
  execFileSync("ip", ["netns", "add", netns]);
  try {
    inside("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
    for (const [name, index] of Object.entries({ t0: 70, t1: 71 })) {
      inside("ip", "link", "add", name, "index", String(index), "type", "dummy");
      inside("ip", "address", "add", `10.0.${index}.1/24`, "dev", name);
      inside("ip", "link", "set", name, "up");
      inside("ip", "neigh", "add", `10.0.${index}.2`, "lladdr", "02:00:00:00:00:02", "dev", name);
    }
    for (const line of lines) {
      const words = line.replaceAll("DEV", "t0").replaceAll("OTHER", "t1").split(" ");
      if (inside("tc", ...words).status !== 0) return undefined;
    }
    inside("bash", "-c", "for i in 1 2 3; do echo packet > /dev/udp/10.0.70.2/9; done");
    const objects = [["qdisc", "show", "dev", "t0"]];
    if (file.includes("class")) objects.push(["class", "show", "dev", "t0"], ["class", "show"]);
    else if (file.includes("filter"))
      objects.push(["filter", "show", "dev", "t0"], ["filter", "show", "dev", "t0", "ingress"]);
    else if (lines.length > 1) objects.push(["qdisc", "show"]);
    return { about, lines, listings: listings(objects) };
  } finally {
    spawnSync("ip", ["netns", "del", netns]);
  }
}

try {
  const captures = [];
  // The same in other units lists the same.
  const seen = new Set();
  const lost = [];
  for (const file of readdirSync(scripts).filter((name) => /^tc-.*\.json$/.test(name))) {
    for (const script of JSON.parse(readFileSync(join(scripts, file), "utf8"))) {
      if (/refused/.test(script.about)) continue;
      const capture = runScript(script, file);
      const what = JSON.stringify(capture?.listings);
      if (capture === undefined) lost.push(script.lines.at(-1));
      else if (!seen.has(what)) captures.push(capture);
      seen.add(what);
    }
  }
  const iproute2 = execFileSync("tc", ["-V"], { encoding: "utf8" }).match(/iproute2-([^,\s]*)/)[1];
  const kernel = execFileSync("uname", ["-r"], { encoding: "utf8" }).trim();
  const psched = readFileSync("/proc/net/psched", "utf8").trim();
  const head = JSON.stringify({ iproute2, kernel, machine: process.arch, psched });
  writeFileSync(
    fixture,
    `${head.slice(0, -1)},"captures":[\n${captures.map((one) => JSON.stringify(one)).join(",\n")}\n]}\n`,
  );
  console.log(`${captures.length} scripts listed; refused: ${lost.join("; ")}`);
} finally {
  rmSync(work, { recursive: true });
}
