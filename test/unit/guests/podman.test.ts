import { linkSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ResolveContext } from "../../../src/guests/context.js";
import { DockerEngine, type DockerEngineOptions } from "../../../src/guests/docker.js";
import { parseEngineAddress } from "../../../src/guests/engine-address.js";
import { DOCKER, PODMAN } from "../../../src/guests/engine-kind.js";
import type { LiveGuest } from "../../../src/guests/guest.js";
import { resolveGuest } from "../../../src/guests/resolve.js";
import { FakeMachine } from "./fake-netns.js";
import { containerJson, type Script, scriptedEngine, temporaryDirectory } from "./scripted-engine.js";

const A = "a".repeat(64);
const B = "b".repeat(64);

function refusal(code: string, message: RegExp, hint?: RegExp): unknown {
  return expect.objectContaining({
    name: "PipeworkError",
    code,
    message: expect.stringMatching(message),
    ...(hint === undefined ? {} : { hint: expect.stringMatching(hint) }),
  });
}

function engineWith(options: DockerEngineOptions): DockerEngine {
  const engine = new DockerEngine(options);
  onTestFinished(() => engine.close());
  return engine;
}

/** As Podman answers: its errors name their cause. */
function podman({ rootless = false, containers = [] as Record<string, unknown>[] } = {}): Script {
  return (path) => {
    if (path === "/info") return { body: { Rootless: rootless, SecurityOptions: ["name=seccomp,profile=default"] } };
    if (path.startsWith("/containers/json"))
      return { body: containers.map(({ Id, Name }) => ({ Id, Names: [Name], State: "running" })) };
    const wanted = /^\/containers\/([^/]+)\/json$/.exec(path)?.[1] ?? "";
    const exact = containers.find(({ Id, Name }) => wanted === Id || `/${wanted}` === Name);
    const prefixed = containers.filter(({ Id }) => String(Id).startsWith(wanted));
    if (exact === undefined && prefixed.length > 1) {
      return {
        status: 404,
        body: {
          cause: "container already exists",
          message: `more than one result for container ID ${wanted}: container already exists`,
          response: 404,
        },
      };
    }
    const body = exact ?? prefixed[0];
    const message = `no container with name or ID "${wanted}" found: no such container`;
    return body === undefined
      ? { status: 404, body: { cause: "no such container", message, response: 404 } }
      : { body };
  };
}

/** Process 4711 carries the id of a container, in a namespace of its own. */
function machineWith(id: string): FakeMachine {
  const machine = new FakeMachine();
  machine.namespace("proc/4711/ns/net");
  machine.file("proc/4711/cgroup", `0::/libpod_parent/libpod-${id}`);
  return machine;
}

/** An engine that nobody has named and nobody runs: its usual socket is not there. */
function absent(kind = DOCKER): DockerEngine {
  return engineWith({ kind: { ...kind, address: `unix://${temporaryDirectory()}/none.sock` }, env: {} });
}

/** As above, stopped: its socket was left behind. */
async function stopped(): Promise<DockerEngine> {
  const path = join(temporaryDirectory(), "stale.sock");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.first`, resolve));
  renameSync(`${path}.first`, path);
  await new Promise((resolve) => server.close(resolve));
  return engineWith({ kind: { ...DOCKER, address: `unix://${path}` }, env: {} });
}

async function podmanWith(script: Script): Promise<DockerEngine> {
  const { host } = await scriptedEngine(script);
  return engineWith({ host, kind: PODMAN, env: {} });
}

async function dockerWith(...containers: Record<string, unknown>[]): Promise<DockerEngine> {
  const { host } = await scriptedEngine((path) => {
    const wanted = /^\/containers\/([^/]+)\/json$/.exec(path)?.[1];
    const body = containers.find(({ Id, Name }) => wanted === Id || `/${wanted}` === Name);
    return body === undefined ? { status: 404, body: { message: `No such container: ${wanted}` } } : { body };
  });
  return engineWith({ host, env: {} });
}

interface Given {
  readonly docker?: DockerEngine;
  readonly podman?: DockerEngine;
  readonly machine?: FakeMachine;
}

