import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { attach } from "../../src/attach.js";
import { Instance } from "../../src/instance.js";
import { loadAddon } from "../../src/kernel/addon.js";
import type { NativeAddon, NativeRunner } from "../../src/kernel/native.js";
import { Pipework } from "../../src/pipework.js";
import { Containers, dockerEnvironment } from "./fixture/containers.js";
import { filesBelow, Side, ThrowAway } from "./fixture/side.js";

const socket = inject("engineSocket");
const containers = new Containers(socket);
const host = new ThrowAway("pwa");
const runDir = mkdtempSync(join(tmpdir(), "pipework-run-"));
const options = { docker: `unix://${socket}`, host: `netns:${host.name}`, runDir };
const pipework = new Pipework(options);

afterAll(async () => {
  await pipework.close();
  host.remove();
  rmSync(runDir, { recursive: true });
});

let count = 0;
/** A name of this test's own; its container goes with the test. */
function fresh(what: string): string {
  const name = `attach-${what}-${process.pid}-${count++}`;
  onTestFinished(() => containers.remove(name));
  return name;
}

/** A bridge of this test's own, which is made when something is attached to it. */
function freshBridge(): string {
  const name = `br${count++}`;
  onTestFinished(() => {
    if (host.link(name) !== undefined) host.run("ip", "link", "delete", name);
  });
  return name;
}

async function running(
  what: string,
  more: Parameters<Containers["run"]>[1] = {},
): Promise<{ name: string; id: string; pid: number; guest: Side }> {
  const name = fresh(what);
  const id = await containers.run(name, more);
  const pid = await containers.pid(name);
  return { name, id, pid, guest: Side.of(pid) };
}

function refusal(code: string, message: RegExp, hint?: RegExp): unknown {
  return expect.objectContaining({
    name: "PipeworkError",
    code,
    message: expect.stringMatching(message),
    ...(hint === undefined ? {} : { hint: expect.stringMatching(hint) }),
  });
}

/** Namespaces of guests that this process holds open: those of the host side and of the process itself are held rightly. */
function heldNamespaces(): string[] {
  const rightly = [host.path, "/proc/self/ns/net"].map((path) => `net:[${statSync(path).ino}]`);
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith("net:[") && !rightly.includes(target) ? [target] : [];
    } catch {
      // The descriptor of the listing itself.
      return [];
    }
  });
}

/** All that an attach may leave on the host. */
function hostState(): unknown {
  return {
    host: host.snapshot(),
    files: filesBelow(runDir),
    named: readdirSync("/run/netns").filter((name) => /^\d+$/.test(name)),
    held: heldNamespaces(),
  };
}

/** Links of dead namespaces go some milliseconds after their last process. */
async function settledState(wanted: unknown): Promise<unknown> {
  let state = hostState();
  for (let look = 0; look < 100 && JSON.stringify(state) !== JSON.stringify(wanted); look++) {
    await pause(50);
    state = hostState();
  }
  return state;
}

/** What `ip` says of the host end. */
function aliasOf(hostIfname: string): string {
  return String(host.link(hostIfname)?.["ifalias"] ?? "");
}

