import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Side } from "../docker/fixture/side.js";

// The built command on real namespaces without any engine. The host side is a network and mount namespace of its own:
// its /run, and with it the lock, is nobody else's, and its /sys shows its own interfaces.
const cli = join(import.meta.dirname, "../../dist/cli.cjs");
const holders: ChildProcess[] = [];

/** A process that holds new namespaces; it ends with this one, whose end of its input it reads. */
async function hold(flags: readonly string[], before: string): Promise<number> {
  const child = spawn("unshare", [...flags, "--kill-child", "sh", "-c", `${before} echo ready; exec cat`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  holders.push(child);
  await once(child.stdout, "data");
  return child.pid as number;
}

let hostPid = 0;
let host: Side;
let guestPid = 0;
let guest: Side;

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(
  words: readonly string[],
  before: readonly string[] = [],
): { child: ChildProcess; ended: Promise<Ended> } {
  const { NODE_OPTIONS: _, ...env } = process.env;
  // nsenter becomes the command: a signal to the child is one to the command.
  const enter = ["--target", String(hostPid), "--net", "--mount", "--", ...before, process.execPath, cli, ...words];
  const child = spawn("nsenter", enter, { env, stdio: ["ignore", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (part: string) => {
      texts[name] += part;
    });
  }
  return { child, ended: once(child, "close").then(([code]) => ({ code: code as number | null, ...texts })) };
}

function run(line: string): Promise<Ended> {
  return start(line.replaceAll("GUEST", `pid:${guestPid}`).split(" ")).ended;
}

const done: Ended = { code: 0, stdout: "", stderr: "" };

beforeAll(async () => {
  hostPid = await hold(
    ["--net", "--mount", "--propagation", "private"],
    "mount -t tmpfs none /run && mount -t sysfs none /sys && ip link set lo up && ip link add nic0 type veth peer name far0 && ip link set far0 up &&",
  );
  host = Side.of(hostPid);
});

beforeEach(async () => {
  guestPid = await hold(["--net"], "ip link set lo up &&");
  guest = Side.of(guestPid);
});

afterAll(() => {
  for (const child of holders) child.kill("SIGKILL");
});

describe("legacy words", () => {
  test("bridge, address, gateway: the link names and the routes of the script; repeating is success", async () => {
    expect(await run("br1 -i eth2 GUEST 192.0.2.2/255.255.255.0@192.0.2.1 U:web1")).toEqual(done);
    expect(guest.addresses("eth2")).toEqual(["192.0.2.2/24"]);
    expect(guest.defaults()).toMatchObject([{ gateway: "192.0.2.1", dev: "eth2" }]);
    expect(host.link(`veth2pl${guestPid}`)).toMatchObject({ master: "br1", operstate: "UP" });
    const before = [guest.snapshot(), host.snapshot()];
    expect(await run("br1 -i eth2 GUEST 192.0.2.2/24@192.0.2.1 U:web1")).toEqual(done);
    expect([guest.snapshot(), host.snapshot()]).toEqual(before);
    expect(await run("br1 -i eth2 GUEST 192.0.2.3/24")).toEqual(done);
    expect(guest.addresses("eth2").sort()).toEqual(["192.0.2.2/24", "192.0.2.3/24"]);
  });

  test("a name that is too long for the host end's: a hashed one", async () => {
    expect(await run("br1 -i pub_lan_7 GUEST 0/0")).toEqual(done);
    expect(guest.addresses("pub_lan_7")).toEqual([]);
    const ends = host.links().filter((name) => /^vpw[0-9a-f]{12}$/.test(name));
    expect(ends).toHaveLength(1);
  });

  test("0/0@GW gives a host route and the default; an off-link gateway likewise, in both families", async () => {
    expect(await run("br1 GUEST 0/0@192.0.2.1")).toEqual(done);
    expect(guest.addresses("eth1")).toEqual([]);
    expect(guest.ip("-4", "route", "show")).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ dst: "default", gateway: "192.0.2.1", dev: "eth1" }),
        expect.objectContaining({ dst: "192.0.2.1", dev: "eth1" }),
      ]),
    );
    expect(await run("br1 -i eth6 GUEST 2001:db8::2/128@2001:db8:1::1")).toEqual(done);
    expect(guest.addresses("eth6")).toEqual(["2001:db8::2/128"]);
    expect(guest.defaults(6)).toMatchObject([{ gateway: "2001:db8:1::1", dev: "eth6" }]);
    expect(guest.ip("-6", "route", "show", "2001:db8:1::1")).toMatchObject([{ dev: "eth6" }]);
    // The other family's default is where it was.
    expect(guest.defaults()).toMatchObject([{ gateway: "192.0.2.1", dev: "eth1" }]);
  });

  test("a NIC: a macvlan in bridge mode; its parent is brought up and stays up; -l is a warning", async () => {
    host.run("ip", "link", "set", "nic0", "down");
    const attached = await run("nic0 -l h1 GUEST 192.0.2.4/24");
    expect(attached).toEqual({
      ...done,
      stderr: "pipework: warning: -l h1 has no effect: it names the host end, and a macvlan on nic0 has none\n",
    });
    expect(guest.link("eth1")).toMatchObject({ linkinfo: { info_kind: "macvlan", info_data: { mode: "bridge" } } });
    expect(host.links()).not.toContain("h1");
    expect(await run("detach GUEST")).toEqual(done);
    expect(guest.links()).toEqual(["lo"]);
    expect(host.link("nic0")?.["flags"]).toContain("UP");
  });

  test("a down link that has our host-end name is not ours, and stays", async () => {
    host.run("ip", "link", "add", `veth1pl${guestPid}`, "type", "bridge");
    const before = host.snapshot();
    const { code, stdout, stderr } = await run("br1 GUEST 192.0.2.2/24");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`veth1pl${guestPid}`);
    expect(host.snapshot()).toEqual(before);
    expect(guest.links()).toEqual(["lo"]);
    host.run("ip", "link", "delete", `veth1pl${guestPid}`);
  });

  test("-l names the host end; another configuration is refused naming what is there; --replace takes its place", async () => {
    expect(await run("br1 -l here1 GUEST 192.0.2.2/24")).toEqual(done);
    expect(host.link("here1")).toMatchObject({ master: "br1" });
    const { code, stderr } = await run("br2 GUEST 192.0.2.2/24");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^pipework: eth1 of .* another configuration: .*here1/);
    expect(host.links()).not.toContain("br2");
    expect(await run("br2 GUEST 192.0.2.2/24 --replace")).toEqual(done);
    expect(host.link(`veth1pl${guestPid}`)).toMatchObject({ master: "br2" });
    expect(host.links()).not.toContain("here1");
  });

  test("an existing interface beats every word: a bridge called tc", async () => {
    host.run("ip", "link", "add", "tc", "type", "bridge");
    expect(await run("tc GUEST 192.0.2.2/24")).toEqual(done);
    expect(host.link(`veth1pl${guestPid}`)).toMatchObject({ master: "tc" });
    host.run("ip", "link", "delete", "tc");
  });
});

