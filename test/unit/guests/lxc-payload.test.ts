import { describe, expect, it } from "vitest";
import { findPayload, isFrozen, isStill } from "../../../src/guests/lxc-payload.js";
import { FakeMachine } from "./fake-netns.js";

/** Every hierarchy of version 1 that a machine has, and version 2 beside them: the layout of systemd's "hybrid". */
function hybrid(path: string): string {
  const controllers = ["name=systemd", "pids", "blkio", "freezer", "devices", "memory", "cpuset", "cpu,cpuacct"];
  return [...controllers.map((name, at) => `${controllers.length - at}:${name}:${path}`), `0::${path}`, ""].join("\n");
}

function unified(path: string): string {
  return `0::${path}\n`;
}

interface Process {
  readonly cgroup: string;
  readonly levels?: string;
  readonly start?: number;
  readonly comm?: string;
}

/** A machine with these processes; PID 1 is in the root of all hierarchies unless it is told otherwise. */
function machineWith(processes: Record<number, Process>, first = hybrid("/")): FakeMachine {
  const machine = new FakeMachine();
  machine.file("proc/1/cgroup", first);
  machine.file("proc/self", "");
  for (const [pid, { cgroup, levels = `${pid}`, start = 100, comm = "init" }] of Object.entries(processes)) {
    machine.file(`proc/${pid}/cgroup`, cgroup);
    machine.file(`proc/${pid}/status`, `Name:\t${comm}\nPPid:\t1\nNSpid:\t${levels.replaceAll(" ", "\t")}\n`);
    const fields = Array.from({ length: 50 }, (_, at) => (at === 19 ? start : at));
    machine.file(`proc/${pid}/stat`, `${pid} (${comm}) ${fields.join(" ")}\n`);
  }
  return machine;
}

function found(machine: FakeMachine, name = "web"): number | undefined {
  return findPayload(name, machine.context(null))?.pid;
}

describe("a container is found by its cgroup", () => {
  it.each([
    ["LXC 3, version 1", hybrid("/lxc/web")],
    ["LXC 3.1, version 1", hybrid("/lxc.payload/web")],
    ["LXC 4 and later, version 1", hybrid("/lxc.payload.web")],
    ["LXC 4 and later, version 2", unified("/lxc.payload.web")],
    ["LXC 3, version 2", unified("/lxc/web")],
    ["with a pattern, LXC 4 and later", unified("/lxc/web/payload")],
    ["systemd inside, version 2", unified("/lxc.payload.web/init.scope")],
    ["one hierarchy alone", "5:memory:/\n4:devices:/lxc.payload.web\n0::/\n"],
  ])("of %s", (_, cgroup) => {
    expect(found(machineWith({ 50: { cgroup, levels: "50 1" } }))).toBe(50);
  });

  it("below the cgroup of PID 1, without systemd's own scope", () => {
    const cgroup = unified("/lxc.payload.web");
    expect(found(machineWith({ 50: { cgroup, levels: "50 1" } }, unified("/init.scope")))).toBe(50);
    const below = unified("/docker/0123/lxc.payload.web");
    expect(found(machineWith({ 50: { cgroup: below, levels: "50 1" } }, unified("/docker/0123")))).toBe(50);
    // A cgroup namespace of our own: the kernel shows the way up to those outside.
    const above = unified("/../../lxc.payload.web");
    expect(found(machineWith({ 50: { cgroup: above, levels: "50 1" } }, unified("/../../init.scope")))).toBe(50);
  });

  it("as its init, however many processes it has", () => {
    const cgroup = unified("/lxc.payload.web");
    const machine = machineWith({
      // Sent into it by lxc-attach, and older by its number; a container inside it; a shell whose name plays a trick.
      40: { cgroup, levels: "40 9", start: 300 },
      45: { cgroup: unified("/lxc.payload.web/lxc.payload.web"), levels: "45 8 1", start: 200 },
      50: { cgroup, levels: "50 1", start: 100 },
      60: { cgroup, levels: "60 7", start: 250, comm: "sh) S 1 1 1" },
    });
    expect(found(machine)).toBe(50);
  });

  it("as its first process where it shares our PID namespace", () => {
    const cgroup = unified("/lxc.payload.web");
    const machine = machineWith({
      40: { cgroup, start: 300 },
      50: { cgroup, start: 90, comm: "in) it" },
      60: { cgroup, start: 250 },
    });
    expect(found(machine)).toBe(50);
  });
});