describe("a running container", () => {
  it("is attached by name, id and unique prefix; the host end is named as the script's and carries the container's id", async () => {
    const { name, id, pid, guest } = await running("plain");
    const to = freshBridge();
    for (const [i, ref] of [name, id, id.slice(0, 20), `docker:${id.slice(0, 12)}`].entries()) {
      const ifname = `eth${i + 1}`;
      const at = await pipework.attach({ guest: ref, to, ifname, addresses: [`10.1.${i}.2/24`] });
      expect(at).toMatchObject({
        guest: ref,
        guestId: `docker:${id}`,
        ifname,
        to,
        type: "bridge",
        hostIfname: `v${ifname}pl${pid}`,
        outcome: "attached",
        warnings: [],
      });
      expect(guest.addresses(ifname)).toEqual([`10.1.${i}.2/24`]);
      expect(guest.link(ifname)).toMatchObject({
        ifindex: at.ifindex,
        address: at.mac,
        mtu: at.mtu,
        flags: expect.arrayContaining(["UP", "LOWER_UP"]),
      });
      expect(host.link(`v${ifname}pl${pid}`)).toMatchObject({
        master: to,
        group: "default",
        flags: expect.arrayContaining(["UP", "LOWER_UP"]),
      });
      expect(aliasOf(`v${ifname}pl${pid}`)).toContain(id);
      expect((await pipework.attach({ guest: name, to, ifname, addresses: [`10.1.${i}.2/24`] })).outcome).toBe(
        "unchanged",
      );
    }
    expect(await pipework.list({ guest: id.slice(0, 20) })).toMatchObject(
      [1, 2, 3, 4].map((i) => ({
        guest: name,
        guestId: `docker:${id}`,
        ifname: `eth${i}`,
        to,
        addresses: [`10.1.${i - 1}.2/24`],
        state: "up",
      })),
    );
    await pipework.detach({ guest: id.slice(0, 20), ifname: "eth1" });
    expect(guest.links()).toEqual(["eth0", "eth2", "eth3", "eth4", "lo"]);
    await pipework.detach({ guest: name, all: true });
    expect(guest.links()).toEqual(["eth0", "lo"]);
    expect(host.links()).toEqual([to, "lo"]);
  });

  it("gets a hashed host-end name where the script's is longer than 15 bytes", async () => {
    const { name, id, guest } = await running("long");
    const to = freshBridge();
    const ifname = "management12345";
    const { hostIfname } = await pipework.attach({ guest: name, to, ifname, addresses: ["10.1.0.2/24"] });
    expect(hostIfname).toMatch(/^vpw[0-9a-f]{12}$/);
    expect(aliasOf(hostIfname as string)).toContain(id);
    expect(guest.addresses(ifname)).toEqual(["10.1.0.2/24"]);
    await pipework.detach({ guest: name, ifname });
    expect(host.links()).toEqual([to, "lo"]);
  });

  it("gives its engine's default route up for ours, and has it back when detached", async () => {
    const { name, guest } = await running("default");
    const to = freshBridge();
    const before = guest.ip("-4", "route", "show");
    expect(guest.defaults()).toMatchObject([{ dev: "eth0", gateway: expect.stringMatching(/^10\.213\./) }]);
    await pipework.attach({ guest: name, to, ifname: "eth1", addresses: ["10.1.0.2/24"], gateway: "10.1.0.1" });
    expect(guest.defaults()).toMatchObject([{ dev: "eth1", gateway: "10.1.0.1" }]);
    await pipework.attach({ guest: name, to, ifname: "eth2", addresses: ["10.2.0.2/24"], gateway: "192.0.2.1" });
    expect(guest.defaults()).toMatchObject([{ dev: "eth2", gateway: "192.0.2.1" }]);
    await pipework.detach({ guest: name, ifname: "eth1" });
    expect(guest.defaults()).toMatchObject([{ dev: "eth2", gateway: "192.0.2.1" }]);
    await pipework.detach({ guest: name, ifname: "eth2" });
    expect(guest.ip("-4", "route", "show")).toEqual(before);
  });

  it("gets IPv6 on the interface that has an IPv6 address, though its engine has turned it off", async () => {
    const one = await running("six");
    const two = await running("six");
    const to = freshBridge();
    expect(one.guest.sysctl("ipv6/conf/default/disable_ipv6")).toBe("1");
    for (const [i, { name, guest }] of [one, two].entries()) {
      await pipework.attach({
        guest: name,
        to,
        addresses: [`10.1.0.${i + 2}/24`, `fd00::${i + 2}/64`],
        gateway: ["fd00::1"],
      });
      expect(guest.addresses("eth1")).toEqual([`10.1.0.${i + 2}/24`, `fd00::${i + 2}/64`]);
      expect(guest.sysctl("ipv6/conf/eth1/disable_ipv6")).toBe("0");
      expect(guest.sysctl("ipv6/conf/eth0/disable_ipv6")).toBe("1");
      expect(guest.defaults(6)).toMatchObject([{ dev: "eth1", gateway: "fd00::1" }]);
      expect(guest.defaults(4)).toMatchObject([{ dev: "eth0" }]);
    }
    expect(await containers.exec(one.name, "ping", "-6", "-c", "3", "-W", "5", "fd00::3")).toContain(
      "3 packets received",
    );
  });

  it("and another ping each other over a bridge that pipework made", async () => {
    const one = await running("ping");
    const two = await running("ping");
    const to = freshBridge();
    await pipework.attach({ guest: one.name, to, addresses: ["10.1.0.2/24"] });
    await pipework.attach({ guest: two.name, to, addresses: ["10.1.0.3/24"] });
    expect(await containers.exec(one.name, "ping", "-c", "3", "-W", "5", "10.1.0.3")).toContain("3 packets received");
    expect(await containers.exec(two.name, "ping", "-c", "3", "-W", "5", "10.1.0.2")).toContain("3 packets received");
  });

  it("and another ping each other over macvlans of one NIC", async () => {
    const one = await running("macvlan");
    const two = await running("macvlan");
    host.cable("nic0", "far0");
    onTestFinished(() => void host.run("ip", "link", "delete", "nic0"));
    for (const [i, { name, guest }] of [one, two].entries()) {
      const at = await pipework.attach({ guest: name, to: "nic0", ifname: "lan0", addresses: [`10.1.0.${i + 2}/24`] });
      expect(at).toMatchObject({ type: "macvlan", mode: "bridge", outcome: "attached" });
      expect(guest.link("lan0")).toMatchObject({ linkinfo: { info_kind: "macvlan", info_data: { mode: "bridge" } } });
    }
    expect(await containers.exec(one.name, "ping", "-c", "3", "-W", "5", "10.1.0.3")).toContain("3 packets received");
    await pipework.detach({ guest: one.name, ifname: "lan0" });
    await pipework.detach({ guest: two.name, ifname: "lan0" });
    expect(filesBelow(runDir)).toEqual({});
    expect(one.guest.links()).toEqual(["eth0", "lo"]);
  });

  it("without a network is attached", async () => {
    const { name, guest } = await running("none", { network: "none" });
    const at = await pipework.attach({
      guest: name,
      to: freshBridge(),
      ifname: "eth0",
      addresses: ["10.1.0.2/24"],
      gateway: "10.1.0.1",
    });
    expect(at.warnings).toEqual([]);
    expect(guest.links()).toEqual(["eth0", "lo"]);
    expect(guest.defaults()).toMatchObject([{ dev: "eth0", gateway: "10.1.0.1" }]);
  });

  it("that is paused is attached, and goes on with its interface", async () => {
    const { name, guest } = await running("paused");
    await containers.pause(name);
    const at = await pipework.attach({ guest: name, to: freshBridge(), addresses: ["10.1.0.2/24"] });
    expect(at).toMatchObject({ outcome: "attached", warnings: [expect.stringMatching(/is paused/)] });
    expect(guest.addresses("eth1")).toEqual(["10.1.0.2/24"]);
    await containers.unpause(name);
    expect(await containers.exec(name, "ip", "addr", "show", "eth1")).toContain("inet 10.1.0.2/24");
  });

  it("that shares another's network is attached through it, and may be detached by either", async () => {
    const owner = await running("owner");
    const sharer = await running("sharer", { network: `container:${owner.name}` });
    const to = freshBridge();
    const request = { to, addresses: ["10.1.0.2/24"] };
    const at = await pipework.attach({ guest: sharer.name, ...request });
    expect(at).toMatchObject({
      guestId: `docker:${owner.id}`,
      hostIfname: `veth1pl${owner.pid}`,
      outcome: "attached",
      warnings: [expect.stringMatching(/shares the network of/)],
    });
    expect(await pipework.attach({ guest: owner.name, ...request })).toMatchObject({
      outcome: "unchanged",
      guestId: `docker:${owner.id}`,
    });
    expect(await pipework.attach({ guest: sharer.name, ...request })).toMatchObject({ outcome: "unchanged" });
    expect(await pipework.detach({ guest: owner.name })).toMatchObject([{ outcome: "detached" }]);
    await pipework.attach({ guest: owner.name, ...request });
    expect(await pipework.detach({ guest: sharer.name })).toMatchObject([{ outcome: "detached" }]);
    expect(owner.guest.links()).toEqual(["eth0", "lo"]);
    expect(host.links()).toEqual([to, "lo"]);
  });

  it("gets the MAC that the script makes from U:text", async () => {
    const { name, guest } = await running("unique");
    // The script hashes what echo prints, and puts the first five bytes behind 02.
    const script = "echo $0 | md5sum | sed 's/^\\(..\\)\\(..\\)\\(..\\)\\(..\\)\\(..\\).*$/02:\\1:\\2:\\3:\\4:\\5/'";
    const text = "myhost.foo.com";
    const mac = execFileSync("sh", ["-c", script, text], { encoding: "utf8" }).trim();
    expect(mac).toBe("02:72:6c:cd:9b:8d");
    await pipework.attach({ guest: name, to: freshBridge(), addresses: ["10.1.0.2/24"], mac: `U:${text}` });
    expect(guest.link("eth1")).toMatchObject({ address: mac });
  });
});