describe("verbs", () => {
  test("attach, list, detach", async () => {
    const words =
      `attach pid:${guestPid} --to br1 -i lan --address 192.0.2.7/24 --address 2001:db8::7/64 --route`.split(" ");
    const attached = await start([...words, "198.51.100.0/24 via 192.0.2.1", "--mtu", "1400", "--json"]).ended;
    expect([attached.code, attached.stderr]).toEqual([0, ""]);
    const at = JSON.parse(attached.stdout);
    expect(at).toMatchObject({
      guest: `pid:${guestPid}`,
      to: "br1",
      type: "bridge",
      ifname: "lan",
      mtu: 1400,
      outcome: "attached",
    });
    expect(guest.link("lan")).toMatchObject({ ifindex: at.ifindex, address: at.mac, mtu: 1400 });
    expect(guest.ip("route", "show", "198.51.100.0/24")).toMatchObject([{ gateway: "192.0.2.1", dev: "lan" }]);

    const listed = await run("list GUEST --json");
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { ifname: "lan", to: "br1", state: "up", addresses: ["192.0.2.7/24", "2001:db8::7/64"] },
    ]);
    const table = (await run("list GUEST")).stdout.split("\n");
    expect(table).toHaveLength(3);
    expect(table[1]).toMatch(new RegExp(`^pid:${guestPid} +lan +up +br1 +bridge +`));

    expect(await run("detach GUEST -i lan -v")).toEqual({
      ...done,
      stderr: `pipework: lan of pid:${guestPid} detached\n`,
    });
    expect(guest.links()).toEqual(["lo"]);
    expect(await run("detach GUEST -i lan")).toEqual(done);
    expect((await run("list GUEST --json")).stdout).toBe("[]\n");
  });

  test("--dry-run says the steps and changes nothing", async () => {
    const before = [guest.snapshot(), host.snapshot()];
    const { code, stdout, stderr } = await run(
      "attach GUEST --to br7 --address 192.0.2.7/24 --gateway 192.0.2.1 --dry-run",
    );
    expect([code, stderr]).toEqual([0, ""]);
    for (const part of ["br7", "eth1", "192.0.2.7/24", "192.0.2.1"]) expect(stdout).toContain(part);
    const json = await run("br7 GUEST 192.0.2.7/24@192.0.2.1 --dry-run --json");
    expect(JSON.parse(json.stdout)).toMatchObject({ action: "attach", outcome: "attached", ifname: "eth1" });
    expect([guest.snapshot(), host.snapshot()]).toEqual(before);
  });

  test("detach --all takes every interface of ours and no other", async () => {
    guest.run("ip", "link", "add", "theirs", "type", "bridge");
    for (const ifname of ["eth1", "eth2", "eth3"]) expect(await run(`br1 -i ${ifname} GUEST 0/0`)).toEqual(done);
    expect(await run("detach GUEST --all")).toEqual(done);
    expect(guest.links()).toEqual(["lo", "theirs"]);
  });

  test("one program is executed", async () => {
    const { code, stderr } = await start(
      ["br1", `pid:${guestPid}`, "192.0.2.2/24"],
      ["strace", "-f", "-qq", "-e", "trace=execve,execveat"],
    ).ended;
    expect(code).toBe(0);
    expect(stderr.split("\n").filter((line) => /\bexecve(at)?\(/.test(line))).toHaveLength(1);
  });
});

