import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { Instance } from "../../../src/instance.js";
import { loadAddon } from "../../../src/kernel/addon.js";
import type { NativeAddon } from "../../../src/kernel/native.js";

const execFileAsync = promisify(execFile);
const worlds = new Set<World>();
let count = 0;

/** Runs a program to its end. @throws with what it said when it fails. */
export function run(command: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    ...(input === undefined ? {} : { input }),
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit ${status}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

function disposeAll(): void {
  for (const world of worlds) world.dispose();
}

process.on("exit", disposeAll);
// Vitest ends its workers so.
process.on("SIGTERM", () => {
  disposeAll();
  process.exit(143);
});

/** For afterAll: closes whatever worlds there are, those of failed tests included. */
export async function closeWorlds(): Promise<void> {
  for (const world of worlds) await world.close();
}

/**
 * Network namespaces of our own: one in the place of the host, others as guests; and a directory in the place of
 * /run/pipework. Duplicate address detection is off, so that what is observed does not depend on the time of the day.
 */
export class World {
  readonly host: string;
  readonly runDir = mkdtempSync(`${tmpdir()}/pipework-kernel-`);
  readonly namespaces: string[] = [];
  /** Those that snapshots look at: all but what stands for the outside world, which learns of carriers and neighbours. */
  readonly observed: string[] = [];
  readonly #instances: Instance[] = [];

  constructor() {
    worlds.add(this);
    this.host = this.namespace();
  }

  /** A new namespace with lo up. `ipv6` false: turned off for interfaces to come, as a container engine does. */
  namespace({ ipv6 = true, observed = true }: { ipv6?: boolean; observed?: boolean } = {}): string {
    const name = `pwt-${process.pid}-${++count}`;
    run("ip", ["netns", "add", name]);
    this.namespaces.push(name);
    if (observed) this.observed.push(name);
    const conf = "/proc/sys/net/ipv6/conf";
    const off = ipv6 ? "" : `echo 1 > ${conf}/default/disable_ipv6; `;
    this.shell(name, `for i in all default; do echo 0 > ${conf}/$i/accept_dad; done; ${off}ip link set lo up`);
    return name;
  }

  guest(options: { ipv6?: boolean } = {}): string {
    return this.namespace(options);
  }

  /** `ip` inside a namespace; each text is one line of `ip -batch`. */
  ip(namespace: string, ...lines: string[]): void {
    run("ip", ["-n", namespace, "-batch", "-"], `${lines.join("\n")}\n`);
  }

  /** What `ip -j` says: the eye that is not ours. */
  // biome-ignore lint/suspicious/noExplicitAny: iproute2's JSON is its own
  json(namespace: string, ...words: string[]): any[] {
    const text = run("ip", ["-n", namespace, "-j", ...words]).trim();
    return text === "" ? [] : JSON.parse(text);
  }

  /** The link of that name with its details and addresses, or undefined. */
  // biome-ignore lint/suspicious/noExplicitAny: iproute2's JSON is its own
  link(namespace: string, name: string): any {
    return this.json(namespace, "-d", "addr").find((one) => one.ifname === name);
  }

  addresses(namespace: string, name: string): string[] {
    const info = (this.link(namespace, name)?.addr_info ?? []) as { scope: string; local: string; prefixlen: number }[];
    return info.filter(({ scope }) => scope !== "link").map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  }

  shell(namespace: string, script: string): string {
    return run("ip", ["netns", "exec", namespace, "sh", "-c", script]);
  }

  /** Like shell, without holding up the event loop. */
  async shellAsync(namespace: string, script: string): Promise<string> {
    const { stdout } = await execFileAsync("ip", ["netns", "exec", namespace, "sh", "-c", script]);
    return stdout;
  }

  sysctl(namespace: string, key: string): string {
    return this.shell(namespace, `cat /proc/sys/net/${key}`).trim();
  }

  /** A veth that somebody else made, as an engine does: up on both sides, its far end a port of `bridge` on the host. */
  foreign(guest: string, name: string, addresses: readonly string[], bridge?: string): void {
    const far = `f${this.namespaces.indexOf(guest)}${name}`;
    this.ip(
      this.host,
      `link add ${far} type veth peer name ${name} netns ${guest}`,
      ...(bridge === undefined ? [] : [`link set ${far} master ${bridge}`]),
      `link set ${far} up`,
    );
    if (addresses.some((text) => text.includes(":")))
      this.shell(guest, `echo 0 > /proc/sys/net/ipv6/conf/${name}/disable_ipv6`);
    this.ip(
      guest,
      `link set ${name} up`,
      ...addresses.map((text) => `address add ${text} dev ${name}${text.includes(":") ? " nodad" : ""}`),
    );
  }

  /** A bridge of somebody else's, up, with a port that has carrier: further ports change nothing about it. */
  bridge(name: string, mtu = 1500): void {
    const [near, far] = [`${name}p0`, `${name}p1`];
    this.ip(
      this.host,
      `link add ${name} address 06:00:00:00:00:01 mtu ${mtu} type bridge`,
      `link add ${near} mtu ${mtu} type veth peer name ${far} mtu ${mtu}`,
      `link set ${near} master ${name}`,
      `link set ${name} up`,
      `link set ${near} up`,
      `link set ${far} up`,
    );
    this.shell(this.host, `until ip -o link show ${name} | grep -q LOWER_UP; do sleep 0.01; done`);
  }

  /** An instance of the library whose host side is this world's. */
  instance(load: () => NativeAddon = loadAddon): Instance {
    const instance = new Instance({ host: `netns:${this.host}`, runDir: this.runDir }, load);
    this.#instances.push(instance);
    return instance;
  }

  async close(): Promise<void> {
    await Promise.all(this.#instances.splice(0).map((instance) => instance.close()));
    this.dispose();
  }

  /** Removes namespaces and files; as nothing may be awaited at the exit of a process, instances are left to it. */
  dispose(): void {
    worlds.delete(this);
    const there = new Set(readdirSync("/run/netns"));
    for (const name of this.namespaces.splice(0)) if (there.has(name)) run("ip", ["netns", "del", name]);
    rmSync(this.runDir, { recursive: true, force: true });
  }
}