describe("a container that is not running", () => {
  it("is refused when it was stopped, and nothing is made", async () => {
    const { name } = await running("stopped");
    await containers.stop(name);
    const before = hostState();
    await expect(pipework.attach({ guest: name, to: freshBridge(), addresses: ["10.1.0.2/24"] })).rejects.toEqual(
      refusal("guest-not-running", /exited/, /start/),
    );
    expect(hostState()).toEqual(before);
    expect(await pipework.detach({ guest: name })).toMatchObject([{ outcome: "absent" }]);
  });

  it("is awaited when it was only created", async () => {
    const name = fresh("created");
    await containers.create(name);
    const attempt = pipework.attach({ guest: name, to: freshBridge(), addresses: ["10.1.0.2/24"] });
    await containers.start(name);
    expect(await attempt).toMatchObject({ outcome: "attached" });
    expect(Side.of(await containers.pid(name)).addresses("eth1")).toEqual(["10.1.0.2/24"]);
  });

  it("is refused when it was created and does not start in time", async () => {
    const name = fresh("created");
    await containers.create(name);
    const before = hostState();
    await expect(
      pipework.attach({ guest: name, to: freshBridge(), addresses: ["10.1.0.2/24"], timeoutMs: 200 }),
    ).rejects.toEqual(refusal("guest-not-running", /created/));
    expect(hostState()).toEqual(before);
  });

  it("is refused when there is none of that name, and when a prefix fits several", async () => {
    const before = hostState();
    const request = { to: freshBridge(), addresses: ["10.1.0.2/24"] };
    await expect(pipework.attach({ guest: "attach-no-such", ...request })).rejects.toEqual(
      refusal("guest-not-found", /no container attach-no-such/),
    );
    const seen = new Set<string>();
    let prefix: string | undefined;
    // With sixteen first digits the seventeenth container at the latest shares one.
    while (prefix === undefined) {
      const [digit = ""] = await containers.create(fresh("many"));
      if (seen.has(digit)) prefix = digit;
      seen.add(digit);
    }
    await expect(pipework.attach({ guest: prefix, ...request })).rejects.toEqual(
      refusal("guest-ambiguous", /is ambiguous/),
    );
    expect(hostState()).toEqual(before);
  });
});

