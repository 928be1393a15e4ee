import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { Command, silent } from "./fixture/command.js";
import { Side } from "./fixture/side.js";
import { Stage } from "./fixture/stage.js";

const stage = new Stage("pwc");
const { host, containers, command } = stage;
afterAll(() => stage.remove());

function refused(stderr: RegExp): unknown {
  return { code: 1, signal: null, stdout: "", stderr: expect.stringMatching(stderr) };
}

describe("the script's words for a bridge", () => {
  it("make the bridge, the pair and the address, say nothing, and succeed again without a change", async () => {
    const { name, id, pid, guest } = await stage.running("bridge");
    const to = stage.bridge();
    const words = [to, name, "192.168.1.2/24"];
    expect(await command.run(...words)).toEqual(silent);
    expect(guest.addresses("eth1")).toEqual(["192.168.1.2/24"]);
    expect(guest.link("eth1")).toMatchObject({ mtu: 1500, flags: expect.arrayContaining(["UP", "LOWER_UP"]) });
    expect(guest.defaults()).toMatchObject([{ dev: "eth0" }]);
    expect(host.link(to)).toMatchObject({ linkinfo: { info_kind: "bridge" }, flags: expect.arrayContaining(["UP"]) });
    expect(host.link(`veth1pl${pid}`)).toMatchObject({ master: to, ifalias: expect.stringContaining(id) });
    const after = [stage.state(), guest.snapshot()];
    expect(await command.run(...words)).toEqual(silent);
    expect([stage.state(), guest.snapshot()]).toEqual(after);
  });

  it("take -i, -l, -a, a gateway and a MAC, in any order of the options", async () => {
    const { name, guest } = await stage.running("options");
    const to = stage.bridge();
    const words = [
      "-a",
      "4",
      to,
      "-l",
      "webhost0",
      name,
      "-i",
      "lan0",
      "192.168.1.2/24@192.168.1.1",
      "26:2e:71:98:60:8f",
    ];
    expect(await command.run(...words)).toEqual(silent);
    expect(guest.link("lan0")).toMatchObject({ address: "26:2e:71:98:60:8f" });
    expect(guest.addresses("lan0")).toEqual(["192.168.1.2/24"]);
    expect(guest.defaults()).toMatchObject([{ dev: "lan0", gateway: "192.168.1.1" }]);
    expect(host.link("webhost0")).toMatchObject({ master: to });
    expect(await command.run("detach", name, "-i", "lan0")).toEqual(silent);
    expect(guest.defaults()).toMatchObject([{ dev: "eth0" }]);
    expect(guest.links()).toEqual(["eth0", "lo"]);
    expect(host.links()).toEqual([to, "lo"]);
    expect(await command.run("detach", name, "-i", "lan0")).toEqual(silent);
  });

  it("wire two containers that ping each other", async () => {
    const one = await stage.running("ping");
    const two = await stage.running("ping");
    const to = stage.bridge();
    expect(await command.run(to, one.name, "192.168.1.1/24")).toEqual(silent);
    expect(await command.run(to, two.id.slice(0, 24), "192.168.1.2/24")).toEqual(silent);
    expect(await containers.exec(one.name, "ping", "-c", "3", "-W", "5", "192.168.1.2")).toContain(
      "3 packets received",
    );
  });

  it("with 0/0 make an interface without an address", async () => {
    const { name, guest } = await stage.running("zero");
    expect(await command.run(stage.bridge(), name, "0/0")).toEqual(silent);
    expect(guest.addresses("eth1")).toEqual([]);
    expect(guest.link("eth1")).toMatchObject({ flags: expect.arrayContaining(["UP"]) });
  });
});