function contextOf(given: Given, more: Partial<ResolveContext> = {}): ResolveContext {
  const machine = given.machine ?? new FakeMachine();
  const docker = given.docker ?? absent();
  const engine = given.podman ?? absent(PODMAN);
  return machine.context(docker, { podman: () => engine, userDirectories: machine.path("users"), ...more });
}

async function resolve(ref: string, context: ResolveContext): Promise<LiveGuest> {
  const guest = await resolveGuest(ref, context);
  onTestFinished(() => guest.close());
  return guest;
}

describe("a container of Podman's", () => {
  it.each(["podman:web1", `podman:${A}`, "podman:aaaa", "web1"])("is found as %s", async (ref) => {
    const engine = await podmanWith(podman({ containers: [containerJson({ id: A })] }));
    const guest = await resolve(ref, contextOf({ podman: engine, machine: machineWith(A) }));
    expect(guest).toMatchObject({ ref, id: `podman:${A}`, kind: "podman", name: "web1", pid: 4711, warnings: [] });
  });

  it("comes after Docker's of the same name, and is found by its prefix", async () => {
    const machine = machineWith(B);
    machine.file("proc/4711/mountinfo", `1 2 0:3 /containers/${A}/hosts /etc/hosts rw`);
    const docker = await dockerWith(containerJson({ id: A }));
    const context = contextOf({
      docker,
      podman: await podmanWith(podman({ containers: [containerJson({ id: B })] })),
      machine,
    });
    expect((await resolve("web1", context)).id).toBe(`docker:${A}`);
    expect((await resolve("docker:web1", context)).id).toBe(`docker:${A}`);
    expect((await resolve("podman:web1", context)).id).toBe(`podman:${B}`);
  });

  it("is found where Docker knows no such container, and said to be what the word was taken for where Docker is stopped", async () => {
    const engine = await podmanWith(podman({ containers: [containerJson({ id: A })] }));
    for (const [docker, warnings] of [
      [await dockerWith(), []],
      [absent(), []],
      [await stopped(), [expect.stringMatching(/web1 was taken for podman:a+, because .*ECONNREFUSED/)]],
    ] as const) {
      const guest = await resolve("web1", contextOf({ docker, podman: engine, machine: machineWith(A) }));
      expect(guest).toMatchObject({ id: `podman:${A}`, warnings });
    }
  });

  it("is not looked for when a Docker that was named cannot be asked", async () => {
    const engine = await podmanWith(podman({ containers: [containerJson({ id: A })] }));
    const docker = engineWith({ host: `${temporaryDirectory()}/none.sock`, env: {} });
    await expect(resolveGuest("web1", contextOf({ docker, podman: engine }))).rejects.toEqual(
      refusal("engine-unreachable", /guest web1 cannot be looked up/),
    );
  });

  it("is refused with Podman's words when it does not run", async () => {
    const state = { Status: "exited", Running: false, Pid: 0, ExitCode: 1 };
    const engine = await podmanWith(podman({ containers: [containerJson({ id: A, state })] }));
    await expect(resolveGuest("podman:web1", contextOf({ podman: engine }))).rejects.toEqual(
      refusal("guest-not-running", /web1 is not running: exited, with code 1/, /^podman start web1/),
    );
  });

  it("that was initialised and not started has a process, and is awaited all the same", async () => {
    const state = { Status: "created", Running: false, Pid: 4711 };
    const engine = await podmanWith(podman({ containers: [containerJson({ id: A, state })] }));
    await expect(
      resolveGuest("podman:web1", contextOf({ podman: engine, machine: machineWith(A) }, { timeoutMs: 0 })),
    ).rejects.toEqual(refusal("guest-not-running", /was created and has not been started/));
  });

  it("is attached through the one whose network it shares, as in a pod", async () => {
    const machine = machineWith(A);
    mkdirSync(machine.path("proc/4712/ns"), { recursive: true });
    linkSync(machine.path("proc/4711/ns/net"), machine.path("proc/4712/ns/net"));
    machine.file("proc/4712/cgroup", `0::/libpod-${B}`);
    const sharer = containerJson({ id: B, name: "web2", networkMode: `container:${A}`, state: { Pid: 4712 } });
    const engine = await podmanWith(podman({ containers: [containerJson({ id: A }), sharer] }));
    expect(await resolve("web2", contextOf({ podman: engine, machine }))).toMatchObject({
      id: `podman:${A}`,
      name: "web1",
      pid: 4711,
      warnings: [expect.stringMatching(/web2 shares the network of web1/)],
    });
  });
});