describe("what is no payload of the container", () => {
  it.each([
    ["its monitor", unified("/lxc.monitor.web")],
    ["its monitor, with a pattern", unified("/lxc/web/monitor")],
    ["its monitor in LXC 3.1", unified("/lxc.monitor/web")],
    ["another container, whose name begins so", unified("/lxc.payload.web2")],
    ["another container, whose name ends so", unified("/lxc.payload.myweb")],
    ["a container in a container", unified("/lxc.payload.outer/lxc.payload.web")],
    ["one in a Docker container", unified("/docker/0123/lxc.payload.web")],
    ["one in a cgroup that a user may make", unified("/user.slice/user-1000.slice/user@1000.service/lxc.payload.web")],
    ["a container of Docker's", unified("/docker/web")],
    ["the host's own", hybrid("/")],
  ])("is %s", (_, cgroup) => {
    expect(found(machineWith({ 50: { cgroup, levels: "50 1" } }))).toBeUndefined();
  });

  it("is one in a hierarchy that PID 1 is not in", () => {
    expect(found(machineWith({ 50: { cgroup: "77:name=users:/lxc.payload.web\n", levels: "50 1" } }))).toBeUndefined();
  });
});

describe("a process that was found", () => {
  const cgroup = hybrid("/lxc.payload.web");

  it("is still the one, or its PID is another's by now", () => {
    const machine = machineWith({ 50: { cgroup, levels: "50 1", start: 100 } });
    const context = machine.context(null);
    const process = findPayload("web", context);
    if (process === null) throw new Error("nothing found");
    expect(isStill(process, "web", context)).toBe(true);
    const { start } = { start: 101 };
    const fields = Array.from({ length: 50 }, (_, at) => (at === 19 ? start : at));
    machine.file("proc/50/stat", `50 (init) ${fields.join(" ")}\n`);
    expect(isStill(process, "web", context)).toBe(false);
  });

  it("is no longer the one when it has left the container", () => {
    const machine = machineWith({ 50: { cgroup, levels: "50 1" } });
    const context = machine.context(null);
    const process = findPayload("web", context);
    if (process === null) throw new Error("nothing found");
    machine.file("proc/50/cgroup", hybrid("/"));
    expect(isStill(process, "web", context)).toBe(false);
  });

  it.each([
    ["version 1", hybrid("/lxc.payload.web"), "freezer/lxc.payload.web/freezer.state", "FROZEN\n", "THAWED\n"],
    [
      "version 2",
      unified("/lxc.payload.web"),
      "lxc.payload.web/cgroup.events",
      "populated 1\nfrozen 1\n",
      "populated 1\nfrozen 0\n",
    ],
    [
      "version 2 beside version 1",
      hybrid("/lxc.payload.web"),
      "unified/lxc.payload.web/cgroup.events",
      "populated 1\nfrozen 1\n",
      "populated 1\nfrozen 0\n",
    ],
  ])("tells whether it is frozen, in %s", (_, lines, file, frozen, thawed) => {
    const machine = machineWith({ 50: { cgroup: lines, levels: "50 1" } });
    const process = findPayload("web", machine.context(null));
    if (process === null) throw new Error("nothing found");
    const mount = machine.path("cgroup");
    expect(isFrozen(process, mount)).toBe(false);
    machine.file(`cgroup/${file}`, thawed);
    expect(isFrozen(process, mount)).toBe(false);
    machine.file(`cgroup/${file}`, frozen);
    expect(isFrozen(process, mount)).toBe(true);
  });
});