it("a container on the host's network is refused", async () => {
  const { name } = await running("host", { network: "host" });
  const before = hostState();
  // It is the machine's own network, which is neither the throw-away host side nor a guest.
  await expect(pipework.attach({ guest: name, to: freshBridge(), addresses: ["10.1.0.2/24"] })).rejects.toEqual(
    refusal("guest-host-network", /uses the host's own network/),
  );
  expect(hostState()).toEqual(before);
});

/** The real addon, with something happening before each call of the runner. */
function interrupted(before: (call: "begin" | "run", n: number) => void): () => NativeAddon {
  return () => {
    const addon = loadAddon();
    let n = 0;
    class Runner {
      constructor() {
        const inner: NativeRunner = new addon.Runner();
        // biome-ignore lint/correctness/noConstructorReturn: a stand-in that passes everything on
        return new Proxy(inner, {
          get(target, key) {
            const value: unknown = Reflect.get(target, key);
            if (typeof value !== "function") return value;
            return (...words: unknown[]) => {
              if (key === "begin" || key === "run") before(key, n++);
              return value.apply(target, words);
            };
          },
        }) as never;
      }
    }
    return { openNetns: addon.openNetns, Runner: Runner as unknown as NativeAddon["Runner"] };
  };
}

function docker(...words: readonly string[]): void {
  execFileSync("docker", words, { env: dockerEnvironment(socket), stdio: "ignore" });
}

describe("a container that dies meanwhile", () => {
  it.each([
    ["after it was found and before the interfaces were read", "begin", ["kill"]],
    ["between the reading and the plan", "run", ["kill"]],
    ["by being removed between the reading and the plan", "run", ["rm", "--force"]],
    ["by being restarted after it was found", "begin", ["restart"]],
    ["by being restarted between the reading and the plan", "run", ["restart"]],
  ] as const)("%s is gone, and everything is as before", async (_, call, words) => {
    const { name } = await running("dying");
    const before = hostState();
    const instance = new Instance(
      options,
      interrupted((now, n) => {
        if (now === call && n === (call === "begin" ? 0 : 1)) docker(...words, name);
      }),
    );
    onTestFinished(() => instance.close());
    const to = freshBridge();
    await expect(
      attach(instance, { guest: name, to, addresses: ["10.1.0.2/24"], gateway: "10.1.0.1" }),
    ).rejects.toEqual(refusal("guest-gone", /died while eth1 was being attached; nothing was changed/, /start it/));
    expect(await settledState(before)).toEqual(before);
  });

  it("at any moment of many attaches: each is attached or gone, and everything is as before", async () => {
    const to = freshBridge();
    // The state of a bridge that has had a port differs from that of one that never had: carrier, segmentation sizes.
    const first = await running("first");
    await pipework.attach({ guest: first.name, to, addresses: ["10.1.0.1/24"] });
    const before = hostState();
    const outcomes = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const { name, pid } = await running("victim");
      let dead = false;
      const killing = pause(round * 3).then(() => {
        process.kill(pid, "SIGKILL");
        dead = true;
      });
      for (let i = 0; !dead || i === 0; i++) {
        try {
          await pipework.attach({ guest: name, to, ifname: `e${i}`, addresses: [`10.1.${i % 200}.2/24`] });
          outcomes.add("attached");
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^guest-(gone|not-running)$/) });
          outcomes.add("gone");
          break;
        }
      }
      await killing;
      // The engine may take a while to notice; in the end it must be refused.
      await containers.docker("wait", name);
      await expect(
        pipework.attach({ guest: name, to, ifname: "late", addresses: ["10.2.0.2/24"] }),
      ).rejects.toMatchObject({ code: "guest-not-running" });
      expect(await settledState(before)).toEqual(before);
      await containers.remove(name);
    }
    expect([...outcomes]).toContain("attached");
  }, 120_000);
});