it("the script's words for a NIC make a macvlan in bridge mode", async () => {
  const { name, guest } = await stage.running("macvlan");
  const to = stage.nic();
  const words = [to, name, "10.1.1.234/24@10.1.1.254", "U:myhost.foo.com"];
  expect(await command.run(...words)).toEqual(silent);
  expect(guest.link("eth1")).toMatchObject({
    address: "02:72:6c:cd:9b:8d",
    flags: expect.arrayContaining(["UP", "LOWER_UP"]),
    linkinfo: { info_kind: "macvlan", info_data: { mode: "bridge" } },
  });
  expect(guest.addresses("eth1")).toEqual(["10.1.1.234/24"]);
  expect(guest.defaults()).toMatchObject([{ dev: "eth1", gateway: "10.1.1.254" }]);
  expect(host.link(to)).toMatchObject({ flags: expect.arrayContaining(["UP"]) });
  const after = [stage.state(), guest.snapshot()];
  expect(await command.run(...words)).toEqual(silent);
  expect([stage.state(), guest.snapshot()]).toEqual(after);
  expect(await command.run("detach", name)).toEqual(silent);
  expect(guest.links()).toEqual(["eth0", "lo"]);
  expect(guest.defaults()).toMatchObject([{ dev: "eth0" }]);
});

describe("the script's words for a NIC that moves itself", () => {
  it("move it, succeed again by name and by MAC, and detach gives it back", async () => {
    const { name, guest } = await stage.running("phys");
    const nic = stage.nic();
    host.run("ip", "address", "add", "10.7.0.1/24", "dev", nic);
    const mac = host.link(nic)?.["address"] as string;
    const words = ["--direct-phys", nic, "-i", "lan0", name, "10.7.0.2/24"];
    const before = stage.state();
    const moved = await command.run(...words);
    expect(moved).toMatchObject({ code: 0, stdout: "", stderr: expect.stringMatching(/warning: .* goes with/) });
    expect(host.link(nic)).toBeUndefined();
    expect(guest.link("lan0")).toMatchObject({ address: mac });
    expect(guest.addresses("lan0")).toEqual(["10.7.0.2/24"]);
    expect(await command.run(...words)).toEqual(silent);
    expect(await command.run("--direct-phys", `mac:${mac.toUpperCase()}`, "-i", "lan0", name, "10.7.0.2/24")).toEqual(
      silent,
    );
    expect(await command.run("detach", name, "-i", "lan0")).toEqual(silent);
    expect(stage.state()).toEqual(before);
    expect(guest.links()).toEqual(["eth0", "lo"]);
  });

  it("a veth in its place goes with its container, which detach and the next attach say", async () => {
    const { name } = await stage.running("physgone");
    const [first, second] = [stage.nic(), stage.nic()];
    expect(await command.run("--quiet", "--direct-phys", first, name, "10.7.0.2/24")).toEqual(silent);
    await containers.stop(name);
    const gone = expect.stringMatching(new RegExp(`${first} .*went with the guest's namespace`));
    const plan = await command.run("detach", name, "--dry-run");
    expect(plan).toMatchObject({ code: 0, stderr: gone });
    expect(await command.run("detach", name)).toMatchObject({ code: 0, stdout: "", stderr: gone });
    expect(await command.run("detach", name)).toEqual(silent);
    await containers.start(name);
    expect(await command.run("--quiet", "--direct-phys", second, name, "10.7.0.2/24")).toEqual(silent);
    await containers.restart(name);
    const to = stage.bridge();
    const again = await command.run(to, name, "10.7.0.3/24");
    expect(again).toMatchObject({ code: 0, stderr: expect.stringMatching(new RegExp(`${second} .*went with`)) });
    expect(await command.run("list", name, "--json")).toMatchObject({
      stdout: expect.stringContaining('"type": "bridge"'),
    });
  });
});

