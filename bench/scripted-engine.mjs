import { createHash } from "node:crypto";
import { createServer } from "node:http";

/**
 * node scripted-engine.mjs SOCKET CONTAINERS-JSON
 * Answers GET /containers/{name}/json like the Engine, for processes that already run. The answer has the size of a real
 * one (some 6 kB), so that reading it costs as much.
 */
const [socketPath, containers] = process.argv.slice(2);
const startedAt = new Date().toISOString();

function inspection({ name, pid, path }) {
  const id = createHash("sha256").update(name).digest("hex");
  return {
    Id: id,
    Created: startedAt,
    Path: "sleep",
    Args: ["infinity"],
    State: {
      Status: "running",
      Running: true,
      Paused: false,
      Restarting: false,
      Dead: false,
      Pid: pid,
      ExitCode: 0,
      StartedAt: startedAt,
    },
    Image: `sha256:${id}`,
    Name: `/${name}`,
    HostConfig: {
      NetworkMode: "none",
      Filler: Array.from({ length: 120 }, (_, i) => `/proc/filler/of/a/real/answer/${i}`),
    },
    Config: { Hostname: id.slice(0, 12), Image: "bench", Labels: {} },
    NetworkSettings: { SandboxID: id, SandboxKey: path, Networks: { none: { NetworkID: id, EndpointID: id } } },
  };
}

const answers = new Map(JSON.parse(containers).map((c) => [c.name, JSON.stringify(inspection(c))]));

const server = createServer((request, response) => {
  const name = /^(?:\/v[0-9.]+)?\/containers\/([^/]+)\/json/.exec(request.url ?? "")?.[1];
  const answer = answers.get(name ?? "");
  response.setHeader("content-type", "application/json");
  if (answer === undefined) response.statusCode = 404;
  response.end(answer ?? JSON.stringify({ message: `No such container: ${name}` }));
});
server.keepAliveTimeout = 0; // like the Engine, it never hangs up on an idle client
server.listen(socketPath, () => process.stdout.write("listening\n"));