describe("a name that Podman does not have", () => {
  it("is ambiguous when it begins several ids, which Podman answers like one that is not there", async () => {
    const ids = [`ab1${"0".repeat(61)}`, `ab2${"0".repeat(61)}`];
    const engine = await podmanWith(podman({ containers: ids.map((id, at) => containerJson({ id, name: `n${at}` })) }));
    for (const ref of ["podman:ab", "ab"]) {
      await expect(resolveGuest(ref, contextOf({ podman: engine }))).rejects.toEqual(
        refusal("guest-ambiguous", /ab1000000000 \(n0\), ab2000000000 \(n1\)$/),
      );
    }
  });

  it("is refused, naming every place that was looked at", async () => {
    const docker = await dockerWith();
    const engine = await podmanWith(podman());
    await expect(resolveGuest("web9", contextOf({ docker, podman: engine }))).rejects.toEqual(
      refusal(
        "guest-not-found",
        new RegExp(`no container web9 at ${docker.address.text} or at ${engine.address.text}$`),
        /docker ps -a, podman ps -a/,
      ),
    );
    await expect(resolveGuest("podman:web9", contextOf({ docker, podman: engine }))).rejects.toEqual(
      refusal("guest-not-found", new RegExp(`no container web9 at ${engine.address.text}$`), /podman ps -a/),
    );
  });

  it("may be Docker's where Docker is stopped", async () => {
    const engine = await podmanWith(podman());
    await expect(resolveGuest("web9", contextOf({ docker: await stopped(), podman: engine }))).rejects.toEqual(
      refusal("engine-unreachable", /guest web9 cannot be looked up: .*ECONNREFUSED/, /systemctl start docker/),
    );
    await expect(resolveGuest("web9", contextOf({ docker: absent(), podman: engine }))).rejects.toEqual(
      refusal("guest-not-found", /no container web9 at .*; no container engine can be reached at .*ENOENT/),
    );
  });
});

describe("a Podman without a socket", () => {
  it("is no failure for a plain word, and is explained for podman:", async () => {
    const context = contextOf({ docker: await dockerWith() });
    await expect(resolveGuest("web1", context)).rejects.toEqual(refusal("guest-not-found", /no container web1/));
    await expect(resolveGuest("podman:web1", context)).rejects.toEqual(
      refusal(
        "engine-unreachable",
        /no Podman engine can be reached at unix:.*ENOENT/,
        /systemctl enable --now podman.socket.*CONTAINER_HOST/,
      ),
    );
  });

  it("that is on another machine is none for a plain word", async () => {
    const remote = (): DockerEngine =>
      engineWith({ kind: PODMAN, env: { CONTAINER_HOST: "ssh://root@far/podman.sock" } });
    const context = contextOf({ docker: await dockerWith() }, { podman: remote });
    await expect(resolveGuest("web1", context)).rejects.toEqual(refusal("guest-not-found", /no container web1/));
    await expect(resolveGuest("podman:web1", context)).rejects.toEqual(
      refusal("unsupported", /CONTAINER_HOST ssh:.*another machine/),
    );
  });

  it("is a refusal where CONTAINER_HOST names it", async () => {
    const context = contextOf(
      { docker: await dockerWith() },
      { podman: () => engineWith({ kind: PODMAN, env: { CONTAINER_HOST: "unix:///no/where.sock" } }) },
    );
    await expect(resolveGuest("web1", context)).rejects.toEqual(
      refusal("engine-unreachable", /web1 cannot be looked up: no Podman engine can be reached at unix:..\/no\/where/),
    );
  });
});

