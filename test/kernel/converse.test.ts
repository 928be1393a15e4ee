import { execFileSync, spawn } from "node:child_process";
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

/**
 * A listener in the abstract namespace, which Node 20 does not know, in a process of its own. It tells the credentials that
 * came with the question, and closes or not; or it never accepts anybody.
 */
const LISTENER = `
import os, socket, struct, sys, time
name, conduct = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind("\\0" + name)
listener.listen(1)
os.write(1, b"listens")
kept = []
while conduct == "deaf": time.sleep(60)
while True:
    one, _ = listener.accept()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    asked, ancillary, _, _ = one.recvmsg(5, 100)
    if not asked: continue
    if conduct == "ends": one.sendall(b"half")
    if conduct == "answers": one.sendall(("%d %d %d, says the kernel" % struct.unpack("3I", ancillary[0][2])).encode())
    if conduct == "twice":
        one.sendall(b"ab")
        if os.fork() == 0:
            one.sendall(b"cd")
            os._exit(0)
        os.wait()
    if conduct in ("ends", "silent"): one.close()
    kept.append(one)
`;

type Conduct = "answers" | "ends" | "silent" | "twice" | "deaf";

async function elsewhere(conduct: Conduct, uid?: number, netns?: string): Promise<{ path: string; pid: number }> {
  const name = `pipework-converse-${process.pid}-${++count}`;
  const words = ["python3", "-c", LISTENER, name, conduct];
  const [program = "", ...rest] = netns === undefined ? words : ["nsenter", `--net=${netns}`, ...words];
  const child = spawn(program, rest, {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: "/",
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  closing.push(() => child.kill("SIGKILL"));
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("error", reject);
    child.once("exit", reject);
  });
  return { path: `\0${name}`, pid: child.pid ?? 0 };
}

describe("a conversation in the abstract namespace, with credentials", () => {
  const writer = (bytes: Uint8Array): number[] => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return [0, 4, 8].map((at) => view.getUint32(at, true));
  };
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

  test("ends after the bytes that were asked for; both sides know who the other is", async () => {
    const { path, pid } = await elsewhere("answers");
    const one = runner();
    const expected = `${process.pid} 0 0, says`;
    const bytes = await one.converse({ ...ask(path), credentials: true, length: expected.length });
    expect(writer(bytes)).toEqual([pid, 0, 0]);
    expect(text(bytes.subarray(12))).toBe(expected);
    // Without a length it ends where the other side closes, which this one never does.
    expect(await failure(one.converse({ ...ask(path, 50), credentials: true }))).toBe("ETIMEDOUT");
    expect(text(await one.converse({ ...ask(path), length: expected.length }))).toBe(expected);
  });

  test("an answer that ends early is as long as it is, and none has no writer", async () => {
    const half = await elsewhere("ends");
    const bytes = await runner().converse({ ...ask(half.path), credentials: true, length: 100 });
    expect(writer(bytes)).toEqual([half.pid, 0, 0]);
    expect(text(bytes.subarray(12))).toBe("half");
    const { path } = await elsewhere("silent");
    expect((await runner().converse({ ...ask(path), credentials: true, length: 100 })).length).toBe(0);
  });

  test("what two processes have written is nobody's answer", async () => {
    const { path } = await elsewhere("twice");
    const one = runner();
    expect(await failure(one.converse({ ...ask(path), credentials: true, length: 4 }))).toBe("EPROTO");
    expect(text(await one.converse({ ...ask(path), length: 4 }))).toBe("abcd");
  });

  test("another user's listener is not asked where it matters who answers", async () => {
    const { path } = await elsewhere("answers", 65534);
    const one = runner();
    expect(await failure(one.converse({ ...ask(path), credentials: true, length: 4 }))).toBe("EACCES");
    expect(text(await one.converse({ ...ask(path), length: 4 }))).toBe(`${process.pid}`.padEnd(4).slice(0, 4));
  });

  test("each network namespace has names of its own, and those of the one that is told are meant", async () => {
    const name = `pipework-converse-${process.pid}`;
    execFileSync("ip", ["netns", "add", name]);
    closing.push(() => execFileSync("ip", ["netns", "delete", name]));
    const { path, pid } = await elsewhere("answers", undefined, `/run/netns/${name}`);
    const one = runner();
    const netns = loadAddon().openNetns(`/run/netns/${name}`);
    closing.push(() => netns.close());
    const bytes = await one.converse({ ...ask(path), netns, credentials: true, length: 4 });
    expect(writer(bytes)).toEqual([pid, 0, 0]);
    for (const own of [{}, { netns: null }]) {
      expect(await failure(one.converse({ ...ask(path), ...own, credentials: true, length: 4 }))).toBe("ECONNREFUSED");
    }
    // A socket's file is found by the mount namespace alone.
    const file = await serve((socket, asked) => socket.end(asked));
    expect(text(await one.converse({ ...ask(file), netns }))).toBe("hello");
    netns.close();
    await expect(one.converse({ ...ask(path), netns })).rejects.toThrow(/closed/);
    await expect(one.converse({ ...ask(path), netns: 1 as never })).rejects.toThrow(TypeError);
  });

  test("a listener whose backlog stays full keeps nobody beyond the time, nor beyond the end", async () => {
    const { path } = await elsewhere("deaf");
    const one = new (loadAddon().Runner)();
    // Two fill the backlog; those behind them cannot even connect.
    const waiting = Array.from({ length: 4 }, () => failure(one.converse(ask(path, 60_000))));
    expect(await failure(one.converse(ask(path, 100)))).toBe("ETIMEDOUT");
    await one.close();
    expect(await Promise.all(waiting)).toEqual(["closed", "closed", "closed", "closed"]);
  });

  test("nobody there, and names that are none", async () => {
    const one = runner();
    expect(await failure(one.converse(ask("\0pipework-converse-nobody")))).toBe("ECONNREFUSED");
    expect(await failure(one.converse(ask(`\0${"x".repeat(107)}`)))).toBe("ECONNREFUSED");
    expect(await failure(one.converse(ask(`\0${"x".repeat(108)}`)))).toBe("ENAMETOOLONG");
    expect(await failure(one.converse(ask(`/${"x".repeat(107)}`)))).toBe("ENAMETOOLONG");
    for (const path of ["", "\0", "/", "\0a\0b", "/a\0b"]) {
      await expect(one.converse(ask(path)), JSON.stringify(path)).rejects.toThrow(TypeError);
    }
    await expect(one.converse({ ...ask("/a"), length: -1 })).rejects.toThrow(TypeError);
    await expect(one.converse({ ...ask("/a"), credentials: 1 as never })).rejects.toThrow(TypeError);
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
