import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { closeWorlds, World } from "./support/world.js";

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill();
  running.clear();
});

afterAll(closeWorlds);

/** tcpdump inside a namespace: what it has seen so far, in lines. */
class Listener {
  readonly #child: ChildProcess;
  #text = "";

  private constructor(namespace: string, ifname: string, filter: string) {
    this.#child = spawn(
      "ip",
      ["netns", "exec", namespace, "tcpdump", "-i", ifname, "-l", "-n", "-e", "--immediate-mode", filter],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    running.add(this.#child);
    this.#child.stdout?.on("data", (data) => {
      this.#text += data;
    });
  }

  static async start(namespace: string, ifname: string, filter: string): Promise<Listener> {
    const listener = new Listener(namespace, ifname, filter);
    for (let said = ""; !said.includes("listening on"); )
      said += String((await once(listener.#child.stderr as NodeJS.ReadableStream, "data"))[0]);
    return listener;
  }

  get lines(): string[] {
    return this.#text.split("\n").filter((line) => line !== "");
  }

  /** Waits, five seconds at most, for all of these; those still missing then. */
  async missing(wanted: readonly RegExp[]): Promise<string[]> {
    for (let tries = 0; ; tries++) {
      const { lines } = this;
      const left = wanted.filter((one) => !lines.some((line) => one.test(line)));
      if (left.length === 0 || tries === 50) return left.map(String);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** A bridge with a neighbour on another port. */
async function neighboured(options: { ipv6?: boolean } = {}) {
  const world = new World();
  const guest = world.guest(options);
  const neighbour = world.guest();
  world.bridge("br1");
  const instance = world.instance();
  await attach(instance, {
    guest: `netns:${neighbour}`,
    to: "br1",
    ifname: "eth0",
    addresses: ["10.255.0.1/16", "fdff::1/64"],
  });
  return { world, guest, neighbour, instance, ref: `netns:${guest}` };
}

const rounds = Array.from({ length: 20 }, (_, i) => i + 1);

describe("another port of the bridge is told", () => {
  test("of each IPv4 address, by a gratuitous ARP, 20 times of 20", async () => {
    const { neighbour, instance, ref } = await neighboured();
    const listener = await Listener.start(neighbour, "eth0", "arp");
    const macs: string[] = [];
    for (const n of rounds)
      macs.push(
        (await attach(instance, { guest: ref, to: "br1", ifname: `eth${n}`, addresses: [`10.0.${n}.2/24`] })).mac,
      );
    // The kernel asks who has the address, from that address: what is called a gratuitous ARP request.
    expect(
      await listener.missing(
        rounds.map(
          (n) => new RegExp(`${macs[n - 1]} > ff:ff:ff:ff:ff:ff.*who-has 10\\.0\\.${n}\\.2 .*tell 10\\.0\\.${n}\\.2`),
        ),
      ),
    ).toEqual([]);
  });

  test("of each IPv6 address, by an unsolicited neighbour advertisement, 20 times of 20", async () => {
    const { neighbour, instance, ref } = await neighboured({ ipv6: false });
    const listener = await Listener.start(neighbour, "eth0", "icmp6");
    for (const n of rounds)
      await attach(instance, { guest: ref, to: "br1", ifname: `eth${n}`, addresses: [`fd00:${n}::2/64`] });
    expect(
      await listener.missing(
        rounds.map((n) => new RegExp(`> ff02::1: ICMP6, neighbor advertisement, tgt is fd00:${n}::2,`)),
      ),
    ).toEqual([]);
  });

  test("of several addresses of both families, and of one that is added later", async () => {
    const { neighbour, instance, ref } = await neighboured();
    const listener = await Listener.start(neighbour, "eth0", "arp or icmp6");
    const addresses = ["10.0.1.2/24", "10.0.1.3/24", "fd00:1::2/64", "fd00:1::3/64"];
    await attach(instance, { guest: ref, to: "br1", addresses });
    expect(
      await listener.missing([
        /who-has 10\.0\.1\.2 .*tell 10\.0\.1\.2/,
        /who-has 10\.0\.1\.3 .*tell 10\.0\.1\.3/,
        /advertisement, tgt is fd00:1::2,/,
        /advertisement, tgt is fd00:1::3,/,
      ]),
    ).toEqual([]);
    await attach(instance, { guest: ref, to: "br1", addresses: [...addresses, "10.0.1.4/24"] });
    expect(await listener.missing([/who-has 10\.0\.1\.4 .*tell 10\.0\.1\.4/])).toEqual([]);
  });

  test("on the wire of a macvlan's parent as well", async () => {
    const world = new World();
    const guest = world.guest();
    const wire = world.namespace();
    world.ip(world.host, `link add nic0 type veth peer name far netns ${wire}`, "link set nic0 up");
    world.ip(wire, "link set far up");
    const listener = await Listener.start(wire, "far", "arp or icmp6");
    await attach(world.instance(), { guest: `netns:${guest}`, to: "nic0", addresses: ["10.0.1.2/24", "fd00:1::2/64"] });
    expect(
      await listener.missing([/who-has 10\.0\.1\.2 .*tell 10\.0\.1\.2/, /advertisement, tgt is fd00:1::2,/]),
    ).toEqual([]);
  });
});

describe("what announcing needs is taken back", () => {
  test("arp_notify, ndisc_notify and the group are as before", async () => {
    const { world, guest, instance, ref } = await neighboured();
    await attach(instance, { guest: ref, to: "br1", addresses: ["10.0.1.2/24", "fd00:1::2/64"] });
    expect(world.sysctl(guest, "ipv4/conf/eth1/arp_notify")).toBe("0");
    expect(world.sysctl(guest, "ipv6/conf/eth1/ndisc_notify")).toBe("0");
    expect(world.link(guest, "eth1").group).toBe("default");
  });

  test("an arp_notify and a group that somebody set stay through a completion", async () => {
    const { world, guest, instance, ref } = await neighboured();
    await attach(instance, { guest: ref, to: "br1", addresses: ["10.0.1.2/24"] });
    world.shell(guest, "echo 1 > /proc/sys/net/ipv4/conf/eth1/arp_notify");
    world.ip(guest, "link set eth1 group 7");
    await attach(instance, { guest: ref, to: "br1", addresses: ["10.0.1.2/24", "10.0.1.3/24"] });
    expect(world.sysctl(guest, "ipv4/conf/eth1/arp_notify")).toBe("1");
    expect(world.link(guest, "eth1").group).toBe("7");
  });

  test("without an announcement nobody is told", async () => {
    const { neighbour, instance, ref } = await neighboured({ ipv6: false });
    const listener = await Listener.start(neighbour, "eth0", "arp");
    await attach(instance, { guest: ref, to: "br1", ifname: "quiet", addresses: ["10.0.1.2/24"], announce: false });
    await attach(instance, { guest: ref, to: "br1", ifname: "loud", addresses: ["10.0.2.2/24"] });
    expect(await listener.missing([/who-has 10\.0\.2\.2 .*tell 10\.0\.2\.2/])).toEqual([]);
    expect(listener.lines.filter((line) => line.includes("10.0.1.2"))).toEqual([]);
  });
});
