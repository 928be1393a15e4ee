// What the one-shot attach loads. Start-up is most of what such a command costs, and each further module adds to it:
// node:http five milliseconds, fetch seventeen. This runs the bundled command through a whole attach, and fails when it
// loads any builtin module beyond those named here, or any file besides itself.
//
//   node scripts/check-startup.mjs [path of the command]      as root: guest and host side are throw-away namespaces
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const allowed = new Set([
  "fs", // interfaces, /proc, the addon's file, output
  "os", // errno and dlopen constants
  "path",
  "util", // errno names
  "vm", // the code cache
  "timers/promises",
]);

const cli = process.argv[2] ?? fileURLToPath(new URL("../dist/cli.cjs", import.meta.url));

/** Runs in front of the command and tells on descriptor 3 what was loaded after it. */
const hook = `
const Module = require("node:module");
const before = new Set(process.moduleLoadList);
const files = [];
const load = Module._load;
Module._load = function (request, ...rest) {
  if (!Module.isBuiltin(request)) files.push(request);
  return load.call(this, request, ...rest);
};
process.on("exit", () => {
  const natives = process.moduleLoadList.filter((name) => !before.has(name) && name.startsWith("NativeModule ")).map((name) => name.slice(13));
  require("node:fs").writeSync(3, JSON.stringify({ natives, files }));
});
`;

/** As much of an engine as one inspect needs. */
function engine(pid) {
  const container = {
    Id: "0123456789abcdef".repeat(4),
    Name: "/web1",
    State: {
      Status: "running",
      Running: true,
      Paused: false,
      Restarting: false,
      Pid: pid,
      StartedAt: "2026-01-01T00:00:00Z",
    },
    HostConfig: { NetworkMode: "bridge" },
    Config: { Hostname: "web1" },
    NetworkSettings: { SandboxKey: `/proc/${pid}/ns/net` },
  };
  const body = JSON.stringify(container);
  return createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () =>
      socket.end(
        `HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      ),
    );
  });
}

function collect(stream) {
  let text = "";
  stream.setEncoding("utf8").on("data", (part) => {
    text += part;
  });
  return () => text;
}

async function attachWatched(directory, pid) {
  const socket = join(directory, "engine.sock");
  const server = engine(pid);
  await new Promise((resolve) => server.listen(socket, resolve));
  const { NODE_OPTIONS: _, ...env } = process.env;
  const hookFile = join(directory, "hook.cjs");
  writeFileSync(hookFile, hook);
  const words = ["--net", process.execPath, "--require", hookFile, cli, "br1", "web1", "192.0.2.2/24@192.0.2.1"];
  const child = spawn("unshare", words, {
    env: { ...env, DOCKER_HOST: `unix://${socket}` },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const [out, err, loaded] = [child.stdout, child.stderr, child.stdio[3]].map(collect);
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  server.close();
  if (code !== 0) throw new Error(`the attach itself failed (${code}): ${out()}${err()}`);
  return JSON.parse(loaded());
}

const directory = mkdtempSync(join(tmpdir(), "pipework-startup-"));
const guest = spawn("unshare", ["--net", "sleep", "60"], { stdio: "ignore" });
try {
  // Its process is unshare's own at first, in our namespace.
  const own = statSync("/proc/self/ns/net").ino;
  for (let i = 0; statSync(`/proc/${guest.pid}/ns/net`).ino === own; i++) {
    if (i === 500) throw new Error("unshare --net made no namespace; this needs root");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { natives, files } = await attachWatched(directory, guest.pid);
  const modules = natives.filter((name) => !name.startsWith("internal/"));
  const extra = modules.filter((name) => !allowed.has(name));
  const strangers = files.filter((file) => file !== cli);
  // The loader of ES modules is there from the start; its translators come with the first import().
  if (natives.includes("internal/modules/esm/translators")) extra.push("the ES module loader, through import()");
  console.log(
    `loaded on the way to an attachment: ${modules.join(" ")} (and ${natives.length - modules.length} internal ones)`,
  );
  for (const name of extra) console.error(`not allowed on this path: ${name}`);
  for (const file of strangers) console.error(`not allowed on this path: the file ${file}`);
  process.exitCode = extra.length + strangers.length === 0 ? 0 : 1;
} finally {
  guest.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
}