describe("a Podman without root", () => {
  async function userPodman(machine: FakeMachine, uid: string, script: Script): Promise<void> {
    const path = machine.path(`users/${uid}/podman/podman.sock`);
    mkdirSync(dirname(path), { recursive: true });
    await scriptedEngine(script, path);
  }

  it("has its containers explained and not attached, whoever else is asked first", async () => {
    const machine = machineWith(A);
    await userPodman(machine, "1000", podman({ rootless: true }));
    await userPodman(machine, "1001", podman({ rootless: true, containers: [containerJson({ id: A })] }));
    for (const [ref, docker] of [
      ["web1", await dockerWith()],
      ["web1", absent()],
      ["podman:web1", absent()],
      ["podman:aaaa", await dockerWith()],
    ] as const) {
      await expect(resolveGuest(ref, contextOf({ machine, docker })), ref).rejects.toEqual(
        refusal("unsupported", /web1 belongs to the rootless Podman of user 1001 .*user namespace/, /pid:4711/),
      );
    }
    expect(machine.opened).toEqual([]);
    await expect(resolveGuest("podman:web9", contextOf({ machine }))).rejects.toEqual(
      refusal("engine-unreachable", /no Podman engine can be reached/),
    );
    await expect(resolveGuest("docker:web1", contextOf({ machine, docker: await dockerWith() }))).rejects.toEqual(
      refusal("guest-not-found", /no container web1/),
    );
  });

  it("is not asked through a link, which its user may have put there", async () => {
    const machine = machineWith(A);
    const { host } = await scriptedEngine(podman({ rootless: true, containers: [containerJson({ id: A })] }));
    mkdirSync(machine.path("users/1000/podman"), { recursive: true });
    symlinkSync(host.replace("unix://", ""), machine.path("users/1000/podman/podman.sock"));
    await expect(resolveGuest("web1", contextOf({ machine, docker: await dockerWith() }))).rejects.toEqual(
      refusal("guest-not-found", /no container web1/),
    );
  });

  it("that says nothing is given up, and somebody else's files are no sockets", async () => {
    const machine = new FakeMachine();
    machine.file("users/1000/podman/podman.sock", "");
    machine.file("users/notes/podman/podman.sock", "");
    await expect(resolveGuest("web1", contextOf({ machine, docker: await dockerWith() }))).rejects.toEqual(
      refusal("guest-not-found", /no container web1/),
    );
  });
});

describe("Podman at Docker's address", () => {
  it("is Podman all the same: one container has one identity", async () => {
    const directory = join(temporaryDirectory(), "podman");
    mkdirSync(directory);
    const path = join(directory, "podman.sock");
    await scriptedEngine(podman({ containers: [containerJson({ id: A })] }), path);
    const link = join(directory, "docker.sock");
    symlinkSync(path, link);
    for (const at of [path, link]) {
      const docker = engineWith({ host: at, env: {} });
      for (const ref of ["web1", "docker:web1"]) {
        const guest = await resolve(ref, contextOf({ docker, machine: machineWith(A) }));
        expect(guest).toMatchObject({ id: `podman:${A}`, kind: "podman" });
      }
    }
  });
});

describe("Podman's address", () => {
  it.each([
    [undefined, {}, "/run/podman/podman.sock"],
    [undefined, { DOCKER_HOST: "unix:///docker.sock" }, "/run/podman/podman.sock"],
    [undefined, { CONTAINER_HOST: "unix:///tmp/p.sock" }, "/tmp/p.sock"],
    ["/q.sock", { CONTAINER_HOST: "unix:///tmp/p.sock" }, "/q.sock"],
  ])("%s with %j is understood", (host, env, path) => {
    expect(parseEngineAddress(host, env, PODMAN)).toMatchObject({ kind: "unix", path });
  });

  it("names CONTAINER_HOST when the mistake is there", () => {
    expect(() => parseEngineAddress(undefined, { CONTAINER_HOST: "nonsense" }, PODMAN)).toThrow(
      /^CONTAINER_HOST "nonsense"/,
    );
  });
});
