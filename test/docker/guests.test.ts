import { execFileSync } from "node:child_process";
import { readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, inject, it, onTestFinished } from "vitest";
import type { Container } from "../../src/guests/container.js";
import type { ResolveContext } from "../../src/guests/context.js";
import { DockerEngine } from "../../src/guests/docker.js";
import type { LiveGuest } from "../../src/guests/guest.js";
import { resolveGuest } from "../../src/guests/resolve.js";
import { loadAddon } from "../../src/kernel/addon.js";
import { Containers, dockerEnvironment } from "./fixture/containers.js";

const socket = inject("engineSocket");
const containers = new Containers(socket);
const { openNetns } = loadAddon();
const kept = new DockerEngine({ host: socket, env: {} });
afterAll(() => kept.close());

let count = 0;
/** A name of this test's own; its container goes with the test. */
function fresh(what: string): string {
  const name = `guests-${what}-${process.pid}-${count++}`;
  onTestFinished(() => containers.remove(name));
  return name;
}

function context(more: Partial<ResolveContext> = {}): ResolveContext {
  const { dev, ino } = statSync("/proc/self/ns/net");
  return { openNetns, home: { dev, ino }, docker: () => kept, ...more };
}

async function resolve(ref: string, more: Partial<ResolveContext> = {}): Promise<LiveGuest> {
  const guest = await resolveGuest(ref, context(more));
  onTestFinished(() => guest.close());
  return guest;
}

function refusal(code: string, message: RegExp, hint?: RegExp): unknown {
  return expect.objectContaining({
    name: "PipeworkError",
    code,
    message: expect.stringMatching(message),
    ...(hint === undefined ? {} : { hint: expect.stringMatching(hint) }),
  });
}

/** The container's namespace as it sees it itself. */
async function namespaceSeenIn(name: string): Promise<number> {
  const text = await containers.exec(name, "readlink", "/proc/self/ns/net");
  return Number(/^net:\[(\d+)\]$/.exec(text)?.[1]);
}

/** Network namespaces this process holds open. */
function heldNamespaces(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith("net:[") ? [target] : [];
    } catch {
      // The descriptor of the listing itself.
      return [];
    }
  });
}

afterAll(() => expect(heldNamespaces()).toEqual([]));

/** The product's engine, as it looks where the engine's own mounts are not seen. */
class Veiled extends DockerEngine {
  constructor(private readonly change: (container: Container) => Container = (container) => container) {
    super({ host: socket, env: {} });
    onTestFinished(() => this.close());
  }

  override async inspect(...words: Parameters<DockerEngine["inspect"]>): Promise<Container | null> {
    const container = await super.inspect(...words);
    return container && this.change({ ...container, sandboxKey: "" });
  }
}

describe.each([
  ["one connection per request", true],
  ["kept-alive connections", false],
])("a running container, over %s", (_, oneShot) => {
  const docker = (): DockerEngine => new DockerEngine({ host: `unix://${socket}`, oneShot, env: {} });

  it("is found by name, id and unique prefix, in the network it sees itself", async () => {
    const name = fresh("plain");
    const id = await containers.run(name);
    const ino = await namespaceSeenIn(name);
    const pid = await containers.pid(name);
    for (const ref of [name, `docker:${name}`, `docker:/${name}`, id, id.slice(0, 20), `docker:${id.slice(0, 12)}`]) {
      const guest = await resolve(ref, { docker });
      expect(guest).toMatchObject({ ref, id: `docker:${id}`, kind: "docker", name, pid, warnings: [] });
      expect(guest.hostname).toBe(id.slice(0, 12));
      expect(guest.netns.ino).toBe(ino);
      guest.close();
    }
    expect(heldNamespaces()).toEqual([]);
  });

  it("answers version, ping and list", async () => {
    const name = fresh("listed");
    const id = await containers.run(name, { options: ["--label", "pipework.eth1=br1 10.0.0.1/24"] });
    const engine = docker();
    await engine.ping();
    expect((await engine.version()).version).toBe(
      await containers.docker("version", "--format", "{{.Server.Version}}"),
    );
    expect(await engine.list({ label: ["pipework.eth1"] })).toEqual([
      { id, names: [name], state: "running", labels: { "pipework.eth1": "br1 10.0.0.1/24" } },
    ]);
    engine.close();
  });
});

