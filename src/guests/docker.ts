import { existsSync, realpathSync } from "node:fs";
import { PipeworkError } from "../values/error.js";
import {
  type Container,
  type ContainerSummary,
  readContainer,
  readContainerList,
  UnexpectedAnswer,
} from "./container.js";
import { type EngineAddress, type Environment, parseEngineAddress } from "./engine-address.js";
import { DOCKER, type EngineKind, PODMAN } from "./engine-kind.js";
import { byConversation, type Converse, type EngineTransport, keptAlive, oneShot } from "./engine-transport.js";
import { HttpProtocolError, type HttpResponse } from "./http-response.js";

export interface DockerEngineOptions {
  /** unix:///path, /path or tcp://host:port. Default: DOCKER_HOST of `env`, then unix:///var/run/docker.sock; for Podman its own. */
  readonly host?: string | undefined;
  /** Which engine is meant. Default: Docker. What answers may be Podman all the same. */
  readonly kind?: EngineKind | undefined;
  /** With `oneShot` and a unix socket: asks through this, and loads not even node:net. */
  readonly converse?: Converse | undefined;
  /** One connection per request without loading node:http: for a process that asks once and ends. */
  readonly oneShot?: boolean | undefined;
  readonly env: Environment;
}

export interface EngineCallOptions {
  /** Milliseconds until an answer has to be complete. Default: 10 000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

function transportFor(address: EngineAddress, { oneShot: once, converse }: DockerEngineOptions): EngineTransport {
  if (once !== true) return keptAlive(address);
  if (address.kind === "unix")
    return converse === undefined ? oneShot(address) : byConversation(address.path, converse);
  return address.tls === undefined ? oneShot(address) : keptAlive(address);
}

/**
 * A client for the few questions asked of a Docker-compatible engine. Paths carry no API version: Docker 29 refuses those
 * below 1.44 and Docker 20.10 those above 1.41, while a path without one is answered by every engine in its own version.
 *
 * Every method throws PipeworkError: "engine-unreachable" when nobody answers or the answer is an error or makes no
 * sense, "timeout", "aborted".
 */
export class DockerEngine {
  /** What answers there. */
  readonly kind: EngineKind;
  readonly address: EngineAddress;
  /** Somebody said where it is: it is not merely looked for at the usual place. */
  readonly named: boolean;
  readonly #env: Environment;
  readonly #transport: EngineTransport;

  constructor(options: DockerEngineOptions) {
    this.#env = options.env;
    const kind = options.kind ?? DOCKER;
    this.address = parseEngineAddress(options.host, options.env, kind);
    this.named = options.host !== undefined || Boolean(options.env[kind.variable]);
    this.kind = isPodmans(this.address) ? PODMAN : kind;
    this.#transport = transportFor(this.address, options);
  }

  /** The container of this name, id or unique id prefix; null when there is none. */
  async inspect(ref: string, options: EngineCallOptions = {}): Promise<Container | null> {
    const path = `/containers/${encodeURIComponent(ref)}/json`;
    const answer = await this.#get(path, options);
    if (answer.status === 404 && !isAmbiguity(answer)) return null;
    return this.#read(path, answer, readContainer);
  }

  /** Containers, running or not. `filters` as in the Engine API, such as { label: ["pipework.eth1"] }. */
  async list(
    filters: Readonly<Record<string, readonly string[]>> = {},
    options: EngineCallOptions = {},
  ): Promise<ContainerSummary[]> {
    const wanted = Object.keys(filters).length === 0 ? "" : `&filters=${encodeURIComponent(JSON.stringify(filters))}`;
    const path = `/containers/json?all=1${wanted}`;
    return this.#read(path, await this.#get(path, options), readContainerList);
  }

  async ping(options: EngineCallOptions = {}): Promise<void> {
    const answer = await this.#get("/_ping", options);
    if (answer.status !== 200) throw this.#refused("/_ping", answer);
  }

