import { invalid, PipeworkError } from "../values/error.js";
import { DOCKER, type EngineKind } from "./engine-kind.js";

/** Where a Docker-compatible engine listens. */
export type EngineAddress =
  | { readonly kind: "unix"; readonly text: string; readonly path: string }
  | {
      readonly kind: "tcp";
      readonly text: string;
      readonly host: string;
      readonly port: number;
      /** Prefix of every path, for an engine behind a proxy; "" or "/prefix". */
      readonly prefix: string;
      /** Directory holding ca.pem, cert.pem and key.pem; "" is TLS with the system's authorities and no client certificate. */
      readonly tls?: string;
    };

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads an engine address in any form the docker command accepts: `unix:///path`, a bare absolute path, `tcp://host:port`.
 * Without `host` DOCKER_HOST decides, then /var/run/docker.sock. DOCKER_TLS_VERIFY (any text) turns tcp into TLS, with the
 * files of DOCKER_CERT_PATH or ~/.docker, as it does for the docker command. Docker contexts are not read.
 * For Podman these are CONTAINER_HOST and /run/podman/podman.sock; the connections of its configuration are not read.
 * @throws PipeworkError "invalid-request" for what is no address, "unsupported" for ssh:// and npipe://
 */
export function parseEngineAddress(
  host: string | undefined,
  env: Environment,
  { variable, address }: EngineKind = DOCKER,
): EngineAddress {
  const given = host ?? (env[variable] || address);
  const source = host === undefined && env[variable] ? variable : "engine address";
  if (given.startsWith("/")) return unix(given, source);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(given);
  if (scheme === null) {
    throw invalid(
      `${source} ${JSON.stringify(given)} is no engine address`,
      "write unix:///path/to/the.sock, an absolute path, or tcp://host:port",
    );
  }
  const [, kind = "", rest = ""] = scheme;
  switch (kind.toLowerCase()) {
    case "unix":
      return unix(rest, source);
    case "tcp":
    case "http":
    case "https":
      return tcp(given, kind.toLowerCase(), source, variable === DOCKER.variable ? env : {});
    case "ssh":
      throw new PipeworkError({
        code: "unsupported",
        message: `${source} ${given} reaches an engine over ssh, whose containers' network namespaces are on another machine`,
        hint: "run pipework on that machine",
      });
    case "npipe":
      throw new PipeworkError({
        code: "unsupported",
        message: `${source} ${given} is a Windows pipe, and network namespaces exist on Linux only`,
        hint: "run pipework inside the Linux machine that runs the containers",
      });
    default:
      throw invalid(
        `${source} ${given} has the unknown scheme ${kind}://`,
        "unix://, tcp:// or an absolute path is possible",
      );
  }
}

function unix(path: string, source: string): EngineAddress {
  if (!path.startsWith("/")) {
    throw invalid(
      `${source} unix://${path} has no absolute path`,
      "write unix:///path/to/the.sock, with three slashes",
    );
  }
  // struct sockaddr_un holds 107 bytes and a terminating zero; a longer path is cut silently by some clients.
  if (new TextEncoder().encode(path).length > 107 || path.includes("\0")) {
    throw invalid(`${source} unix://${path} is longer than the 107 bytes a socket's path may have`);
  }
  return { kind: "unix", text: `unix://${path}`, path };
}

function tcp(given: string, scheme: string, source: string, env: Environment): EngineAddress {
  const secure = scheme === "https" || (scheme === "tcp" && Boolean(env.DOCKER_TLS_VERIFY));
  let url: URL;
  try {
    url = new URL(given.replace(/^[a-z]+:/i, secure ? "https:" : "http:"));
  } catch (cause) {
    throw invalid(`${source} ${given} is no engine address: ${(cause as Error).message}`, "write tcp://host:port");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw invalid(`${source} ${given} has more than a host and a port`, "write tcp://host:port");
  }
  // URL drops the port that is its scheme's default, so an explicit 80 or 443 has to be read from the text.
  const explicit = /:(\d+)(\/|$)/.exec(given.slice(given.indexOf("//") + 2))?.[1];
  return {
    kind: "tcp",
    text: given,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: explicit === undefined ? (secure ? 2376 : 2375) : Number(explicit),
    prefix: url.pathname.replace(/\/+$/, ""),
    ...(secure ? { tls: env.DOCKER_CERT_PATH || (env.HOME ? `${env.HOME}/.docker` : "") } : {}),
  };
}