describe("another configuration under a name that is taken", () => {
  it("is refused, naming what is there, and changes nothing; --replace takes its place", async () => {
    const { name, guest } = await stage.running("taken");
    const [to, other] = [stage.bridge(), stage.bridge()];
    expect(await command.run(to, name, "192.168.1.2/24")).toEqual(silent);
    const mac = String(guest.link("eth1")?.["address"]);
    const before = [stage.state(), guest.snapshot()];
    expect(await command.run(other, name, "10.0.0.2/24")).toEqual(
      refused(
        new RegExp(
          `^pipework: eth1 of ${name} is there with another configuration: .*${mac}.*192\\.168\\.1\\.2/24; it is not on bridge ${other}\\n  .*--replace\\n$`,
        ),
      ),
    );
    expect([stage.state(), guest.snapshot()]).toEqual(before);
    expect(await command.run(other, name, "10.0.0.2/24", "--replace")).toEqual(silent);
    expect(guest.links()).toEqual(["eth0", "eth1", "lo"]);
    expect(guest.addresses("eth1")).toEqual(["10.0.0.2/24"]);
    expect(host.ip("link", "show", "master", other)).toHaveLength(1);
    expect(host.ip("link", "show", "master", to)).toHaveLength(0);
  });

  it("is refused where the interface is not ours, even with --replace", async () => {
    const { name, guest } = await stage.running("foreign");
    const before = [stage.state(), guest.snapshot()];
    expect(await command.run(stage.bridge(), "-i", "eth0", name, "10.0.0.2/24", "--replace")).toEqual(
      refused(/eth0 of .* is taken: .*, not made by pipework\n {2}choose another name with -i/),
    );
    expect([stage.state(), guest.snapshot()]).toEqual(before);
  });

  it("adds a further address", async () => {
    const { name, guest } = await stage.running("more");
    const to = stage.bridge();
    expect(await command.run(to, name, "192.168.1.2/24")).toEqual(silent);
    expect(await command.run(to, name, "192.168.2.2/24")).toEqual(silent);
    expect(guest.addresses("eth1")).toEqual(["192.168.1.2/24", "192.168.2.2/24"]);
  });
});

describe("output", () => {
  it("of --dry-run is the plan, and nothing is changed", async () => {
    const { name, pid, guest } = await stage.running("dry");
    const to = stage.bridge();
    const before = [stage.state(), guest.snapshot()];
    const { code, stdout, stderr } = await command.run("--dry-run", to, name, "192.168.1.2/24@192.168.1.1");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const part of [
      `ip link add ${to} `,
      `ip link add veth1pl${pid} `,
      "ip address add 192.168.1.2/24 ",
      "ip route replace default via 192.168.1.1 dev eth1",
      "undo: ip route replace default via 10.213.",
    ])
      expect(stdout).toContain(part);
    const plan = JSON.parse((await command.run("--dry-run", "--json", to, name, "192.168.1.2/24")).stdout) as Record<
      string,
      unknown
    >;
    expect(plan).toMatchObject({ action: "attach", outcome: "attached", ifname: "eth1", guest: name });
    expect(plan["steps"]).toEqual(
      expect.arrayContaining([expect.objectContaining({ label: expect.stringContaining("192.168.1.2/24") })]),
    );
    expect([stage.state(), guest.snapshot()]).toEqual(before);
  });

  it("of --json is the attachment, a list, and an error on stderr", async () => {
    const { name, id, pid, guest } = await stage.running("json");
    const to = stage.bridge();
    const attached = await command.run("--json", to, name, "192.168.1.2/24");
    expect(attached).toMatchObject({ code: 0, stderr: "" });
    const { ifindex, address } = guest.link("eth1") ?? {};
    const expected = {
      guest: name,
      guestId: `docker:${id}`,
      ifname: "eth1",
      to,
      type: "bridge",
      hostIfname: `veth1pl${pid}`,
      addresses: ["192.168.1.2/24"],
      ifindex,
      mac: address,
      mtu: 1500,
    };
    expect(JSON.parse(attached.stdout)).toMatchObject({ ...expected, outcome: "attached" });
    expect(JSON.parse((await command.run("list", name, "--json")).stdout)).toEqual([{ ...expected, state: "up" }]);
    expect((await command.run("list", name)).stdout).toMatch(
      new RegExp(
        `^GUEST .*\\n${name} +eth1 +up +${to} +bridge +veth1pl${pid} +${String(address)} +192\\.168\\.1\\.2/24\\n$`,
      ),
    );
    const failed = await command.run("--json", to, "pwc-no-such", "192.168.1.2/24");
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(JSON.parse(failed.stderr)).toMatchObject({
      error: { code: "guest-not-found", message: expect.stringContaining("pwc-no-such") },
    });
  });

  it("of --verbose is one line on stderr", async () => {
    const { name } = await stage.running("verbose");
    const to = stage.bridge();
    const { code, stdout, stderr } = await command.run("-v", to, name, "192.168.1.2/24");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(
      new RegExp(`^pipework: eth1 of ${name} attached to ${to}: bridge, 192\\.168\\.1\\.2/24, .*\\n$`),
    );
  });
});

