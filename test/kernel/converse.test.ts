import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { DockerEngine } from "../../src/guests/docker.js";
import { loadAddon } from "../../src/kernel/addon.js";
import { errnoName } from "../../src/kernel/errno.js";
import type { NativeError } from "../../src/kernel/native.js";

const directory = mkdtempSync(join(tmpdir(), "pipework-converse-"));
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

let count = 0;

async function serve(answer: (socket: Socket, asked: string) => void): Promise<string> {
  const path = join(directory, `${++count}.sock`);
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => answer(socket, data.toString()));
    closing.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return path;
}

function runner() {
  const one = new (loadAddon().Runner)();
  closing.push(() => one.close());
  return one;
}

const ask = (path: string, timeoutMs = 5000) => ({ path, payload: new TextEncoder().encode("hello"), timeoutMs });
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "none",
    ({ errno, reason }: NativeError) => reason ?? errnoName(errno ?? 0),
  );

describe("a conversation over a unix socket", () => {
  test("sends, and reads to the end, however many pieces there are", async () => {
    const path = await serve((socket, asked) => {
      for (let i = 0; i < 300; i++) socket.write(`${asked}${"x".repeat(10_000)}`);
      socket.end("end");
    });
    const text = new TextDecoder().decode(await runner().converse(ask(path)));
    expect(text.length).toBe(300 * 10_005 + 3);
    expect(text.startsWith("helloxxx")).toBe(true);
    expect(text.endsWith("xend")).toBe(true);
  });

  test("nobody there, nobody listening, no answer, nonsense for a path", async () => {
    const one = runner();
    expect(await failure(one.converse(ask(join(directory, "none.sock"))))).toBe("ENOENT");
    expect(await failure(one.converse(ask(directory)))).toBe("ECONNREFUSED");
    expect(await failure(one.converse(ask(await serve(() => {}), 50)))).toBe("ETIMEDOUT");
    expect(await failure(one.converse(ask(`/${"x".repeat(200)}`)))).toBe("ENAMETOOLONG");
    await expect(one.converse(ask("relative.sock"))).rejects.toThrow(TypeError);
  });

  test("closing the runner ends one that waits", async () => {
    const one = new (loadAddon().Runner)();
    const waiting = failure(one.converse(ask(await serve(() => {}), 60_000)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await one.close();
    expect(await waiting).toBe("closed");
  });
});

describe("the engine asked so", () => {
  const engine = (path: string) => {
    const one = runner();
    return new DockerEngine({ host: path, oneShot: true, env: {}, converse: (options) => one.converse(options) });
  };

  test("answers, refuses, and is told apart from silence", async () => {
    const path = await serve((socket, asked) => {
      const found = asked.startsWith("GET /version HTTP/1.0\r\n");
      socket.end(
        found ? 'HTTP/1.0 200 OK\r\n\r\n{"Version":"1.2.3","ApiVersion":"1.41"}' : "HTTP/1.0 404 Not Found\r\n\r\n{}",
      );
    });
    expect(await engine(path).version()).toEqual({ version: "1.2.3", apiVersion: "1.41" });
    expect(await engine(path).inspect("nobody")).toBeNull();
    await expect(engine(join(directory, "none.sock")).version()).rejects.toMatchObject({
      code: "engine-unreachable",
      errnoName: "ENOENT",
    });
    const silent = await serve(() => {});
    await expect(engine(silent).version({ timeoutMs: 50 })).rejects.toMatchObject({ code: "timeout" });
    await expect(engine(silent).version({ signal: AbortSignal.timeout(30) })).rejects.toMatchObject({
      code: "aborted",
    });
    const cut = await serve((socket) => socket.end("HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{"));
    await expect(engine(cut).version()).rejects.toMatchObject({ code: "engine-unreachable" });
  });
});
