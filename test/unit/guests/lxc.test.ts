import { linkSync, mkdirSync, rmSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ResolveContext } from "../../../src/guests/context.js";
import { DockerEngine } from "../../../src/guests/docker.js";
import { DOCKER } from "../../../src/guests/engine-kind.js";
import type { LiveGuest } from "../../../src/guests/guest.js";
import { resolveGuest } from "../../../src/guests/resolve.js";
import { FakeMonitors, type Word } from "./fake-monitor.js";
import { FakeMachine } from "./fake-netns.js";
import { containerJson, scriptedEngine, temporaryDirectory } from "./scripted-engine.js";

function refusal(code: string, message: RegExp, hint?: RegExp): unknown {
  return expect.objectContaining({
    name: "PipeworkError",
    code,
    message: expect.stringMatching(message),
    ...(hint === undefined ? {} : { hint: expect.stringMatching(hint) }),
  });
}

/** Container web is defined, and process 4711, the child of 4710, is in a namespace of its own. */
class Stage {
  readonly machine = new FakeMachine();
  readonly monitors = new FakeMonitors(this.machine.path("lxc"));

  constructor() {
    this.machine.file("proc/1/cgroup", "0::/\n");
    this.machine.file("lxc/web/config", "lxc.net.0.type = empty\n");
    this.process(4711, 4710);
  }

  process(pid: number, parent: number): { dev: number; ino: number } {
    this.machine.file(`proc/${pid}/status`, `Name:\tinit\nPPid:\t${parent}\nNSpid:\t${pid}\t1\n`);
    return this.machine.namespace(`proc/${pid}/ns/net`);
  }

  /** As it is for one whose monitor was killed. */
  orphan(pid: number, cgroup = "0::/lxc.payload.web\n"): void {
    this.machine.file(`proc/${pid}/cgroup`, cgroup);
    const fields = Array.from({ length: 50 }, (_, at) => at);
    this.machine.file(`proc/${pid}/stat`, `${pid} (init) ${fields.join(" ")}\n`);
  }

  /** The monitor of web says this. */
  says(word: Word | string): this {
    this.monitors.monitor("web", () => word);
    return this;
  }

  /** One word per question, the last for all that follow: the PID and the state are asked for in turn. */
  saysInTurn(...words: (Word | string)[]): this {
    this.monitors.monitor("web", () => words[Math.min(this.monitors.asked.length, words.length) - 1] as Word | string);
    return this;
  }

  context(more: Partial<ResolveContext> = {}): ResolveContext {
    const docker = new DockerEngine({
      kind: { ...DOCKER, address: `unix://${temporaryDirectory()}/none.sock` },
      env: {},
    });
    return this.machine.context(docker, {
      lxc: this.monitors.host,
      userDirectories: this.machine.path("users"),
      ...more,
    });
  }

  async resolve(ref: string, more: Partial<ResolveContext> = {}): Promise<LiveGuest> {
    const guest = await resolveGuest(ref, this.context(more));
    onTestFinished(() => guest.close());
    return guest;
  }

  refused(ref: string, more: Partial<ResolveContext> = {}): Promise<LiveGuest> {
    return resolveGuest(ref, this.context(more));
  }
}