describe("a refusal", () => {
  it("of words that make no sense names the word and what was meant, and touches nothing", async () => {
    const { name } = await stage.running("words");
    const nic = stage.nic();
    const before = stage.state();
    for (const [words, stderr] of [
      [
        [`${nic}x`, name, "10.0.0.2/24"],
        new RegExp(`"${nic}x": there is no such host interface.*\\n  did you mean ${nic}\\?`),
      ],
      [["br9", name, "10.0.0.2"], /10\.0\.0\.2\/24/],
      [["br9", name, "10.1/16"], /10\.1/],
      [["br9", name, "10.0.0.2/33"], /33/],
      [["br9", name, "10.0.0.2/24@10.0.0.1@10.0.0.9"], /more than one @/],
      [["br9", name, "10.0.0.2/24", "03:00:00:00:00:01"], /multicast.*\n {2}did you mean 02:00:00:00:00:01\?/],
      [["br9", name, "10.0.0.2/24", "02:00:00:00:00:01", "more"], /one word too many/],
      [["br9", "-i", "a/b", name, "10.0.0.2/24"], /a\/b/],
      [["br9", "-i", "sixteen-bytes-it", name, "10.0.0.2/24"], /sixteen-bytes-it/],
      [["br9", name, "dhclinet"], /did you mean dhclient\?/],
      [["br9", name, "10.0.0.2/24", "--repalce"], /--repalce.*\n?.*--replace/],
      [["lst"], /"lst".*\n {2}did you mean list\?/],
      [["br9"], /guest is missing/],
      [["br9", name], /address is missing/],
    ] as const) {
      expect(await command.run(...words), words.join(" ")).toEqual(refused(stderr));
    }
    expect(stage.state()).toEqual(before);
  });

  it("without any words is the syntax, on stderr", async () => {
    expect(await command.run()).toEqual(refused(/^Syntax:\n {2}pipework <hostif>/));
  });

  it("of what this version does not do says so, before anything is touched", async () => {
    const { name } = await stage.running("later");
    const before = stage.state();
    for (const words of [
      ["br9", name, "dhcp"],
      ["ovsbr0", name, "10.0.0.2/24"],
      ["tc", name, "qdisc", "show"],
    ]) {
      expect(await command.run(...words), words.join(" ")).toEqual(refused(/not in this version yet/));
    }
    expect(stage.state()).toEqual(before);
  });

  it("of a guest says what is the matter with it, and touches nothing", async () => {
    const stopped = await stage.running("stopped");
    const onHost = await stage.running("host", { network: "host" });
    await containers.stop(stopped.name);
    const before = stage.state();
    for (const [guest, stderr] of [
      [stopped.name, /exited.*\n {2}.*start/],
      [onHost.name, /uses the host's own network/],
      ["pwc-no-such", /no container pwc-no-such/],
      ["netns:pwc-no-such", /no network namespace pwc-no-such/],
    ] as const) {
      expect(await command.run("br9", guest, "10.0.0.2/24"), guest).toEqual(refused(stderr));
    }
    expect(await command.run("br9", stopped.name, "0.0.0.0/0")).toEqual(refused(/^pipework: /));
    expect(stage.state()).toEqual(before);
  });

  it("of the kernel has the kernel's own words, and leaves everything as it was", async () => {
    const { name, guest } = await stage.running("kernel");
    const nic = stage.nic();
    // A macvlan of that MAC on the same parent: only the kernel knows, when the second comes up.
    expect(await command.run(nic, name, "10.0.0.2/24", "02:00:00:00:00:77")).toEqual(silent);
    const before = [stage.state(), guest.snapshot()];
    const { code, stdout, stderr } = await command.run(nic, "-i", "eth2", name, "10.0.1.2/24", "02:00:00:00:00:77");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^pipework: eth2 of .* could not be attached: the kernel refused ".*" with .* \(E[A-Z]+.*\); nothing was changed\n/,
    );
    expect([stage.state(), guest.snapshot()]).toEqual(before);
  });
});

