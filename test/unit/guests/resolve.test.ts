import { linkSync, mkdirSync, rmSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ResolveContext } from "../../../src/guests/context.js";
import { DockerEngine } from "../../../src/guests/docker.js";
import type { LiveGuest } from "../../../src/guests/guest.js";
import { resolveGuest } from "../../../src/guests/resolve.js";
import { FakeMachine } from "./fake-netns.js";
import { containerJson, rawServer, type Script, scriptedEngine, temporaryDirectory } from "./scripted-engine.js";

const A = "a".repeat(64);
const B = "b".repeat(64);
const EXITED = { Status: "exited", Running: false, Pid: 0, ExitCode: 137, FinishedAt: "2026-02-03T04:05:06.7Z" };
const CREATED = { Status: "created", Running: false, Pid: 0, StartedAt: "0001-01-01T00:00:00Z" };
const RESTARTING = { Status: "restarting", Running: true, Restarting: true, Pid: 0, ExitCode: 1 };

/** A guest that is closed when the test ends; by then nothing else may be open. */
async function resolve(ref: string, context: ResolveContext): Promise<LiveGuest> {
  const guest = await resolveGuest(ref, context);
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

async function engineOf(script: Script): Promise<{ engine: DockerEngine; asked: string[] }> {
  const { host, asked } = await scriptedEngine(script);
  const engine = new DockerEngine({ host, env: {} });
  onTestFinished(() => engine.close());
  return { engine, asked };
}

/** An engine with these containers, found by name or full id. */
function knowing(...containers: Record<string, unknown>[]): Script {
  return (path) => {
    const wanted = /^\/containers\/([^/]+)\/json$/.exec(path)?.[1];
    const body = containers.find(({ Id, Name }) => wanted === Id || `/${wanted}` === Name);
    return body === undefined ? { status: 404, body: { message: `No such container: ${wanted}` } } : { body };
  };
}

function silent(): DockerEngine {
  return new DockerEngine({ host: `${temporaryDirectory()}/none.sock`, env: {} });
}

/** A machine with process 4711 in a namespace of its own, which the engine's bind mount names as well. */
function machineWithProcess(): { machine: FakeMachine; sandboxKey: string; ino: number } {
  const machine = new FakeMachine();
  const { ino } = machine.namespace("proc/4711/ns/net");
  const sandboxKey = machine.path("sandbox");
  linkSync(machine.path("proc/4711/ns/net"), sandboxKey);
  return { machine, sandboxKey, ino };
}

describe("a running container", () => {
  it.each(["web1", "docker:web1", "docker:/web1", A, `docker:${A}`])(
    "is found as %s with one question",
    async (ref) => {
      const { machine, sandboxKey, ino } = machineWithProcess();
      const { engine, asked } = await engineOf(knowing(containerJson({ id: A, sandboxKey })));
      const guest = await resolve(ref, machine.context(engine));
      expect(guest).toMatchObject({
        ref,
        id: `docker:${A}`,
        kind: "docker",
        name: "web1",
        pid: 4711,
        hostname: "host1",
        warnings: [],
      });
      expect(guest.netns.ino).toBe(ino);
      expect(asked).toHaveLength(1);
      guest.close();
      expect(guest.netns.closed).toBe(true);
    },
  );

  it("without a network is found like any other", async () => {
    const { machine, sandboxKey } = machineWithProcess();
    const { engine } = await engineOf(knowing(containerJson({ sandboxKey, networkMode: "none" })));
    expect((await resolve("web1", machine.context(engine))).warnings).toEqual([]);
  });

  it("that is paused is found, with a warning", async () => {
    const { machine, sandboxKey } = machineWithProcess();
    const { engine } = await engineOf(
      knowing(containerJson({ sandboxKey, state: { Status: "paused", Paused: true } })),
    );
    expect((await resolve("web1", machine.context(engine))).warnings).toEqual([
      expect.stringMatching(/web1 is paused/),
    ]);
  });

  it("on the host's network is refused before anything is opened", async () => {
    const { machine } = machineWithProcess();
    const { engine } = await engineOf(knowing(containerJson({ networkMode: "host" })));
    await expect(resolveGuest("web1", machine.context(engine))).rejects.toEqual(
      refusal("guest-host-network", /web1 uses the host's own network/),
    );
    expect(machine.opened).toEqual([]);
  });

  it("that turns out to be in the host's namespace is refused", async () => {
    const { machine, sandboxKey } = machineWithProcess();
    const { engine } = await engineOf(knowing(containerJson({ sandboxKey })));
    const home = machine.namespace("proc/4711/ns/net");
    await expect(resolveGuest("web1", machine.context(engine, { home }))).rejects.toEqual(
      refusal("guest-host-network", /web1 uses the host's own network/),
    );
  });
});

describe("a container that does not run", () => {
  it("is refused at once when it has ended, saying how and when", async () => {
    const { engine, asked } = await engineOf(knowing(containerJson({ state: EXITED })));
    await expect(resolveGuest("web1", new FakeMachine().context(engine))).rejects.toEqual(
      refusal(
        "guest-not-running",
        /web1 is not running: exited, with code 137, at 2026-02-03 04:05:06 UTC/,
        /docker start web1/,
      ),
    );
    expect(asked).toHaveLength(1);
  });

  it.each(["dead", "removing"])("is refused at once when it is %s", async (status) => {
    const { engine, asked } = await engineOf(knowing(containerJson({ state: { ...EXITED, Status: status } })));
    await expect(resolveGuest("web1", new FakeMachine().context(engine))).rejects.toEqual(
      refusal("guest-not-running", new RegExp(`not running: ${status}`)),
    );
    expect(asked).toHaveLength(1);
  });

  it("is refused with the engine's words when its start failed", async () => {
    const state = { ...CREATED, ExitCode: 127, Error: "exec: no such file" };
    const { engine } = await engineOf(knowing(containerJson({ state })));
    await expect(resolveGuest("web1", new FakeMachine().context(engine, { timeoutMs: 0 }))).rejects.toEqual(
      refusal("guest-not-running", /has not been started; the engine says: exec: no such file/),
    );
  });

  it.each([
    ["created", CREATED, /was created and has not been started \(waited 0.12 s\)/],
    ["restarting", RESTARTING, /restarts over and over.*waited 0.12 s.*code 1/],
    ["without a process", { Pid: 0 }, /has no process yet \(PID 0\) \(waited 0.12 s\)/],
  ])("is awaited for as long as it was allowed when it is %s", async (_, state, message) => {
    const { engine, asked } = await engineOf(knowing(containerJson({ state })));
    await expect(resolveGuest("web1", new FakeMachine().context(engine, { timeoutMs: 120 }))).rejects.toEqual(
      refusal("guest-not-running", message),
    );
    expect(asked.length).toBeGreaterThan(1);
  });

  it.each([
    ["created", CREATED],
    ["restarting", RESTARTING],
    ["without a process", { Pid: 0 }],
  ])("is found once it runs when it was %s, by id", async (_, state) => {
    const { machine, sandboxKey } = machineWithProcess();
    const { engine, asked } = await engineOf((path) => {
      const waiting = asked.length < 3;
      return knowing(containerJson(waiting ? { state } : { sandboxKey }))(path, {} as never);
    });
    expect((await resolve("web1", machine.context(engine))).pid).toBe(4711);
    expect(asked).toEqual(["/containers/web1/json", `/containers/${A}/json`, `/containers/${A}/json`]);
  });

  it("is awaited as long as its patience says, whatever an answer of the engine may take", async () => {
    const { engine, asked } = await engineOf(knowing(containerJson({ state: CREATED })));
    const context = new FakeMachine().context(engine, { timeoutMs: 60_000, patienceMs: 0 });
    await expect(resolveGuest("web1", context)).rejects.toEqual(refusal("guest-not-running", /has not been started/));
    expect(asked).toHaveLength(1);
  });

  it("is refused at once when it ends while it is awaited", async () => {
    const { engine, asked } = await engineOf((path) =>
      knowing(containerJson({ state: asked.length < 2 ? CREATED : EXITED }))(path, {} as never),
    );
    await expect(resolveGuest("web1", new FakeMachine().context(engine))).rejects.toEqual(
      refusal("guest-not-running", /not running: exited/),
    );
  });

  it("is gone when it is removed while it is awaited", async () => {
    const { engine, asked } = await engineOf((path) =>
      (asked.length < 2 ? knowing(containerJson({ state: CREATED })) : knowing())(path, {} as never),
    );
    await expect(resolveGuest("web1", new FakeMachine().context(engine))).rejects.toEqual(
      refusal("guest-gone", /removed while its start was awaited/),
    );
  });

  it("is awaited no longer than the caller's signal allows", async () => {
    const controller = new AbortController();
    const { engine, asked } = await engineOf((path) => {
      // In the pause behind the second answer, or in the question after it.
      if (asked.length === 2) setTimeout(() => controller.abort(), 10);
      return knowing(containerJson({ state: CREATED }))(path, {} as never);
    });
    const context = new FakeMachine().context(engine, { signal: controller.signal, timeoutMs: 60_000 });
    await expect(resolveGuest("web1", context)).rejects.toEqual(refusal("aborted", /aborted/));
    await expect(resolveGuest("web1", context)).rejects.toEqual(
      refusal("aborted", /search for guest web1 was aborted/),
    );
  });
});

describe("a container that shares another's network", () => {
  const sharer = containerJson({ id: B, name: "web2", networkMode: `container:${A}`, state: { Pid: 4712 } });

  /** web2 (4712) in the network of web1 (4711). */
  function sharedMachine(): { machine: FakeMachine; sandboxKey: string } {
    const { machine, sandboxKey } = machineWithProcess();
    mkdirSync(machine.path("proc/4712/ns"), { recursive: true });
    linkSync(machine.path("proc/4711/ns/net"), machine.path("proc/4712/ns/net"));
    return { machine, sandboxKey };
  }

  it("is attached through the owner", async () => {
    const { machine, sandboxKey } = sharedMachine();
    const { engine } = await engineOf(knowing(sharer, containerJson({ id: A, sandboxKey })));
    const guest = await resolve("web2", machine.context(engine));
    expect(guest).toMatchObject({ ref: "web2", id: `docker:${A}`, name: "web1", pid: 4711 });
    expect(guest.warnings).toEqual([expect.stringMatching(/web2 shares the network of web1/)]);
  });

  it("is attached through the owner where the engine's mounts are not seen", async () => {
    const { machine } = sharedMachine();
    machine.file("proc/4712/mountinfo", `1 2 0:3 /containers/${A}/hosts /etc/hosts rw`);
    const { engine } = await engineOf(knowing(sharer, containerJson({ id: A, sandboxKey: "/nowhere" })));
    expect(await resolve("web2", machine.context(engine))).toMatchObject({ id: `docker:${A}`, pid: 4711 });
  });

  it.each([
    ["ended", [containerJson({ id: A, state: EXITED })], /web1, whose network web2 shares, was stopped since/],
    ["was removed", [], /aaaaaaaaaaaa, whose network web2 shares, was removed since/],
  ])("is attached by itself when the owner %s", async (_, owner, warning) => {
    const { machine } = sharedMachine();
    machine.file("proc/4712/cgroup", `0::/docker/${B}`);
    const { engine } = await engineOf(knowing(sharer, ...owner));
    const guest = await resolve("web2", machine.context(engine));
    expect(guest).toMatchObject({ id: `docker:${B}`, name: "web2", pid: 4712 });
    expect(guest.warnings).toEqual([expect.stringMatching(warning)]);
  });

  it.each([true, false])("is attached by itself when the owner got a new network (mounts seen: %s)", async (seen) => {
    const { machine } = sharedMachine();
    machine.file("proc/4712/cgroup", `0::/docker/${B}`);
    machine.namespace("proc/5000/ns/net");
    const sandboxKey = seen ? machine.path("proc/5000/ns/net") : "/nowhere";
    const { engine } = await engineOf(knowing(sharer, containerJson({ id: A, sandboxKey, state: { Pid: 5000 } })));
    const guest = await resolve("web2", machine.context(engine));
    expect(guest).toMatchObject({ id: `docker:${B}`, pid: 4712 });
    expect(guest.warnings).toEqual([expect.stringMatching(/was restarted since: only web2 is attached/)]);
  });

  it("is refused when that is the host's", async () => {
    const { machine, sandboxKey } = sharedMachine();
    const home = machine.namespace("proc/4711/ns/net");
    const { engine } = await engineOf(knowing(sharer, containerJson({ id: A, sandboxKey, networkMode: "host" })));
    await expect(resolveGuest("web2", machine.context(engine, { home }))).rejects.toEqual(
      refusal("guest-host-network", /web2 uses the host's own network/),
    );
  });
});

describe("a container that died in between", () => {
  it("is gone when its process is no longer in the network the engine made", async () => {
    const { machine } = machineWithProcess();
    machine.namespace("other");
    const { engine } = await engineOf(knowing(containerJson({ sandboxKey: machine.path("other") })));
    await expect(resolveGuest("web1", machine.context(engine))).rejects.toEqual(
      refusal("guest-gone", /web1 ended or was restarted/, /try again/),
    );
    expect(machine.opened).toHaveLength(1);
  });

  it.each([
    ["has another process", { Pid: 4712 }],
    ["was started again with the same PID", { StartedAt: "2026-01-02T03:04:05.000000007Z" }],
    ["has ended", EXITED],
    ["restarts", RESTARTING],
  ])("is gone when it %s at the second look", async (_, state) => {
    const { machine } = machineWithProcess();
    machine.file("proc/4711/mountinfo", `/containers/${A}/hostname`);
    const { engine, asked } = await engineOf((path) =>
      knowing(containerJson({ state: asked.length < 2 ? {} : state }))(path, {} as never),
    );
    await expect(resolveGuest("web1", machine.context(engine))).rejects.toEqual(
      refusal("guest-gone", /ended or was restarted/),
    );
    expect(asked).toHaveLength(2);
  });

  it("is gone when it is removed by the second look", async () => {
    const { machine } = machineWithProcess();
    const { engine, asked } = await engineOf((path) =>
      (asked.length < 2 ? knowing(containerJson()) : knowing())(path, {} as never),
    );
    await expect(resolveGuest("web1", machine.context(engine))).rejects.toEqual(
      refusal("guest-gone", /ended or was restarted/),
    );
  });

  it("is gone when its process is, and the engine notices a little later", async () => {
    const machine = new FakeMachine();
    const { engine, asked } = await engineOf((path) =>
      knowing(containerJson({ state: asked.length < 4 ? {} : EXITED }))(path, {} as never),
    );
    await expect(resolveGuest("web1", machine.context(engine))).rejects.toEqual(
      refusal("guest-gone", /ended or was restarted/),
    );
  });

  it("is given up when the engine does not answer in the time allowed", async () => {
    const engine = new DockerEngine({ host: await rawServer(() => {}), env: {} });
    onTestFinished(() => engine.close());
    await expect(resolveGuest("web1", new FakeMachine().context(engine, { timeoutMs: 60 }))).rejects.toEqual(
      refusal("timeout", /did not answer within 0.06 s/),
    );
  });

  it("leaves nothing open when the engine falls silent in the middle", async () => {
    const { machine } = machineWithProcess();
    const { engine, asked } = await engineOf((path) =>
      asked.length < 2
        ? knowing(containerJson())(path, {} as never)
        : { status: 500, body: { message: "shutting down" } },
    );
    await expect(resolveGuest("docker:web1", machine.context(engine))).rejects.toEqual(
      refusal("engine-unreachable", /shutting down/),
    );
    expect(machine.opened).toHaveLength(1);
  });
});

describe("a container whose engine's mounts are not seen here", () => {
  it.each([
    ["mounts", "mountinfo", `1 2 0:3 /root/containers/${A}/hostname /etc/hostname rw`],
    ["cgroup", "cgroup", `12:pids:/system.slice/docker-${A}.scope`],
  ])("is known by its process's %s", async (_, file, content) => {
    const { machine } = machineWithProcess();
    machine.file(`proc/4711/${file}`, content);
    const { engine, asked } = await engineOf(knowing(containerJson({ id: A, sandboxKey: "/nowhere/netns/1" })));
    expect((await resolve("web1", machine.context(engine))).id).toBe(`docker:${A}`);
    expect(asked).toHaveLength(2);
  });

  it("is known so as well when only the empty mount point is seen, which is on another device", async () => {
    const { machine } = machineWithProcess();
    machine.file("proc/4711/cgroup", `0::/docker/${A}`);
    const { engine } = await engineOf(knowing(containerJson({ id: A, sandboxKey: "/proc/version" })));
    expect((await resolve("web1", machine.context(engine))).id).toBe(`docker:${A}`);
  });

  it("is refused when the process of that PID is a stranger", async () => {
    const { machine } = machineWithProcess();
    machine.file("proc/4711/mountinfo", "1 2 0:3 / / rw");
    machine.file("proc/4711/cgroup", `0::/docker/${B}`);
    const { engine } = await engineOf(knowing(containerJson({ id: A, sandboxKey: "/nowhere/netns/1" })));
    await expect(resolveGuest("web1", machine.context(engine))).rejects.toEqual(
      refusal(
        "unsupported",
        /web1 is not on this machine.*process 4711, which is a process of something else here/,
        /--pid=host/,
      ),
    );
  });

  it("is refused when there is no process of that PID", async () => {
    const { engine } = await engineOf(knowing(containerJson({ id: A, sandboxKey: "/nowhere/netns/1" })));
    await expect(resolveGuest("web1", new FakeMachine().context(engine))).rejects.toEqual(
      refusal("unsupported", /process 4711, which does not exist here/),
    );
  });
});

describe("a name without a container", () => {
  it("is refused, naming the engine that was asked", async () => {
    const { engine } = await engineOf(knowing());
    await expect(resolveGuest("web9", new FakeMachine().context(engine))).rejects.toEqual(
      refusal("guest-not-found", new RegExp(`no container web9 at ${engine.address.text}`), /docker ps -a/),
    );
  });

  it.each([
    ["blue", /did you mean netns:blue\?/],
    ["1", /did you mean pid:1\?/],
  ])("is refused with what else %s may be", async (ref, hint) => {
    const machine = new FakeMachine();
    machine.namespace("netns/blue");
    const { engine } = await engineOf(knowing());
    await expect(resolveGuest(ref, machine.context(engine))).rejects.toEqual(
      refusal("guest-not-found", /no container/, hint),
    );
    await expect(resolveGuest(ref, machine.context(silent()))).rejects.toEqual(
      refusal("engine-unreachable", /cannot be looked up: no container engine can be reached/, hint),
    );
    await expect(resolveGuest(`docker:${ref}`, machine.context(engine))).rejects.toEqual(
      refusal("guest-not-found", /no container/, /docker ps -a/),
    );
  });

  it("is refused with the other ways to name a guest when no engine runs", async () => {
    const machine = new FakeMachine();
    await expect(resolveGuest("web1", machine.context(silent()))).rejects.toEqual(
      refusal(
        "engine-unreachable",
        /guest web1 cannot be looked up/,
        /systemctl start docker.*pid:N, netns:NAME or netns:/,
      ),
    );
  });

  it.each([
    [500, "Multiple IDs found with provided prefix: ab"],
    [400, "multiple IDs found"],
  ])("is refused with all that fit when it begins several ids (status %i)", async (status, message) => {
    const ids = [`ab1${"0".repeat(61)}`, `ab2${"0".repeat(61)}`, B];
    const list = ids.map((Id, at) => ({ Id, Names: [`/n${at}`], State: "running" }));
    const { engine } = await engineOf((path) =>
      path.startsWith("/containers/json") ? { body: list } : { status, body: { message } },
    );
    const attempt = resolveGuest("ab", new FakeMachine().context(engine));
    await expect(attempt).rejects.toEqual(
      refusal("guest-ambiguous", /ab1000000000 \(n0\), ab2000000000 \(n1\)$/, /more of the id/),
    );
  });

  it("is not called ambiguous when the engine refuses for another reason", async () => {
    const { engine } = await engineOf((path) =>
      path.startsWith("/containers/json")
        ? { body: [{ Id: A, Names: ["/web1"] }] }
        : { status: 500, body: { message: "broken" } },
    );
    await expect(resolveGuest("docker:aa", new FakeMachine().context(engine))).rejects.toEqual(
      refusal("engine-unreachable", /status 500: broken/),
    );
  });
});

describe("a process", () => {
  it("is found by its id, without any engine", async () => {
    const { machine, ino } = machineWithProcess();
    const guest = await resolve("pid:4711", machine.context(null));
    expect(guest).toMatchObject({ ref: "pid:4711", id: "pid:4711", kind: "pid", pid: 4711, warnings: [] });
    expect(guest.netns.ino).toBe(ino);
  });

  it("that does not exist is refused", async () => {
    await expect(resolveGuest("pid:4711", new FakeMachine().context(null))).rejects.toEqual(
      refusal("guest-not-found", /no process 4711/),
    );
  });

  it("in the host's network is refused", async () => {
    await expect(resolveGuest("pid:1", new FakeMachine().context(null))).rejects.toEqual(
      refusal("guest-host-network", /process 1 uses the host's own network/),
    );
  });

  it.each([1, 13])("that may not be looked into is refused with a way out (errno %i)", async (errno) => {
    const { machine } = machineWithProcess();
    machine.failure = { errno };
    await expect(resolveGuest("pid:4711", machine.context(null))).rejects.toEqual(
      refusal("not-permitted", /process 4711.*the kernel's words/, /user namespace/),
    );
  });

  it("that ends while it is looked up is not found, though the kernel says EACCES then", async () => {
    const { machine } = machineWithProcess();
    machine.failure = { errno: 13 };
    rmSync(machine.path("proc/4711"), { recursive: true });
    await expect(resolveGuest("pid:4711", machine.context(null))).rejects.toEqual(
      refusal("guest-not-found", /no process 4711/),
    );
  });

  it("is refused with the kernel's words when it cannot be opened for another reason", async () => {
    const { machine } = machineWithProcess();
    machine.failure = { errno: 24 };
    await expect(resolveGuest("pid:4711", machine.context(null))).rejects.toMatchObject({
      code: "kernel-refused",
      errno: 24,
      kernelText: "the kernel's words",
    });
  });
});

describe("a named namespace", () => {
  it.each([
    ["netns:blue", "netns:blue"],
    ["netns:{root}/netns/blue", "netns:blue"],
    ["netns:{root}/./netns//blue", "netns:blue"],
    ["netns:{root}/elsewhere/red", "netns:{root}/elsewhere/red"],
  ])("%s is found as %s", async (ref, id) => {
    const machine = new FakeMachine();
    machine.namespace("netns/blue");
    machine.namespace("elsewhere/red");
    const named = ref.replace("{root}", machine.root);
    const guest = await resolve(named, machine.context(null));
    expect(guest).toMatchObject({ ref: named, id: id.replace("{root}", machine.root), kind: "netns", warnings: [] });
    expect(guest.pid).toBeUndefined();
  });

  it("is looked for in each directory", async () => {
    const machine = new FakeMachine();
    machine.namespace("second/blue");
    const netnsDirectories = [machine.path("netns"), machine.path("second")];
    expect((await resolve("netns:blue", machine.context(null, { netnsDirectories }))).id).toBe("netns:blue");
  });

  it("that does not exist is refused, naming where it was looked for", async () => {
    const machine = new FakeMachine();
    await expect(resolveGuest("netns:blue", machine.context(null))).rejects.toEqual(
      refusal("guest-not-found", new RegExp(`no network namespace blue in ${machine.path("netns")}`), /ip netns list/),
    );
    await expect(resolveGuest("netns:/no/where", machine.context(null))).rejects.toEqual(
      refusal("guest-not-found", /there is no \/no\/where/),
    );
  });

  it.each([
    [{ reason: "not-nsfs" }, "guest-not-found", /netns\/blue is no namespace but an ordinary file/],
    [{ reason: "not-net" }, "guest-not-found", /netns\/blue is a namespace of another kind/],
    [{ errno: 13 }, "not-permitted", /netns\/blue may not be opened: the kernel's words/],
    [{ errno: 40 }, "kernel-refused", /netns\/blue cannot be opened: the kernel's words/],
  ] as const)("is refused when the kernel says %j", async (failure, code, message) => {
    const machine = new FakeMachine();
    machine.namespace("netns/blue");
    machine.failure = failure;
    await expect(resolveGuest("netns:blue", machine.context(null))).rejects.toEqual(refusal(code, message));
  });

  it("that is the host's is refused", async () => {
    const machine = new FakeMachine();
    linkSync(machine.path("proc/1/ns/net"), machine.path("netns/host"));
    await expect(resolveGuest("netns:host", machine.context(null))).rejects.toEqual(
      refusal("guest-host-network", /host uses the host's own network/),
    );
  });
});