describe("--wait", () => {
  test("returns when the interface is up and has a carrier, not before", async () => {
    const waiting = start(["--wait", "-i", "late0"]);
    let ended = false;
    void waiting.ended.then(() => {
      ended = true;
    });
    host.run("ip", "link", "add", "late0", "type", "veth", "peer", "name", "late1");
    host.run("ip", "link", "set", "late0", "up");
    // Up without a carrier: its peer is down. A command that took that for up would be through well before this one.
    const { code, stderr } = await run("--wait -i late0 --timeout 0.3");
    expect([code, stderr]).toEqual([
      1,
      "pipework: late0 is up and has no carrier, and the time to wait for it is up\n",
    ]);
    expect(ended).toBe(false);
    host.run("ip", "link", "set", "late1", "up");
    expect(await waiting.ended).toEqual(done);
    host.run("ip", "link", "delete", "late0");
  });

  test("waits for an address, and for a default route", async () => {
    host.run("ip", "link", "add", "late0", "type", "veth", "peer", "name", "late1");
    host.run("ip", "link", "set", "late0", "up");
    host.run("ip", "link", "set", "late1", "up");
    const address = start(["--wait", "address", "-i", "late0"]);
    const route = start(["--wait", "-i", "late0", "route", "--json"]);
    expect((await run("--wait -i late0 address --timeout 0.3")).stderr).toBe(
      "pipework: late0 is up and has no address, and the time to wait for it is up\n",
    );
    host.run("ip", "address", "add", "198.51.100.2/24", "dev", "late0");
    expect(await address.ended).toEqual(done);
    expect((await run("--wait -i late0 route --timeout 0.3")).stderr).toBe(
      "pipework: late0 is up and has no default route, and the time to wait for it is up\n",
    );
    host.run("ip", "route", "add", "default", "via", "198.51.100.1", "metric", "50");
    const { code, stdout } = await route.ended;
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      {
        ifname: "late0",
        level: "route",
        ifindex: host.link("late0")?.["ifindex"],
        mac: host.link("late0")?.["address"],
        mtu: 1500,
        operstate: "up",
        warnings: [],
      },
    ]);
    host.run("ip", "link", "delete", "late0");
  });

  test("out of time is exit 1", async () => {
    expect(await run("--wait -i none0 --timeout 0.1")).toEqual({
      code: 1,
      stdout: "",
      stderr: "pipework: none0 is not there, and the time to wait for it is up\n",
    });
  });
});

