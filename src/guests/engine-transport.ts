import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import type { Agent as TlsAgent } from "node:https";
import type { Socket } from "node:net";
import { errnoName } from "../kernel/errno.js";
import type { NativeConversation } from "../kernel/native.js";
import type { EngineAddress } from "./engine-address.js";
import { HttpProtocolError, type HttpResponse, HttpResponseReader } from "./http-response.js";

/** Sends GET requests to one engine. Rejects with the socket's own error, an HttpProtocolError, or what aborted `signal`. */
export interface EngineTransport {
  /** `path` with its query, unversioned. */
  get(path: string, signal: AbortSignal): Promise<HttpResponse>;
  /** Closes idle connections; requests under way end by themselves. */
  close(): void;
}

const LIMIT = 64 * 1024 * 1024;

/**
 * One connection per request, HTTP/1.0 over a plain socket: loading node:http alone would cost the one-shot command 5 ms.
 * With HTTP/1.0 the engine neither chunks nor keeps the connection. TLS addresses have to use `keptAlive`.
 */
export function oneShot(address: EngineAddress): EngineTransport {
  return {
    async get(path, signal) {
      const { connect } = await import("node:net");
      signal.throwIfAborted();
      return new Promise((resolve, reject) => {
        const socket: Socket =
          address.kind === "unix"
            ? connect({ path: address.path })
            : connect({ host: address.host, port: address.port });
        const reader = new HttpResponseReader(LIMIT);
        const settle = (action: () => void): void => {
          signal.removeEventListener("abort", onAbort);
          socket.destroy();
          action();
        };
        const finish = (): void =>
          settle(() => {
            try {
              resolve(reader.finish());
            } catch (error) {
              reject(error);
            }
          });
        const onAbort = (): void => settle(() => reject(signal.reason));
        signal.addEventListener("abort", onAbort, { once: true });
        socket.on("error", (error) => settle(() => reject(error)));
        socket.on("end", finish);
        socket.on("data", (piece) => {
          try {
            if (reader.push(piece)) finish();
          } catch (error) {
            settle(() => reject(error));
          }
        });
        socket.write(
          `GET ${prefixOf(address)}${path} HTTP/1.0\r\nHost: ${hostOf(address)}\r\nAccept: application/json\r\n\r\n`,
        );
      });
    },
    close() {},
  };
}

/** Sends to a unix stream socket and reads to its end; rejects with an Error that has `errno`. */
export type Converse = (options: NativeConversation) => Promise<Uint8Array>;

/** What the signal of a request does not end by itself ends then, in milliseconds. */
const BACKSTOP = 600_000;

/**
 * Like oneShot over a unix socket, by the addon: loading node:net alone would cost the one-shot command 5 ms. An aborted
 * request is over for its caller; what waits for the engine then ends with the process, or at the backstop.
 */
export function byConversation(path: string, converse: Converse): EngineTransport {
  return {
    async get(resource, signal) {
      signal.throwIfAborted();
      const payload = new TextEncoder().encode(
        `GET ${resource} HTTP/1.0\r\nHost: docker\r\nAccept: application/json\r\n\r\n`,
      );
      let onAbort = (): void => {};
      const aborted = new Promise<never>((_, reject) => {
        onAbort = () => reject(signal.reason);
        signal.addEventListener("abort", onAbort, { once: true });
      });
      try {
        const answer = await Promise.race([converse({ path, payload, timeoutMs: BACKSTOP }), aborted]);
        const reader = new HttpResponseReader(LIMIT);
        reader.push(answer);
        return reader.finish();
      } catch (error) {
        const { errno } = error as { errno?: number };
        // As Node's sockets name it.
        throw errno === undefined ? error : Object.assign(error as Error, { code: errnoName(errno) });
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
    close() {},
  };
}

/** Kept-alive connections through node:http or node:https, loaded at the first request. Idle ones keep no process alive. */
export function keptAlive(address: EngineAddress): EngineTransport {
  let client: Promise<Client> | null = null;
  return {
    async get(path, signal) {
      if (client === null) {
        client = makeClient(address);
        // A certificate that cannot be read now may be readable at the next request.
        client.catch(() => {
          client = null;
        });
      }
      const { request } = await client;
      signal.throwIfAborted();
      try {
        return await requestOnce(request, path, signal);
      } catch (error) {
        // The engine may close an idle connection in the very moment it is used again (RFC 9112 section 9.3.1): a GET is repeated.
        if (error instanceof StaleConnection) return requestOnce(request, path, signal);
        throw error;
      }
    },
    close() {
      client?.then(
        ({ agent }) => agent.destroy(),
        () => {},
      );
    },
  };
}

interface Client {
  readonly agent: Agent | TlsAgent;
  request(path: string, signal: AbortSignal): ClientRequest;
}

async function makeClient(address: EngineAddress): Promise<Client> {
  const options = { keepAlive: true, maxSockets: 16, maxFreeSockets: 8 };
  const headers = { host: hostOf(address), accept: "application/json" };
  if (address.kind === "unix") {
    const http = await import("node:http");
    const agent = new http.Agent(options);
    const { path: socketPath } = address;
    return { agent, request: (path, signal) => http.request({ socketPath, path, headers, agent, signal }) };
  }
  const { host, port, prefix, tls } = address;
  if (tls === undefined) {
    const http = await import("node:http");
    const agent = new http.Agent(options);
    return {
      agent,
      request: (path, signal) => http.request({ host, port, path: prefix + path, headers, agent, signal }),
    };
  }
  const https = await import("node:https");
  const agent = new https.Agent({ ...options, ...(await readCertificates(tls)) });
  return {
    agent,
    request: (path, signal) => https.request({ host, port, path: prefix + path, headers, agent, signal }),
  };
}

/** The three files of the docker command; each may be absent on its own, as there. */
async function readCertificates(directory: string): Promise<{ ca?: Buffer; cert?: Buffer; key?: Buffer }> {
  if (directory === "") return {};
  const { readFile } = await import("node:fs/promises");
  const found: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {};
  for (const part of ["ca", "cert", "key"] as const) {
    try {
      found[part] = await readFile(`${directory}/${part}.pem`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return found;
}

class StaleConnection extends Error {}

function requestOnce(request: Client["request"], path: string, signal: AbortSignal): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const sent = request(path, signal);
    const fail = (error: NodeJS.ErrnoException): void => {
      if (signal.aborted) reject(signal.reason);
      else if (error.code?.startsWith("HPE_"))
        reject(new HttpProtocolError("answered with something that is not HTTP"));
      else if (sent.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE"))
        reject(new StaleConnection());
      else if (error.message === "socket hang up")
        reject(new HttpProtocolError("closed the connection without an answer"));
      else reject(error);
    };
    sent.on("error", fail);
    sent.on("response", (response: IncomingMessage) => {
      const pieces: Buffer[] = [];
      let length = 0;
      response.on("data", (piece: Buffer) => {
        pieces.push(piece);
        length += piece.length;
        if (length > LIMIT) sent.destroy(new HttpProtocolError(`answered with more than ${LIMIT} bytes`));
      });
      // From here on a broken connection is half an answer, never a stale one.
      response.on("error", () => {
        reject(
          signal.aborted ? signal.reason : new HttpProtocolError("closed the connection in the middle of the answer"),
        );
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString("utf8") }),
      );
    });
    sent.end();
  });
}

function prefixOf(address: EngineAddress): string {
  return address.kind === "tcp" ? address.prefix : "";
}

function hostOf(address: EngineAddress): string {
  if (address.kind === "unix") return "docker";
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
