import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A fresh directory that goes with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "pipework-unit-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What an engine answers to one path: a status and a value, which becomes JSON unless it is text. */
export type Script = (path: string, request: IncomingMessage) => Reply | Promise<Reply>;
export type Reply = { status?: number; body: unknown };

/** A real HTTP server on a unix socket. `asked` grows by one path per request, `connections` by one per connection. */
export async function scriptedEngine(
  script: Script,
  path = join(temporaryDirectory(), "docker.sock"),
): Promise<{ host: string; asked: string[]; connections: Socket[] }> {
  const asked: string[] = [];
  const connections: Socket[] = [];
  const server = createHttpServer(async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "";
    asked.push(path);
    const { status = 200, body } = await script(path, request);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  server.keepAliveTimeout = 0;
  server.on("connection", (socket) => connections.push(socket));
  return { host: await listen(server, connections, path), asked, connections };
}

/** A server that does with a connection whatever the test says, once it has read the request. */
export async function rawServer(answer: (socket: Socket, request: string) => void): Promise<string> {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    let request = "";
    socket.on("error", () => {});
    socket.on("data", (piece) => {
      request += piece.toString("latin1");
      if (request.endsWith("\r\n\r\n")) answer(socket, request);
    });
  });
  return listen(server, connections, join(temporaryDirectory(), "docker.sock"));
}

async function listen(server: Server, connections: readonly Socket[], path: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.listen(path, resolve);
  });
  onTestFinished(async () => {
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `unix://${path}`;
}

/** The JSON of a container as an engine answers inspect with, as far as it is read. */
export function containerJson(
  overrides: {
    id?: string;
    name?: string;
    state?: Record<string, unknown>;
    networkMode?: string;
    sandboxKey?: string;
    hostname?: string;
  } = {},
): Record<string, unknown> {
  const { id = "a".repeat(64), name = "web1", state = {}, networkMode = "default", sandboxKey = "" } = overrides;
  return {
    Id: id,
    Name: `/${name}`,
    State: {
      Status: "running",
      Running: true,
      Paused: false,
      Restarting: false,
      Dead: false,
      Pid: 4711,
      ExitCode: 0,
      Error: "",
      StartedAt: "2026-01-02T03:04:05.000000006Z",
      FinishedAt: "0001-01-01T00:00:00Z",
      ...state,
    },
    HostConfig: { NetworkMode: networkMode },
    Config: { Hostname: overrides.hostname ?? "host1" },
    NetworkSettings: { SandboxKey: sandboxKey },
  };
}
