import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { makeGuest, scratch, sleep } from "./stage.mjs";

/** The raw question that an attach by name needs: one inspect over a kept-alive unix socket. */
class Inspector {
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(socketPath) {
    this.socketPath = socketPath;
  }

  async inspect(name) {
    const options = { socketPath: this.socketPath, path: `/containers/${name}/json`, agent: this.#agent };
    const [response] = await once(get(options), "response");
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += chunk;
    return JSON.parse(text);
  }

  end() {
    this.#agent.destroy();
  }
}

/** A process that answers inspect as the Engine does, for processes in namespaces of ours. */
export class ScriptedEngine extends Inspector {
  kind = "scripted engine";
  containers = [];
  #children = [];

  static async start(count) {
    const engine = new ScriptedEngine(join(scratch, "scripted.sock"));
    for (let i = 0; i < count; i++) {
      const { name, path } = makeGuest(`box${i}`, { ipv6: false });
      const child = spawn("nsenter", [`--net=${path}`, "sleep", "infinity"], { stdio: "ignore" });
      engine.#children.push(child);
      engine.containers.push({ name, pid: child.pid, path });
    }
    const server = spawn(
      process.execPath,
      [join(import.meta.dirname, "scripted-engine.mjs"), engine.socketPath, JSON.stringify(engine.containers)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    engine.#children.push(server);
    await once(server.stdout, "data"); // it says so when it listens
    return engine;
  }

  async stop() {
    this.end();
    for (const child of this.#children) child.kill();
  }
}

/** A Docker Engine of our own, started inside the private namespaces; the machine's engine is never asked. */
export class DockerEngine extends Inspector {
  kind = "Docker Engine";
  containers = [];
  #daemon;
  #docker;

  static async start(count, cgroup) {
    const engine = new DockerEngine(join(scratch, "docker.sock"));
    const logPath = join(scratch, "dockerd.log");
    const log = openSync(logPath, "w");
    // No bridge, no firewall rules, no forwarding: the containers get a namespace with nothing but lo in it.
    const off = ["--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"];
    const places = [`--data-root=${scratch}/docker`, `--exec-root=${scratch}/exec`, `--pidfile=${scratch}/docker.pid`];
    const cgroups = ["--exec-opt=native.cgroupdriver=cgroupfs", `--cgroup-parent=${cgroup}`];
    const host = `unix://${engine.socketPath}`;
    engine.#daemon = spawn("dockerd", [...off, ...places, ...cgroups, "-H", host], { stdio: ["ignore", log, log] });
    let ended = null;
    engine.#daemon.once("error", (error) => (ended = error.message));
    engine.#daemon.once("exit", (code) => (ended ??= `exit status ${code}`));
    engine.#docker = (...words) => execFileSync("docker", ["-H", host, ...words], { encoding: "utf8" });
    for (let tries = 0; ; tries++) {
      if (ended !== null || tries > 200) {
        const last = readFileSync(logPath, "utf8").trim().split("\n").slice(-3).join("\n");
        throw new Error(`dockerd does not start here (${ended ?? "no answer in 20 s"}): ${last}`);
      }
      try {
        const { Version } = await engine.#ask("/version");
        engine.kind = `Docker Engine ${Version}`;
        break;
      } catch {
        await sleep(100);
      }
    }
    await engine.#importImage();
    for (let i = 0; i < count; i++) {
      const name = `box${i}`;
      engine.#docker("run", "--detach", "--name", name, "--network", "none", "bench", "/bin/busybox", "sleep", "3600");
      const { State } = await engine.inspect(name);
      engine.containers.push({ name, pid: State.Pid });
    }
    return engine;
  }

  async #ask(path) {
    const [response] = await once(get({ socketPath: this.socketPath, path }), "response");
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += chunk;
    return JSON.parse(text);
  }

  /** An image of one static program, imported: no registry is needed. */
  async #importImage() {
    const root = join(scratch, "image");
    mkdirSync(join(root, "bin"), { recursive: true });
    execFileSync("cp", ["/bin/busybox", join(root, "bin")]);
    execFileSync("tar", ["-C", root, "-cf", join(scratch, "image.tar"), "."]);
    const load = spawn("docker", ["-H", `unix://${this.socketPath}`, "import", "-", "bench"], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    createReadStream(join(scratch, "image.tar")).pipe(load.stdin);
    const [code] = await once(load, "exit");
    if (code !== 0) throw new Error("docker import failed");
  }

  async stop() {
    this.end();
    if (this.#daemon.exitCode !== null) return;
    // Removed by force first: dockerd would wait 10 s for each container when it ends.
    const all = this.#docker("ps", "--all", "--quiet").split("\n").filter(Boolean);
    if (all.length > 0) this.#docker("rm", "--force", ...all);
    const ended = once(this.#daemon, "exit");
    this.#daemon.kill("SIGTERM");
    await ended;
  }
}

const cgroupPrefix = "pipework-bench-";

/** Name of the control group of this process's run. */
export const cgroupName = () => `${cgroupPrefix}${process.pid}`;

/**
 * Control groups outlive the processes in them, also when those were killed with the PID namespace. Removes those of
 * this run and of runs that are dead.
 */
export function removeCgroups() {
  const removeTree = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(path, entry.name));
    }
    rmdirSync(path);
  };
  const root = "/sys/fs/cgroup";
  const directories = (path) => readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const hierarchy of [root, ...directories(root).map(({ name }) => join(root, name))]) {
    for (const { name } of directories(hierarchy)) {
      if (!name.startsWith(cgroupPrefix)) continue;
      const pid = name.slice(cgroupPrefix.length);
      if (pid === String(process.pid) || !existsSync(`/proc/${pid}`)) removeTree(join(hierarchy, name));
    }
  }
}