describe("a container that is restarted", () => {
  it("leaves no debris on the host and is attached anew at once, with the same MAC, 50 times", async () => {
    const { name, id } = await running("restart");
    const to = freshBridge();
    const request = { guest: name, to, addresses: ["10.1.0.2/24", "fd00::2/64"], gateway: "10.1.0.1" };
    const { mac } = await pipework.attach(request);
    for (let round = 0; round < 50; round++) {
      await containers.restart(name);
      const at = await pipework.attach(request);
      const pid = await containers.pid(name);
      expect(at).toMatchObject({ outcome: "attached", mac, hostIfname: `veth1pl${pid}`, guestId: `docker:${id}` });
      expect(Side.of(pid).link("eth1")).toMatchObject({ address: mac });
      expect(host.links()).toEqual([to, "lo", `veth1pl${pid}`]);
    }
    expect(filesBelow(runDir)).toEqual({});
    await containers.stop(name);
    for (let look = 0; look < 100 && host.links().length > 2; look++) await pause(20);
    expect(host.links()).toEqual([to, "lo"]);
    expect(heldNamespaces()).toEqual([]);
  }, 300_000);

  it("gives its NIC's macvlan back to nobody, and is attached anew", async () => {
    const { name } = await running("again");
    host.cable("nic1", "far1");
    onTestFinished(() => void host.run("ip", "link", "delete", "nic1"));
    const request = { guest: name, to: "nic1", addresses: ["10.1.0.2/24"], gateway: "10.1.0.1" };
    const { mac } = await pipework.attach(request);
    for (let round = 0; round < 3; round++) {
      await containers.restart(name);
      expect(await pipework.attach(request)).toMatchObject({ outcome: "attached", mac });
      expect(Side.of(await containers.pid(name)).defaults()).toMatchObject([{ dev: "eth1" }]);
      expect(Object.keys(filesBelow(runDir))).toHaveLength(1);
    }
    expect(await pipework.detach({ guest: name })).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(Side.of(await containers.pid(name)).defaults()).toMatchObject([{ dev: "eth0" }]);
    expect(filesBelow(runDir)).toEqual({});
  });
});

it("a container made anew under the same name is another guest with another MAC", async () => {
  const { name, id } = await running("anew");
  const to = freshBridge();
  const request = { guest: name, to, addresses: ["10.1.0.2/24"] };
  const first = await pipework.attach(request);
  await containers.remove(name);
  const second = await containers.run(name);
  const at = await pipework.attach(request);
  expect(at).toMatchObject({ outcome: "attached", guestId: `docker:${second}` });
  expect(at.guestId).not.toBe(`docker:${id}`);
  expect(at.mac).not.toBe(first.mac);
  expect(host.links()).toEqual([to, "lo", `veth1pl${await containers.pid(name)}`]);
  expect(aliasOf(at.hostIfname as string)).toContain(second);
});

it("nothing is left of all this", async () => {
  const before = { links: ["lo"], files: {}, held: [] };
  const now = () => ({ links: host.links(), files: filesBelow(runDir), held: heldNamespaces() });
  for (let look = 0; look < 100 && JSON.stringify(now()) !== JSON.stringify(before); look++) await pause(50);
  expect(now()).toEqual(before);
});