describe("an LXC container that runs", () => {
  it.each(["lxc:web", "web"])("is found as %s by its monitor's word", async (ref) => {
    const stage = new Stage().says({});
    const guest = await stage.resolve(ref);
    expect(guest).toMatchObject({
      ref,
      id: "lxc:web",
      kind: "lxc",
      name: "web",
      pid: 4711,
      hostname: "web",
      warnings: [],
    });
    for (const asked of stage.monitors.asked) expect(asked).toMatchObject({ credentials: true, length: 16 });
    expect(stage.monitors.looks).toBe(2);
    guest.close();
    expect(guest.netns.closed).toBe(true);
  });

  it.each(["FROZEN", "FREEZING"])("is found with a warning when it is %s", async (state) => {
    expect((await new Stage().says({ state }).resolve("lxc:web")).warnings).toEqual([
      expect.stringMatching(/LXC container web is frozen/),
    ]);
  });

  it("comes after a container of Docker's of the same name", async () => {
    const stage = new Stage().says({});
    stage.process(4712, 1);
    const id = "a".repeat(64);
    stage.machine.file("proc/4712/cgroup", `0::/docker/${id}\n`);
    const { host } = await scriptedEngine(() => ({ body: containerJson({ id, name: "web", state: { Pid: 4712 } }) }));
    const engine = new DockerEngine({ host, env: {} });
    onTestFinished(() => engine.close());
    expect((await stage.resolve("web", { docker: () => engine })).id).toBe(`docker:${id}`);
    expect(stage.monitors.asked).toEqual([]);
    expect((await stage.resolve("lxc:web", { docker: () => engine })).id).toBe("lxc:web");
  });

  it("is not found by the beginning of its name", async () => {
    await expect(new Stage().says({}).refused("we")).rejects.toEqual(
      refusal("guest-not-found", /no container we in .*lxc/),
    );
  });

  it("on the host's network is refused", async () => {
    const stage = new Stage().says({});
    rmSync(stage.machine.path("proc/4711/ns/net"));
    linkSync(stage.machine.path("proc/1/ns/net"), stage.machine.path("proc/4711/ns/net"));
    await expect(stage.refused("lxc:web")).rejects.toEqual(
      refusal("guest-host-network", /LXC container web uses the host's own network/),
    );
  });
});

describe("an LXC container that does not run", () => {
  it("is refused at once when it is defined and has no monitor", async () => {
    for (const ref of ["lxc:web", "web"]) {
      await expect(new Stage().refused(ref, { timeoutMs: 60_000 })).rejects.toEqual(
        refusal("guest-not-running", /LXC container web is not running: STOPPED/, /lxc-start -n web/),
      );
    }
  });

  it.each(["STOPPED", "STOPPING", "ABORTING"])("is refused at once when its monitor says %s", async (state) => {
    await expect(new Stage().says({ state, pid: 0 }).refused("lxc:web", { timeoutMs: 60_000 })).rejects.toEqual(
      refusal("guest-not-running", new RegExp(`web is not running: ${state}`)),
    );
  });

  it("is awaited while it starts, for as long as was allowed", async () => {
    const starting: Word = { state: "STARTING", pid: -1 };
    const stage = new Stage().saysInTurn(starting, starting, starting, starting, {});
    expect((await stage.resolve("lxc:web")).pid).toBe(4711);
    await expect(
      new Stage().says({ state: "STARTING", pid: 4711 }).refused("lxc:web", { timeoutMs: 120 }),
    ).rejects.toEqual(refusal("guest-not-running", /is starting and does not run yet \(waited 0.12 s\)/));
    await expect(new Stage().says(starting).refused("lxc:web", { timeoutMs: 0 })).rejects.toEqual(
      refusal("guest-not-running", /is starting and does not run yet$/),
    );
  });

  it("is awaited no longer than the caller's signal allows", async () => {
    const context = { signal: AbortSignal.timeout(60), timeoutMs: 60_000 };
    await expect(new Stage().says({ state: "STARTING" }).refused("lxc:web", context)).rejects.toEqual(
      refusal("aborted", /wait for guest lxc:web was aborted/),
    );
  });

  it("is not found when nobody has defined it", async () => {
    await expect(new Stage().refused("lxc:none")).rejects.toEqual(
      refusal("guest-not-found", /no LXC container none in .*lxc$/, /lxc-ls/),
    );
  });
});

describe("an LXC container that dies in between", () => {
  it.each([
    ["has no monitor", "ECONNREFUSED"],
    ["has another init", { pid: 4712 }],
    ["stops", { state: "STOPPING" }],
  ])("is gone when it %s at the second look", async (_, word) => {
    await expect(new Stage().saysInTurn({}, {}, word).refused("lxc:web")).rejects.toEqual(
      refusal("guest-gone", /web ended or was restarted/, /nothing was changed/),
    );
  });

  it("is gone when its process is, and the monitor notices a little later", async () => {
    const stage = new Stage().saysInTurn({}, {}, {}, {}, { state: "STOPPING" });
    rmSync(stage.machine.path("proc/4711"), { recursive: true });
    await expect(stage.refused("lxc:web")).rejects.toEqual(refusal("guest-gone", /web ended or was restarted/));
  });

  it("is refused when the monitor's numbers are those of another PID namespace", async () => {
    const other = new Stage().says({ monitor: 99 });
    await expect(other.refused("lxc:web")).rejects.toEqual(
      refusal("unsupported", /names process 4711, which is no child of it here/, /--pid=host/),
    );
    const unseen = new Stage().says({ monitor: 0 });
    await expect(unseen.refused("lxc:web")).rejects.toEqual(refusal("unsupported", /no child of it here/));
    const none = new Stage().says({ pid: 5000 });
    await expect(none.refused("lxc:web")).rejects.toEqual(refusal("unsupported", /names process 5000/));
  });
});

describe("a monitor", () => {
  it.each([
    ["another user's, says the kernel before anything is asked", "EACCES"],
    ["of several processes", "EPROTO"],
    ["that ends", "ECONNRESET"],
    ["run by another user", { uid: 1000 }],
  ])("is none when it is one %s", async (_, word) => {
    await expect(new Stage().says(word).refused("lxc:web")).rejects.toEqual(
      refusal("guest-not-running", /web is not running: STOPPED/),
    );
  });

  it("that does not answer is given up, and said to be one", async () => {
    await expect(new Stage().says("ETIMEDOUT").refused("lxc:web", { timeoutMs: 200 })).rejects.toEqual(
      refusal("timeout", /monitor of the LXC container web did not answer within 0.2 s/),
    );
  });

  it("that answers root alone is told", async () => {
    await expect(new Stage().says({ ret: -1 }).refused("lxc:web")).rejects.toEqual(
      refusal("not-permitted", /does not answer us: EPERM/, /run as root/),
    );
  });

  it("of another kind is refused", async () => {
    await expect(new Stage().says({ state: "NEWER" }).refused("lxc:web")).rejects.toEqual(
      refusal("unsupported", /answers in a way that is not known/, /pid:N/),
    );
    await expect(new Stage().says({ ret: -38 }).refused("lxc:web")).rejects.toEqual(
      refusal("unsupported", /does not answer us: ENOSYS/),
    );
  });
});

describe("an LXC container whose monitor cannot be asked", () => {
  it.each(["lxc:web", "web"])("is found as %s by its cgroup", async (ref) => {
    const stage = new Stage();
    stage.orphan(4711);
    expect(await stage.resolve(ref)).toMatchObject({ id: "lxc:web", pid: 4711, warnings: [] });
  });

  it("is found where no directory defines it, as LXD's are not", async () => {
    const stage = new Stage();
    rmSync(stage.machine.path("lxc"), { recursive: true });
    stage.orphan(4711);
    expect((await stage.resolve("web")).id).toBe("lxc:web");
  });

  it("is found where somebody else has taken the name of its socket", async () => {
    const stage = new Stage().says({ uid: 1000, pid: 1 });
    stage.orphan(4711);
    expect((await stage.resolve("lxc:web")).pid).toBe(4711);
  });

  it("is gone when its PID is another's once its namespace is open", async () => {
    const stage = new Stage();
    stage.orphan(4711);
    const context = stage.context();
    const attempt = resolveGuest("lxc:web", {
      ...context,
      openNetns: (path) => {
        stage.orphan(4711, "0::/system.slice\n");
        return context.openNetns(path);
      },
    });
    await expect(attempt).rejects.toEqual(refusal("guest-gone", /web ended or was restarted/));
  });
});

describe("an LXC container that shares another's network", () => {
  function shared(): Stage {
    const stage = new Stage().says({});
    stage.machine.file("lxc/owner/config", "");
    stage.machine.file("lxc/web/config", "lxc.namespace.share.net = owner\n");
    mkdirSync(stage.machine.path("proc/4800/ns"), { recursive: true });
    stage.machine.file("proc/4800/status", "PPid:\t4799\n");
    linkSync(stage.machine.path("proc/4711/ns/net"), stage.machine.path("proc/4800/ns/net"));
    stage.monitors.monitor("owner", () => ({ pid: 4800, monitor: 4799 }));
    return stage;
  }

  it("is attached through the owner", async () => {
    const guest = await shared().resolve("web");
    expect(guest).toMatchObject({ ref: "web", id: "lxc:owner", name: "owner", pid: 4800 });
    expect(guest.warnings).toEqual([expect.stringMatching(/web shares the network of owner/)]);
  });

  it.each([
    ["does not run any more", "ECONNREFUSED"],
    ["has started again, with a network of its own", { pid: 4801, monitor: 4799 }],
  ])("is attached by itself when the owner %s", async (_, word) => {
    const stage = shared();
    stage.process(4801, 4799);
    stage.monitors.monitor("owner", () => word);
    expect(await stage.resolve("web")).toMatchObject({ id: "lxc:web", pid: 4711, warnings: [] });
  });
});