describe("wait", () => {
  test("from the host: until the interface of a guest is up", async () => {
    const waiting = start(["wait", `pid:${guestPid}`]);
    const other = start(["wait", `pid:${guestPid}`, "-i", "eth1", "route", "--json"]);
    expect(await run("br1 GUEST 192.0.2.2/24@192.0.2.1")).toEqual(done);
    expect(await waiting.ended).toEqual(done);
    const { code, stdout } = await other.ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ guest: `pid:${guestPid}`, ifname: "eth1", level: "route" });
    expect(await run("wait GUEST address -v --timeout 5")).toEqual({
      ...done,
      stderr: `pipework: eth1 of pid:${guestPid} is up and has 192.0.2.2/24\n`,
    });
  });

  test("out of time: exit 1, and what is lacking", async () => {
    guest.run("ip", "link", "add", "eth1", "type", "veth", "peer", "name", "far1");
    expect(await run("wait GUEST --timeout 0.1")).toEqual({
      code: 1,
      stdout: "",
      stderr: `pipework: eth1 of pid:${guestPid} is there and down, and the time to wait for it is up\n`,
    });
    const { code, stderr } = await run("wait GUEST -i eth9 exists --timeout 0.1 --json");
    expect([code, JSON.parse(stderr).error]).toEqual([
      1,
      expect.objectContaining({ code: "timeout", guest: `pid:${guestPid}`, ifname: "eth9" }),
    ]);
  });

  test("a guest that ends is exit 1", async () => {
    const { child, ended } = start(["wait", `pid:${guestPid}`]);
    await until(child, atWork);
    process.kill(guestPid, "SIGKILL");
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toContain(`guest pid:${guestPid}: it ended or was restarted while its eth1 was waited for`);
  });
});

/** Resolves when the process is as far as that; the test's own time limit is the only one. */
async function until(child: ChildProcess, there: (proc: string) => boolean): Promise<void> {
  while (!there(`/proc/${child.pid}`)) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The command's namespace thread runs: signals are handled from before that. */
const atWork = (proc: string) =>
  readdirSync(`${proc}/task`).some((task) => readFileSync(`${proc}/task/${task}/comm`, "utf8") === "pw-netns\n");

describe("signals", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s while waiting for an interface: exit %d", async (name, code) => {
    for (const words of [
      ["--wait", "-i", "none0"],
      ["wait", `pid:${guestPid}`],
    ]) {
      const { child, ended } = start(words);
      await until(child, atWork);
      child.kill(name);
      const { stderr, ...rest } = await ended;
      expect(rest).toEqual({ code, stdout: "" });
      expect(stderr).toMatch(/^pipework: .* aborted.*\n$/);
    }
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s while another holds the lock: nothing is changed, or all is done; exit %d", async (name, code) => {
    expect(await run("br1 GUEST 0/0")).toEqual(done);
    const before = [guest.snapshot(), host.snapshot()];
    const locker = spawn(
      "nsenter",
      ["--target", String(hostPid), "--mount", "flock", "/run/pipework/lock", "sh", "-c", "echo held; exec cat"],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    await once(locker.stdout, "data");
    const { child, ended } = start(["br1", "-i", "eth9", `pid:${guestPid}`, "192.0.2.9/24", "--json"]);
    try {
      await until(child, atWork);
      child.kill(name);
      child.kill(name);
    } finally {
      locker.stdin.end();
    }
    const { code: exit, stdout, stderr } = await ended;
    expect(exit).toBe(code);
    // The signal comes while the lock is waited for; that it is noticed before the lock is free is likely, not certain.
    if (stdout === "") {
      expect(JSON.parse(stderr).error.code).toBe("aborted");
      expect([guest.snapshot(), host.snapshot()]).toEqual(before);
    } else {
      expect(JSON.parse(stdout).outcome).toBe("attached");
      expect(guest.addresses("eth9")).toEqual(["192.0.2.9/24"]);
    }
  });
});

test("the machine's own namespace was left alone", () => {
  expect(statSync("/proc/self/ns/net").ino).not.toBe(statSync(host.path).ino);
  const own = new Side("/proc/self/ns/net");
  expect(own.links()).not.toContain("br1");
});