describe("a running container", () => {
  it("without a network is found", async () => {
    const name = fresh("none");
    await containers.run(name, { network: "none" });
    const guest = await resolve(name);
    expect(guest.warnings).toEqual([]);
    expect(guest.netns.ino).toBe(await namespaceSeenIn(name));
  });

  it("that is paused is found, with a warning", async () => {
    const name = fresh("paused");
    await containers.run(name);
    const ino = await namespaceSeenIn(name);
    await containers.pause(name);
    const guest = await resolve(name);
    expect(guest.netns.ino).toBe(ino);
    expect(guest.warnings).toEqual([expect.stringMatching(/is paused/)]);
  });

  it("on the host's network is refused, running or not", async () => {
    const name = fresh("host");
    await containers.run(name, { network: "host" });
    await expect(resolveGuest(name, context())).rejects.toEqual(
      refusal("guest-host-network", /uses the host's own network/),
    );
    await containers.stop(name);
    await expect(resolveGuest(name, context())).rejects.toEqual(
      refusal("guest-host-network", /uses the host's own network/),
    );
  });

  it("is found where the engine's mounts are not seen", async () => {
    const name = fresh("veiled");
    const id = await containers.run(name);
    const engine = new Veiled();
    const guest = await resolve(name, { docker: () => engine });
    expect(guest.id).toBe(`docker:${id}`);
    expect(guest.netns.ino).toBe(await namespaceSeenIn(name));
  });

  it("is found in a cgroup namespace of its own where the engine's mounts are not seen", async () => {
    const name = fresh("cgroup");
    await containers.run(name, { options: ["--cgroupns", "private"] });
    const engine = new Veiled();
    expect((await resolve(name, { docker: () => engine })).netns.ino).toBe(await namespaceSeenIn(name));
  });
});

describe("a container that does not run", () => {
  it("is refused at once after it ended, saying how and when", async () => {
    const name = fresh("exited");
    await containers.run(name, { command: ["sh", "-c", "exit 7"] });
    await containers.docker("wait", name);
    await expect(resolveGuest(name, context())).rejects.toEqual(
      refusal(
        "guest-not-running",
        /not running: exited, with code 7, at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/,
        /docker start/,
      ),
    );
  });

  it("is refused after the time allowed when it was only created", async () => {
    const name = fresh("created");
    await containers.create(name);
    await expect(resolveGuest(name, context({ timeoutMs: 200 }))).rejects.toEqual(
      refusal(
        "guest-not-running",
        /was created and has not been started \(waited 0.2 s\)/,
        new RegExp(`docker start ${name}`),
      ),
    );
  });

  it("is awaited while it starts", async () => {
    const name = fresh("starting");
    await containers.create(name);
    const waiting = resolve(name, { timeoutMs: 20_000 });
    await pause(150);
    await containers.start(name);
    const guest = await waiting;
    expect(guest.pid).toBe(await containers.pid(name));
    expect(guest.netns.ino).toBe(await namespaceSeenIn(name));
  });

  it("is refused with the engine's words when its start failed", async () => {
    const name = fresh("broken");
    await containers.create(name, { command: ["/no/such/program"] });
    await expect(containers.start(name)).rejects.toThrow();
    await expect(resolveGuest(name, context({ timeoutMs: 0 }))).rejects.toEqual(
      refusal("guest-not-running", /the engine says: .*\/no\/such\/program/),
    );
  });

  it("is refused while it restarts over and over", async () => {
    const name = fresh("loop");
    await containers.run(name, { options: ["--restart", "always"], command: ["sh", "-c", "exit 3"] });
    // The engine doubles its delay from 100 ms: after some rounds there is a long time without a process.
    for (let look = 0; look < 200; look++) {
      const seen = await containers.docker("inspect", "--format", "{{.State.Restarting}} {{.RestartCount}}", name);
      if (/^true [4-9]/.test(seen)) break;
      await pause(50);
    }
    await expect(resolveGuest(name, context({ timeoutMs: 200 }))).rejects.toEqual(
      refusal("guest-not-running", /restarts over and over.*code 3/, /docker logs/),
    );
  });
});

describe("a container that shares another's network", () => {
  async function pair(): Promise<{ owner: string; ownerId: string; sharer: string; sharerId: string }> {
    const owner = fresh("owner");
    const sharer = fresh("sharer");
    const ownerId = await containers.run(owner);
    const sharerId = await containers.run(sharer, { network: `container:${owner}` });
    return { owner, ownerId, sharer, sharerId };
  }

  it.each([
    ["are seen", () => kept],
    ["are not seen", () => new Veiled()],
  ])("is attached through its owner where the engine's mounts %s", async (_, engine) => {
    const { owner, ownerId, sharer } = await pair();
    const docker = engine();
    const guest = await resolve(sharer, { docker: () => docker });
    expect(guest).toMatchObject({
      ref: sharer,
      id: `docker:${ownerId}`,
      name: owner,
      pid: await containers.pid(owner),
    });
    expect(guest.netns.ino).toBe(await namespaceSeenIn(sharer));
    expect(guest.warnings).toEqual([expect.stringMatching(/shares the network of/)]);
  });

  it.each([
    ["stopped", (owner: string) => containers.stop(owner)],
    ["restarted", (owner: string) => containers.restart(owner)],
    ["removed", (owner: string) => containers.remove(owner)],
  ])("is attached by itself after its owner was %s", async (fate, happen) => {
    const { owner, sharer, sharerId } = await pair();
    await happen(owner);
    const guest = await resolve(sharer);
    expect(guest).toMatchObject({ id: `docker:${sharerId}`, name: sharer, pid: await containers.pid(sharer) });
    expect(guest.netns.ino).toBe(await namespaceSeenIn(sharer));
    expect(guest.warnings).toEqual([expect.stringMatching(new RegExp(`was ${fate} since`))]);
  });

  it("is refused when that is the host's", async () => {
    const owner = fresh("owner");
    const sharer = fresh("sharer");
    await containers.run(owner, { network: "host" });
    await containers.run(sharer, { network: `container:${owner}` });
    await expect(resolveGuest(sharer, context())).rejects.toEqual(
      refusal("guest-host-network", /uses the host's own network/),
    );
  });
});

describe("a container that dies in between", () => {
  it.each([
    ["is killed", "kill"],
    ["is removed", "rm"],
  ])("is gone when it %s after the engine was asked", async (_, word) => {
    const name = fresh("dying");
    await containers.run(name);
    const attempt = resolveGuest(
      name,
      context({
        openNetns: (path) => {
          const words = word === "rm" ? ["rm", "--force", name] : ["kill", name];
          execFileSync("docker", words, { env: dockerEnvironment(socket), stdio: "ignore" });
          return openNetns(path);
        },
      }),
    );
    await expect(attempt).rejects.toEqual(refusal("guest-gone", /ended or was restarted/, /nothing was changed/));
  });

  it("is gone when its PID belongs to another container by then", async () => {
    const name = fresh("dead");
    const other = fresh("heir");
    await containers.run(name);
    await containers.run(other);
    const heir = await containers.pid(other);
    for (const engine of [kept, new Veiled()]) {
      const attempt = resolveGuest(
        name,
        context({
          docker: () => engine,
          openNetns: () => {
            if (engine !== kept)
              execFileSync("docker", ["kill", name], { env: dockerEnvironment(socket), stdio: "ignore" });
            return openNetns(`/proc/${heir}/ns/net`);
          },
        }),
      );
      await expect(attempt).rejects.toEqual(refusal("guest-gone", /ended or was restarted/));
      expect(heldNamespaces()).toEqual([]);
    }
  });

  it("is refused when the engine's PIDs are those of another machine", async () => {
    const name = fresh("remote");
    const other = fresh("stranger");
    await containers.run(name);
    await containers.run(other);
    for (const [pid, words] of [
      [await containers.pid(other), /a process of something else here/],
      [2 ** 22 + 1, /does not exist here/],
    ] as const) {
      const engine = new Veiled((container) => ({ ...container, state: { ...container.state, pid } }));
      await expect(resolveGuest(name, context({ docker: () => engine }))).rejects.toEqual(
        refusal("unsupported", words),
      );
    }
    expect(heldNamespaces()).toEqual([]);
  });
});

describe("a name without a container", () => {
  it("is refused", async () => {
    await expect(resolveGuest("guests-no-such", context())).rejects.toEqual(
      refusal("guest-not-found", /no container guests-no-such at unix:/),
    );
  });

  it("that begins several ids is refused, naming all that fit", async () => {
    const byFirst = new Map<string, { id: string; name: string }[]>();
    let fitting: { id: string; name: string }[] = [];
    // With sixteen first digits the seventeenth container at the latest shares one.
    while (fitting.length < 2) {
      const name = fresh("many");
      const id = await containers.create(name);
      fitting = [...(byFirst.get(id.slice(0, 1)) ?? []), { id, name }];
      byFirst.set(id.slice(0, 1), fitting);
    }
    const prefix = fitting[0]?.id.slice(0, 1) ?? "";
    const error: unknown = await resolveGuest(prefix, context()).catch((reason: unknown) => reason);
    expect(error).toEqual(refusal("guest-ambiguous", new RegExp(`^guest ${prefix} is ambiguous`)));
    for (const { id, name } of fitting) expect((error as Error).message).toContain(`${id.slice(0, 12)} (${name})`);
  });
});

describe("a process", () => {
  it("is found by its id", async () => {
    const name = fresh("process");
    await containers.run(name);
    const pid = await containers.pid(name);
    const guest = await resolve(`pid:${pid}`);
    expect(guest).toMatchObject({ id: `pid:${pid}`, kind: "pid", pid });
    expect(guest.netns.ino).toBe(await namespaceSeenIn(name));
  });

  it("may not be looked into by everybody", async () => {
    const name = fresh("guarded");
    await containers.run(name);
    const pid = await containers.pid(name);
    process.seteuid?.(65534);
    try {
      await expect(resolveGuest(`pid:${pid}`, context())).rejects.toEqual(
        refusal("not-permitted", /Permission denied|EACCES/i, /run as root/),
      );
    } finally {
      process.seteuid?.(0);
    }
  });

  it("is refused in the host's network, and when there is none", async () => {
    await expect(resolveGuest(`pid:${process.pid}`, context())).rejects.toEqual(
      refusal("guest-host-network", /uses the host's own network/),
    );
    await expect(resolveGuest(`pid:${2 ** 22 + 1}`, context())).rejects.toEqual(
      refusal("guest-not-found", /no process/),
    );
    expect(heldNamespaces()).toEqual([]);
  });
});

describe("a named namespace", () => {
  /** A namespace as `ip netns` keeps it. */
  function named(): string {
    const name = `pwg${process.pid}-${count++}`;
    execFileSync("ip", ["netns", "add", name]);
    onTestFinished(() => void execFileSync("ip", ["netns", "delete", name]));
    return name;
  }

  it("is found by name and by path, and is the same guest", async () => {
    const name = named();
    const { ino } = statSync(`/run/netns/${name}`);
    for (const ref of [`netns:${name}`, `netns:/run/netns/${name}`, `netns:/var/run/netns/${name}`]) {
      const guest = await resolve(ref);
      expect(guest).toMatchObject({ ref, id: `netns:${name}`, kind: "netns" });
      expect(guest.netns.ino).toBe(ino);
    }
  });

  it("is what a plain word may have been meant for", async () => {
    const name = named();
    await expect(resolveGuest(name, context())).rejects.toEqual(
      refusal("guest-not-found", /no container/, new RegExp(`did you mean netns:${name}\\?`)),
    );
  });

  it("is refused when it is none", async () => {
    const file = `/run/netns/pwg-file-${process.pid}`;
    named();
    writeFileSync(file, "");
    onTestFinished(() => rmSync(file));
    for (const [ref, message] of [
      [`netns:${file}`, /is no namespace but an ordinary file/],
      ["netns:/proc/self/ns/mnt", /namespace of another kind/],
      ["netns:/run/netns", /is no namespace/],
      ["netns:/proc/4194305/ns/net", /there is no/],
      ["netns:pwg-no-such", /no network namespace pwg-no-such/],
    ] as const) {
      await expect(resolveGuest(ref, context())).rejects.toEqual(refusal("guest-not-found", message));
    }
    expect(heldNamespaces()).toEqual([]);
  });

  it("is refused when it is the host's", async () => {
    await expect(resolveGuest("netns:/proc/self/ns/net", context())).rejects.toEqual(
      refusal("guest-host-network", /uses the host's own network/),
    );
  });
});