it("one program is executed, and no process is made", async () => {
  const { name } = await stage.running("strace");
  const directory = mkdtempSync(join(tmpdir(), "pipework-strace-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const log = join(directory, "log");
  for (const words of [
    [stage.bridge(), name, "192.168.1.2/24@192.168.1.1"],
    [stage.nic(), "-i", "lan0", name, "10.0.0.2/24"],
  ]) {
    const traced = await command.under(
      ["strace", "-f", "-qq", "-e", "trace=execve,execveat,fork,vfork,clone,clone3", "-o", log],
      ...words,
    );
    expect(traced).toEqual(silent);
    const calls = readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    const executed = calls.filter((line) => /\bexecve(at)?\(/.test(line));
    expect(executed).toEqual([expect.stringContaining(`execve("${process.execPath}"`)]);
    // Threads, and nothing else.
    for (const line of calls.filter((call) => /\b(v?fork|clone3?)\(/.test(call)))
      expect(line).toContain("CLONE_THREAD");
  }
});

describe("doctor and demo", () => {
  it("doctor finds the engine and nothing in the way, and exits 0", async () => {
    const { code, stdout, stderr } = await command.run("doctor");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^ok .*a container engine answers at unix:\/\//m);
    expect(stdout).not.toMatch(/^problem/m);
    const findings = JSON.parse((await command.run("doctor", "--json")).stdout) as { id: string; level: string }[];
    expect(findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: "engine", level: "ok" }),
        expect.objectContaining({ id: "kind-macvlan", level: "ok" }),
      ]),
    );
  });

  it("doctor exits 1 when a forward chain would swallow what is bridged, and says the remedy", async () => {
    const other = new Stage("pwd");
    onTestFinished(() => other.remove());
    other.host.setSysctl("bridge/bridge-nf-call-iptables", "1");
    other.host.run("iptables", "-P", "FORWARD", "DROP");
    const { code, stdout } = await other.command.run("doctor");
    expect(stdout).toMatch(
      /^problem .*net\.bridge\.bridge-nf-call-iptables is 1 and the policy of chain FORWARD .* is to drop.*\n +sysctl -w net\.bridge\.bridge-nf-call-iptables=0/m,
    );
    expect(code).toBe(1);
    other.host.setSysctl("bridge/bridge-nf-call-iptables", "0");
    expect((await other.command.run("doctor")).code).toBe(0);
  });

  it("doctor exits 0 without an engine, which is a warning", async () => {
    const other = new Stage("pwd");
    onTestFinished(() => other.remove());
    const { code, stdout } = await new Command(other.host, "/nonexistent/docker.sock").run("doctor");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^warning .*no container engine can be reached at unix:\/\/\/nonexistent/m);
  });

  it("demo wires two containers of the engine that DOCKER_HOST names, and leaves none", async () => {
    const before = stage.state();
    const { code, stdout, stderr } = await command.run("demo");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(
      `two containers, pipework-demo-1 and pipework-demo-2, started by the engine at ${command.socket}`,
    );
    expect(stdout).toMatch(/192\.0\.2\.1 pings 192\.0\.2\.2: answer 3 after/);
    expect(await containers.docker("ps", "--all", "--quiet", "--filter", "name=pipework-demo")).toBe("");
    expect(await containers.docker("images", "--quiet", "pipework-demo")).toBe("");
    expect(stage.state()).toEqual(before);
  });
});

it("--wait returns when the interface of its own namespace is up", async () => {
  const other = new Stage("pww");
  onTestFinished(() => other.remove());
  const { child, ended } = other.command.start(["--wait", "-i", "late0", "--timeout", "20"]);
  let returned = false;
  void ended.then(() => {
    returned = true;
  });
  other.host.cable("late0", "far");
  expect(returned).toBe(false);
  other.host.run("ip", "link", "set", "late0", "up");
  expect(await ended).toEqual(silent);
  expect(child.exitCode).toBe(0);
  expect(await other.command.run("--wait", "-i", "never0", "--timeout", "0.2")).toEqual(refused(/never0/));
});

it("nothing is left of all this", () => {
  expect(host.links()).toEqual(["lo"]);
  expect(new Side(host.path).ip("address", "show")).toHaveLength(1);
});
