import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { Pipework, type PipeworkError, type WaitRequest } from "../../src/index.js";
import { type Ended, silent } from "./fixture/command.js";
import type { Guest } from "./fixture/stage.js";
import { heldNamespaces, Stage } from "./fixture/stage.js";

const stage = new Stage("pwwait");
const { containers, command } = stage;
afterAll(() => stage.remove());

let pw: Pipework;
beforeEach(() => {
  pw = new Pipework({ docker: `unix://${inject("engineSocket")}`, host: `netns:${stage.host.path}` });
});
afterEach(() => pw.close());

/** The refusal of a wait, and the wait's start: it waits once this is resolved. */
async function refused(request: WaitRequest): Promise<{ error: Promise<PipeworkError> }> {
  const error = pw.wait(request).then(
    () => {
      throw new Error("not refused");
    },
    (reason: PipeworkError) => reason,
  );
  // Notices arrive in the order of the changes: this other wait has been through the same steps by the time it is over.
  await pw.wait({ guest: request.guest, ifname: "lo" });
  return { error };
}

/** A veth of ours in the container, which lives as long as its namespace: the end on the host goes with it. */
async function attached({ name, pid }: Guest): Promise<{ gone: () => Promise<void> }> {
  expect(await command.run(stage.bridge(), "-i", "eth5", name, "192.168.1.2/24")).toEqual(silent);
  const end = `veth5pl${pid}`;
  expect(stage.host.links()).toContain(end);
  return {
    gone: async () => {
      while (stage.host.links().includes(end)) await pause(20);
    },
  };
}

/** The command has begun to look: its native threads are there. */
async function atWork({ pid }: ChildProcess): Promise<void> {
  const names = () =>
    readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/comm`, "utf8").trim());
  while (!names().includes("pw-netns")) await pause(10);
}

const refusal = (sentence: RegExp): Ended => ({
  code: 1,
  signal: null,
  stdout: "",
  stderr: expect.stringMatching(sentence) as string,
});

describe("wait from the host", () => {
  it("is over at once for the engine's own interface, at every level", async () => {
    const { name } = await stage.running("own");
    for (const level of ["exists", "up", "address", "route"])
      expect(await command.run("wait", name, "-i", "eth0", level, "--timeout", "10")).toEqual(silent);
    const { code, stdout } = await command.run("wait", name, "address", "-i", "eth0", "--json");
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { guest: name, ifname: "eth0", operstate: "up" }]);
  });

  it("is over when an interface of ours is attached, not before", async () => {
    const { name } = await stage.running("ours");
    const { ended } = command.start(["wait", name, "route"]);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    expect(await command.run("wait", name, "--timeout", "0.3")).toEqual(
      refusal(new RegExp(`^pipework: eth1 of ${name} is not there, and the time`)),
    );
    expect(over).toBe(false);
    expect(await command.run(stage.bridge(), name, "192.168.1.2/24@192.168.1.1")).toEqual(silent);
    expect(await ended).toEqual(silent);
  });

  it("says where a wait got to that is interrupted, and leaves nothing", async () => {
    const one = await stage.running("interrupted");
    const before = one.guest.snapshot();
    const { child, ended } = command.start(["wait", one.name]);
    await atWork(child);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 130, stdout: "", stderr: expect.stringContaining("was aborted") });
    expect(one.guest.snapshot()).toEqual(before);
  });

  it("waits for a container that is created and not started yet", async () => {
    const name = stage.fresh("created");
    await containers.create(name, { network: "none" });
    expect(await command.run("wait", name, "--timeout", "0.3")).toEqual(
      refusal(new RegExp(`^pipework: guest ${name}: the container ${name} was created and has not been started`)),
    );
    const { ended } = command.start(["wait", name, "address"]);
    await pause(200);
    await containers.start(name);
    expect(await command.run(stage.bridge(), name, "192.168.1.3/24")).toEqual(silent);
    expect(await ended).toEqual(silent);
  });

  it("refuses at once what is not there, has ended, or has the host's network", async () => {
    expect(await command.run("wait", "no-such-container")).toEqual(refusal(/there is no container no-such-container/));
    const { name } = await stage.running("ended");
    await containers.stop(name);
    expect(await command.run("wait", name)).toEqual(refusal(/is not running: exited/));
    const shared = await stage.running("host", { network: "host" });
    expect(await command.run("wait", shared.name)).toEqual(refusal(/uses the host's own network/));
  });
});

describe("the end of the container ends the wait, and nothing holds its namespace", () => {
  it.each([
    ["docker stop", (name: string) => containers.stop(name)],
    ["docker kill", async (name: string) => void (await containers.docker("kill", name))],
    ["docker rm --force", (name: string) => containers.remove(name)],
    ["docker restart", (name: string) => containers.restart(name)],
  ])("%s", async (_, end) => {
    const one = await stage.running("dying");
    const { gone } = await attached(one);
    const { error } = await refused({ guest: one.name });
    // The wait holds sockets in there, and no descriptor of the namespace.
    expect(heldNamespaces(stage.host.path)).toEqual([]);
    await end(one.name);
    const { code, message, guest } = await error;
    expect({ code, guest }).toEqual({ code: "guest-gone", guest: one.name });
    expect(message).toContain("while its eth1 was waited for, when it is not there");
    await gone();
  });

  it("after a restart the next wait is for the new namespace", async () => {
    const one = await stage.running("again");
    const { error } = await refused({ guest: one.name });
    await containers.restart(one.name);
    expect((await error).code).toBe("guest-gone");
    const waiting = pw.wait({ guest: one.name, level: "address" });
    expect(await command.run(stage.bridge(), one.name, "192.168.1.4/24")).toEqual(silent);
    expect(await waiting).toMatchObject({ ifname: "eth1", addresses: ["192.168.1.4/24"] });
  });

  it("a command that waits ends with 1", async () => {
    const one = await stage.running("command");
    const { gone } = await attached(one);
    const { child, ended } = command.start(["wait", one.name]);
    await atWork(child);
    await containers.stop(one.name);
    expect(await ended).toEqual(refusal(/ended or was restarted while its eth1 was waited for/));
    await gone();
  });
});

describe("from inside, where there is no Node", () => {
  /** The lines that the documentation gives. */
  const lines = [
    ...readFileSync(join(import.meta.dirname, "../../docs/command-line.md"), "utf8").matchAll(/^(until .*; done)$/gm),
  ].map(([line]) => line);

  it("there are two of them", () => expect(lines).toHaveLength(2));

  it.each(lines)("%s", async (line) => {
    const { name } = await stage.running("inside", {
      network: "none",
      command: ["sh", "-c", `${line}; echo there; exec sleep 1000000`],
    });
    const said = () => containers.docker("logs", name);
    // A carrier alone, then an address and a route: each line ends at one of the two.
    const bridge = stage.bridge();
    await pause(300);
    expect(await said()).toBe("");
    expect(await command.run(bridge, name, "192.168.1.5/24@192.168.1.1")).toEqual(silent);
    while ((await said()) === "") await pause(50);
    expect(await said()).toBe("there");
  });
});
