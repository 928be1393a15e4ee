import { afterAll, afterEach, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { demo } from "../../src/demo/demo.js";
import { doctor } from "../../src/doctor/doctor.js";
import type { Finding } from "../../src/doctor/finding.js";
import { Instance } from "../../src/instance.js";
import { loadAddon } from "../../src/kernel/addon.js";
import type { NativeAddon, NativeRunner } from "../../src/kernel/native.js";
import { PipeworkError } from "../../src/values/error.js";
import { closeWorlds, run, World } from "./support/world.js";

afterEach(closeWorlds);
afterAll(closeWorlds);

function finding(findings: readonly Finding[], id: string): Finding {
  const found = findings.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no finding ${id} among ${findings.map((one) => one.id).join(", ")}`);
  return found;
}

describe("doctor", () => {
  test("a healthy host side: every kind of link, and nothing left", async () => {
    const world = new World();
    const findings = await doctor(world.instance());
    for (const id of ["privileges", "addon", "kind-bridge", "kind-veth", "kind-macvlan", "half-built", "leftovers"]) {
      expect(finding(findings, id), id).toMatchObject({ level: "ok" });
    }
    expect(world.json(world.host, "link").map((link) => link.ifname)).toEqual(["lo"]);
  });

  test("bridge netfilter with a forward policy of drop is told as a problem, with its remedy", async () => {
    const world = new World();
    run("ip", ["netns", "exec", world.host, "iptables", "-P", "FORWARD", "DROP"]);
    world.shell(world.host, "echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables");
    const bad = finding(await doctor(world.instance()), "bridge-netfilter-iptables");
    expect(bad.level).toBe("problem");
    expect(bad.what).toContain("FORWARD");
    expect(bad.remedy).toContain("net.bridge.bridge-nf-call-iptables=0");

    world.shell(world.host, "echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables");
    expect(finding(await doctor(world.instance()), "bridge-netfilter-iptables").level).toBe("ok");
    world.shell(world.host, "echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables");
    run("ip", ["netns", "exec", world.host, "iptables", "-P", "FORWARD", "ACCEPT"]);
    expect(finding(await doctor(world.instance()), "bridge-netfilter-iptables").level).toBe("ok");
  });

  test("a link left half built is named", async () => {
    const world = new World();
    world.ip(world.host, `link add left0 group ${0x70770001} type veth peer name left1`);
    const bad = finding(await doctor(world.instance()), "half-built");
    expect(bad.level).toBe("warning");
    expect(bad.what).toContain("left0");
    expect(bad.remedy).toContain("ip link del left0");
  });

  test("an attachment whose guest is gone is named", async () => {
    const world = new World();
    const guest = world.guest();
    world.ip(world.host, "link add parent0 type veth peer name parent1", "link set parent0 up", "link set parent1 up");
    await attach(world.instance(), {
      guest: `netns:${guest}`,
      to: "parent0",
      ifname: "eth1",
      addresses: ["192.0.2.1/24"],
    });
    expect(finding(await doctor(world.instance()), "leftovers").level).toBe("ok");
    run("ip", ["netns", "del", guest]);
    const bad = finding(await doctor(world.instance()), "leftovers");
    expect(bad.level).toBe("warning");
    expect(bad.what).toContain(guest);
  });

  test("a missing addon is a finding, not a failure", async () => {
    const world = new World();
    const instance = new Instance({ host: `netns:${world.host}`, docker: "unix:///nowhere.sock" }, (): NativeAddon => {
      throw new PipeworkError({ code: "addon-missing", message: "no addon here", hint: "build one" });
    });
    const findings = await doctor(instance);
    expect(finding(findings, "addon")).toMatchObject({ level: "problem", what: "no addon here", remedy: "build one" });
    expect(finding(findings, "engine").level).toBe("warning");
  });

  test("a kind of link that the kernel lacks is a problem", async () => {
    const world = new World();
    const real = loadAddon();
    const { Runner } = real;
    // The kind's name on its way to the kernel, made one that no kernel has.
    const lacking = (): NativeRunner => {
      const runner = new Runner();
      return new Proxy(runner, {
        get(target, name) {
          if (name === "run") {
            return (transaction: never, program: { message?: Uint8Array }[], slots: number[]) => {
              for (const { message } of program) {
                const at =
                  message === undefined
                    ? -1
                    : Buffer.from(message.buffer, message.byteOffset, message.length).indexOf("macvlan");
                if (message !== undefined && at >= 0) message[at] = "x".charCodeAt(0);
              }
              return target.run(transaction, program as never, slots);
            };
          }
          const value = Reflect.get(target, name, target) as unknown;
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    };
    const instance = world.instance(() => ({
      openNetns: (path) => real.openNetns(path),
      Runner: function Lacking() {
        return lacking();
      } as never,
    }));
    const bad = finding(await doctor(instance), "kind-macvlan");
    expect(bad.level).toBe("problem");
    expect(bad.what).toContain("Unknown device type");
  });
});

test("the demo wires two namespaces, pings, and leaves nothing", async () => {
  const before = run("ip", ["-j", "link"]);
  const lines: string[] = [];
  await demo((line) => lines.push(line), { containers: false });
  expect(lines.filter((line) => line.includes("pings"))).toHaveLength(3);
  expect(lines.at(-1)).toBe("both detached again, nothing left");
  expect(JSON.parse(run("ip", ["-j", "link"])).map((link: { ifname: string }) => link.ifname)).toEqual(
    JSON.parse(before).map((link: { ifname: string }) => link.ifname),
  );
});