  /** The engine's version and the newest API it speaks, such as "20.10.24" and "1.41". */
  async version(options: EngineCallOptions = {}): Promise<{ version: string; apiVersion: string }> {
    return this.#read("/version", await this.#get("/version", options), (value) => {
      const { Version: version, ApiVersion: apiVersion } = (value ?? {}) as Record<string, unknown>;
      if (typeof version !== "string") throw new UnexpectedAnswer("Version is no text");
      return { version, apiVersion: typeof apiVersion === "string" ? apiVersion : "" };
    });
  }

  /** Whether it runs without root, its containers in a user namespace. */
  async rootless(options: EngineCallOptions = {}): Promise<boolean> {
    return this.#read("/info", await this.#get("/info", options), (value) => {
      const { Rootless: rootless, SecurityOptions: security } = (value ?? {}) as Record<string, unknown>;
      return rootless === true || (Array.isArray(security) && security.includes("name=rootless"));
    });
  }

  /** Closes idle connections. An engine that is never closed keeps no process alive either. */
  close(): void {
    this.#transport.close();
  }

  async #get(path: string, { timeoutMs = 10_000, signal }: EngineCallOptions): Promise<HttpResponse> {
    if (signal?.aborted) throw aborted(signal);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    const onAbort = (): void => deadline.abort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await this.#transport.get(path, deadline.signal);
    } catch (error) {
      if (signal?.aborted) throw aborted(signal);
      if (deadline.signal.aborted) {
        throw new PipeworkError({
          code: "timeout",
          message: `the container engine at ${this.address.text} did not answer within ${timeoutMs / 1000} s`,
          hint: `look whether it is stuck (${this.kind.name} ps); --timeout allows more time`,
        });
      }
      throw unreachable(this.kind, this.address, error, this.#env);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #read<T>(path: string, answer: HttpResponse, read: (value: unknown) => T): T {
    if (answer.status !== 200) throw this.#refused(path, answer);
    try {
      return read(JSON.parse(answer.body));
    } catch (error) {
      if (!(error instanceof UnexpectedAnswer || error instanceof SyntaxError)) throw error;
      throw new PipeworkError({
        code: "engine-unreachable",
        message: `the container engine at ${this.address.text} answered GET ${path} with something unexpected: ${error.message}`,
        hint: `is it a ${this.kind.title} engine that listens there?`,
        cause: error,
      });
    }
  }

  #refused(path: string, answer: HttpResponse): PipeworkError {
    return new PipeworkError({
      code: "engine-unreachable",
      message: `the container engine at ${this.address.text} refused GET ${path} with status ${answer.status}: ${reasonOf(answer)}`,
      hint: `the engine's own log says more (${this.kind.log})`,
    });
  }
}

function aborted(signal: AbortSignal): PipeworkError {
  return new PipeworkError({
    code: "aborted",
    message: "the wait for the container engine was aborted",
    cause: signal.reason,
  });
}

/** An engine's errors are {"message": "..."}; a proxy's are pages, of which the first line has to do. */
function reasonOf({ body }: HttpResponse): string {
  try {
    const message = (JSON.parse(body) as { message?: unknown } | null)?.message;
    if (typeof message === "string") return message;
  } catch {
    // Not JSON: below.
  }
  return body.trim().split("\n", 1)[0]?.slice(0, 200) || "no reason given";
}

/**
 * Podman stands in for Docker where DOCKER_HOST names its socket, and where the package podman-docker has made Docker's socket
 * a link to it: its containers have one identity, however they are asked for.
 */
function isPodmans(address: EngineAddress): boolean {
  if (address.kind !== "unix" || !existsSync(address.path)) return false;
  try {
    return realpathSync.native(address.path).endsWith("/podman/podman.sock");
  } catch {
    return false;
  }
}

/** Podman answers 404 to a prefix that fits several containers as well, and tells the cause apart. */
function isAmbiguity({ body }: HttpResponse): boolean {
  try {
    const { cause } = (JSON.parse(body) ?? {}) as { cause?: unknown };
    return typeof cause === "string" && cause !== "no such container";
  } catch {
    return false;
  }
}

function unreachable(kind: EngineKind, address: EngineAddress, error: unknown, env: Environment): PipeworkError {
  const { code, message } = error as NodeJS.ErrnoException;
  const refused = (why: string, hint: string): PipeworkError =>
    new PipeworkError({
      code: "engine-unreachable",
      message: `no ${kind.name === "docker" ? "container" : kind.title} engine can be reached at ${address.text}: ${why}`,
      hint,
      errnoName: code,
      cause: error,
    });
  const start = `start it (${kind.start}), or name another one with ${kind.variable}`;
  if (error instanceof HttpProtocolError)
    return refused(`whoever listens there ${message}`, `is it a ${kind.title} engine?`);
  if (address.kind === "unix") {
    if (code === "ENOENT") {
      // A rootless Podman's containers are not attached: nothing to point at.
      const other = kind.name === "docker" ? rootlessSocket(env) : null;
      if (other === null || other === address.path) return refused("the socket does not exist (ENOENT)", start);
      return refused(
        "the socket does not exist (ENOENT)",
        `a rootless engine listens here: DOCKER_HOST=unix://${other}`,
      );
    }
    if (code === "ECONNREFUSED") return refused("nobody listens on the socket any more (ECONNREFUSED)", start);
    if (code === "EACCES" || code === "EPERM") {
      return refused(
        `permission denied (${code})`,
        kind.name === "docker" ? "run as root, or as a member of the socket's group (usually docker)" : "run as root",
      );
    }
    if (code === "ENOTSOCK" || code === "ENOTDIR") return refused(`that is no socket (${code})`, start);
  }
  if (code === "EPROTO" || code?.startsWith("ERR_SSL") || /certificate/i.test(message)) {
    return refused(
      message,
      "DOCKER_TLS_VERIFY and DOCKER_CERT_PATH (ca.pem, cert.pem, key.pem) have to suit the engine",
    );
  }
  return refused(message, start);
}

/** Where a rootless engine of the user (behind sudo, too) has its socket; null when there is none. */
function rootlessSocket(env: Environment): string | null {
  const uid = env.SUDO_UID;
  const directory = env.XDG_RUNTIME_DIR || (uid !== undefined && /^[0-9]+$/.test(uid) ? `/run/user/${uid}` : undefined);
  return directory !== undefined && existsSync(`${directory}/docker.sock`) ? `${directory}/docker.sock` : null;
}
