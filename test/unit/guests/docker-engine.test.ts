import { execFile, execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { describe, expect, it, onTestFinished } from "vitest";
import { DockerEngine } from "../../../src/guests/docker.js";
import { containerJson, rawServer, scriptedEngine, temporaryDirectory } from "./scripted-engine.js";

const ID = "0123456789abcdef".repeat(4);

function engineAt(host: string, oneShot: boolean): DockerEngine {
  const engine = new DockerEngine({ host, oneShot, env: {} });
  onTestFinished(() => engine.close());
  return engine;
}

function refusal(code: string, message: RegExp, hint?: RegExp): unknown {
  return expect.objectContaining({
    name: "PipeworkError",
    code,
    message: expect.stringMatching(message),
    ...(hint === undefined ? {} : { hint: expect.stringMatching(hint) }),
  });
}

describe.each([
  ["one connection per request", true],
  ["kept-alive connections", false],
])("an engine over %s", (_, oneShot) => {
  it("tells what is read of a container", async () => {
    const state = { Status: "paused", Paused: true, Pid: 12, ExitCode: 3, Error: "why" };
    const body = containerJson({ id: ID, name: "web1", state, networkMode: "none", sandboxKey: "/s", hostname: "h" });
    const { host, asked } = await scriptedEngine(() => ({ body: { ...body, Unknown: [1, 2, 3] } }));
    expect(await engineAt(host, oneShot).inspect("web1")).toEqual({
      id: ID,
      name: "web1",
      networkMode: "none",
      sandboxKey: "/s",
      hostname: "h",
      state: {
        status: "paused",
        running: true,
        paused: true,
        restarting: false,
        pid: 12,
        startedAt: "2026-01-02T03:04:05.000000006Z",
        finishedAt: "0001-01-01T00:00:00Z",
        exitCode: 3,
        error: "why",
      },
    });
    expect(asked).toEqual(["/containers/web1/json"]);
  });

  it("asks without an API version and keeps a name inside its path segment", async () => {
    const { host, asked } = await scriptedEngine(() => ({ status: 404, body: { message: "No such container" } }));
    expect(await engineAt(host, oneShot).inspect("a/../b?x=1#y z")).toBeNull();
    expect(asked).toEqual(["/containers/a%2F..%2Fb%3Fx%3D1%23y%20z/json"]);
  });

  it("lists containers by filter", async () => {
    const body = [
      { Id: ID, Names: ["/web1", "/other/web1"], State: "running", Labels: { "pipework.eth1": "br1" } },
      { Id: "b".repeat(64), Names: null, State: "created", Labels: null },
    ];
    const { host, asked } = await scriptedEngine(() => ({ body }));
    expect(await engineAt(host, oneShot).list({ label: ["pipework.eth1"] })).toEqual([
      { id: ID, names: ["web1", "other/web1"], state: "running", labels: { "pipework.eth1": "br1" } },
      { id: "b".repeat(64), names: [], state: "created", labels: {} },
    ]);
    const query = new URL(asked[0] ?? "", "http://docker").searchParams;
    expect(query.get("all")).toBe("1");
    expect(JSON.parse(query.get("filters") ?? "")).toEqual({ label: ["pipework.eth1"] });
  });

  it("answers ping and version", async () => {
    const { host } = await scriptedEngine((path) =>
      path === "/_ping" ? { body: "OK" } : { body: { Version: "20.10.24", ApiVersion: "1.41" } },
    );
    const engine = engineAt(host, oneShot);
    await engine.ping();
    expect(await engine.version()).toEqual({ version: "20.10.24", apiVersion: "1.41" });
  });

  it("reads an answer of several megabytes", async () => {
    const body = Array.from({ length: 20_000 }, (__, at) => ({
      Id: `${at}`.padStart(64, "0"),
      Names: [`/n${at}`],
      State: "x".repeat(100),
    }));
    const { host } = await scriptedEngine(() => ({ body }));
    const all = await engineAt(host, oneShot).list();
    expect(all).toHaveLength(20_000);
    expect(all.at(-1)?.names).toEqual(["n19999"]);
  });

  it("reads an answer that comes in small pieces", async () => {
    const host = await rawServer(async (socket) => {
      const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n"x"\r\n0\r\n\r\n`;
      for (const character of text.replace('3\r\n"x"', '18\r\n{"Version":"1","more":0}')) {
        socket.write(character);
        await new Promise((resolve) => setImmediate(resolve));
      }
      // Left open: the answer says itself where it ends.
    });
    expect(await engineAt(host, oneShot).version()).toEqual({ version: "1", apiVersion: "" });
  });

  it.each([
    ["an error in the engine's words", 500, { message: "the disk is on fire" }, /status 500: the disk is on fire/],
    ["a proxy's page", 502, "Bad Gateway\n<html>", /status 502: Bad Gateway$/],
    ["no reason", 503, "", /status 503: no reason given/],
    ["no JSON", 200, "hello", /something unexpected/],
    ["JSON that is no container", 200, {}, /something unexpected: State is no object/],
    ["JSON that is nothing", 200, "null", /something unexpected: the answer is no object/],
    ["a PID that is no number", 200, containerJson({ state: { Pid: "1" } }), /State.Pid is no number/],
    ["a negative PID", 200, containerJson({ state: { Pid: -1 } }), /State.Pid is -1/],
    ["a state that is neither", 200, containerJson({ state: { Running: "yes" } }), /State.Running is neither/],
  ])("reports %s", async (__, status, body, message) => {
    const { host } = await scriptedEngine(() => ({ status, body }));
    await expect(engineAt(host, oneShot).inspect("web1")).rejects.toEqual(refusal("engine-unreachable", message));
  });

  it.each([
    ["nothing", "", /without an answer/],
    ["something else than HTTP", "SSH-2.0-OpenSSH\r\n", /not HTTP/],
    ["half an answer", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", /middle of the answer/],
    ["half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", /middle of the answer/],
  ])("reports %s before the connection ends", async (__, text, message) => {
    const host = await rawServer((socket) => socket.end(text));
    await expect(engineAt(host, oneShot).inspect("web1")).rejects.toEqual(refusal("engine-unreachable", message));
  });

  it("gives up on an engine that never answers", async () => {
    const host = await rawServer(() => {});
    const attempt = engineAt(host, oneShot).inspect("web1", { timeoutMs: 50 });
    await expect(attempt).rejects.toEqual(refusal("timeout", /did not answer within 0.05 s/));
  });

  it("gives up on an engine that stops in the middle", async () => {
    const host = await rawServer((socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"));
    const attempt = engineAt(host, oneShot).inspect("web1", { timeoutMs: 50 });
    await expect(attempt).rejects.toEqual(refusal("timeout", /did not answer/));
  });

  it("ends at once when its caller's signal says so", async () => {
    const controller = new AbortController();
    const host = await rawServer(() => controller.abort());
    const engine = engineAt(host, oneShot);
    await expect(engine.inspect("web1", { signal: controller.signal })).rejects.toEqual(refusal("aborted", /aborted/));
    await expect(engine.inspect("web1", { signal: controller.signal })).rejects.toEqual(refusal("aborted", /aborted/));
  });

  it("names the socket that is not there", async () => {
    const path = join(temporaryDirectory(), "none.sock");
    const message = new RegExp(`no container engine can be reached at unix://${path}: the socket does not exist`);
    await expect(engineAt(path, oneShot).inspect("web1")).rejects.toEqual(
      refusal("engine-unreachable", message, /systemctl start docker.*DOCKER_HOST/),
    );
  });

  it("points at the user's rootless engine when the socket is not there", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "docker.sock"), "");
    const engine = new DockerEngine({ host: "/nowhere/docker.sock", oneShot, env: { XDG_RUNTIME_DIR: directory } });
    const hint = new RegExp(`DOCKER_HOST=unix://${directory}/docker.sock`);
    await expect(engine.inspect("web1")).rejects.toEqual(refusal("engine-unreachable", /does not exist/, hint));
  });

  it("names the socket nobody listens on", async () => {
    const path = join(temporaryDirectory(), "left.sock");
    // The file of a server that was killed: closing in good order would remove it.
    const server = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(spawnSync(process.execPath, ["-e", server]).signal).toBe("SIGKILL");
    await expect(engineAt(path, oneShot).inspect("web1")).rejects.toEqual(
      refusal("engine-unreachable", /nobody listens on the socket any more \(ECONNREFUSED\)/),
    );
  });

  it("explains a socket that may not be used", async () => {
    const { host } = await scriptedEngine(() => ({ body: "OK" }));
    chmodSync(host.slice("unix://".length), 0);
    const isRoot = process.geteuid?.() === 0;
    // To root no file is forbidden.
    if (isRoot) process.seteuid?.(65534);
    try {
      await expect(engineAt(host, oneShot).ping()).rejects.toEqual(
        refusal("engine-unreachable", /permission denied \(EACCES\)/, /root.*group/),
      );
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it("names a file that is no socket", async () => {
    const path = join(temporaryDirectory(), "file");
    writeFileSync(path, "");
    await expect(engineAt(path, oneShot).ping()).rejects.toEqual(refusal("engine-unreachable", new RegExp(path)));
  });

  it("reaches an engine over tcp, behind a prefix", async () => {
    const asked: string[] = [];
    const server = createHttpServer((request, response) => {
      asked.push(`${request.headers.host} ${request.url}`);
      response.end(JSON.stringify({ Version: "1" }));
    });
    const port = await listen(server);
    expect(await engineAt(`tcp://127.0.0.1:${port}/engine/`, oneShot).version()).toEqual({
      version: "1",
      apiVersion: "",
    });
    expect(asked).toEqual([`127.0.0.1:${port} /engine/version`]);
  });

  it("names a tcp engine that is not there", async () => {
    const server = createHttpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    await expect(engineAt(`tcp://127.0.0.1:${port}`, oneShot).ping()).rejects.toEqual(
      refusal("engine-unreachable", new RegExp(`at tcp://127.0.0.1:${port}: connect ECONNREFUSED`)),
    );
  });

  it("shows its certificate to an engine behind TLS and checks the engine's", async () => {
    const certificates = temporaryDirectory();
    makeCertificate(certificates);
    const [cert, key] = ["cert.pem", "key.pem"].map((file) => readFileSync(join(certificates, file)));
    const server = createTlsServer(
      { cert, key, ca: cert, requestCert: true, rejectUnauthorized: true },
      (_request, response) => {
        response.end(JSON.stringify({ Version: "1" }));
      },
    );
    const host = `tcp://127.0.0.1:${await listen(server)}`;
    const trusting = new DockerEngine({
      host,
      oneShot,
      env: { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates },
    });
    onTestFinished(() => trusting.close());
    expect(await trusting.version()).toEqual({ version: "1", apiVersion: "" });
    const doubting = new DockerEngine({ host, oneShot, env: { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/nowhere" } });
    await expect(doubting.version()).rejects.toEqual(refusal("engine-unreachable", /certificate/, /DOCKER_CERT_PATH/));
  });
});

describe("kept-alive connections", () => {
  it("are used again", async () => {
    const { host, connections } = await scriptedEngine(() => ({ body: containerJson() }));
    const engine = engineAt(host, false);
    for (let at = 0; at < 5; at++) await engine.inspect("web1");
    expect(connections).toHaveLength(1);
  });

  it("are replaced when the engine closed them in the meantime", async () => {
    let answered = 0;
    const host = await rawServer((socket) => {
      // The second request on a connection finds it closing, as after an engine's restart.
      if (socket.bytesWritten > 0) {
        socket.destroy();
        return;
      }
      answered++;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"Version":"1"}');
    });
    const engine = engineAt(host, false);
    for (let at = 0; at < 3; at++) expect((await engine.version()).version).toBe("1");
    expect(answered).toBe(3);
  });

  it("repeat nothing when a fresh one is closed without an answer", async () => {
    let asked = 0;
    const host = await rawServer((socket) => {
      asked++;
      socket.destroy();
    });
    await expect(engineAt(host, false).version()).rejects.toEqual(
      refusal("engine-unreachable", /without an answer|ECONNRESET/),
    );
    expect(asked).toBe(1);
  });
});

describe("a process that asked an engine", () => {
  const run = promisify(execFile);

  async function bundle(): Promise<string> {
    const outfile = join(temporaryDirectory(), "docker.cjs");
    await build({
      entryPoints: [join(import.meta.dirname, "../../../src/guests/docker.ts")],
      bundle: true,
      platform: "node",
      format: "cjs",
      outfile,
    });
    return outfile;
  }

  it.each([true, false])("ends by itself without closing it (one-shot: %s)", async (oneShot) => {
    const { host, asked } = await scriptedEngine(() => ({ body: containerJson() }));
    const script = `
      const { DockerEngine } = require(process.argv[1]);
      new DockerEngine({ host: process.argv[2], oneShot: ${oneShot}, env: {} }).inspect("web1").then(({ name }) => {
        console.log(name, process.moduleLoadList.includes("NativeModule http"));
      });`;
    // The engine never closes its side: a child that held on would be killed, which rejects.
    const { stdout } = await run(process.execPath, ["-e", script, await bundle(), host], { timeout: 20_000 });
    expect(stdout).toBe(`web1 ${!oneShot}\n`);
    expect(asked).toEqual(["/containers/web1/json"]);
  });
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** One self-signed certificate, good as authority, server and client. */
function makeCertificate(directory: string): void {
  const words =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1";
  execFileSync("openssl", [...words.split(" "), "-keyout", "key.pem", "-out", "cert.pem"], {
    cwd: directory,
    stdio: "pipe",
  });
  copyFileSync(join(directory, "cert.pem"), join(directory, "ca.pem"));
}
