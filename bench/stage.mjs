import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

/** Everything the benchmark makes lies here: a tmpfs of the private mount namespace, gone with its last process. */
export const scratch = "/run/pipework-bench";

const run = (file, ...args) => execFileSync(file, args, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });

/**
 * Hides the machine's /run (namespace names, locks and records, engine sockets) behind an empty tmpfs, and its /sys
 * behind one of this network namespace. Refuses to do so outside private namespaces, told by this process being the
 * first of its PID namespace (run.mjs makes all of them together).
 */
export function hideMachine() {
  if (process.pid !== 1) throw new Error("the benchmark's inner half is started by bench/run.mjs only");
  for (const path of ["/run", "/var/run"]) {
    if (!lstatSync(path).isSymbolicLink()) run("mount", "-t", "tmpfs", "tmpfs", path);
  }
  mkdirSync(scratch, { recursive: true });
  // /sys/class/net shows the namespace its sysfs was mounted from; the shell script asks it for bridges.
  const [cgroups, aside] = ["/sys/fs/cgroup", `${scratch}/cgroup`];
  const mounted = readFileSync("/proc/self/mountinfo", "utf8").includes(` ${cgroups} `);
  mkdirSync(aside);
  if (mounted) run("mount", "--move", cgroups, aside);
  run("mount", "-t", "sysfs", "sysfs", "/sys");
  if (mounted) run("mount", "--move", aside, cgroups);
  run("ip", "link", "set", "lo", "up");
}

export function makeBridge(name) {
  run("ip", "link", "add", name, "type", "bridge");
  run("ip", "link", "set", name, "up");
}

/** A named throw-away namespace: `netns:NAME` for the library, its path for the floor. */
export function makeGuest(name, { ipv6 }) {
  run("ip", "netns", "add", name);
  if (!ipv6) {
    // As Docker leaves it in a container without an IPv6 address.
    for (const where of ["all", "default"]) {
      run("ip", "netns", "exec", name, "sh", "-c", `echo 1 >/proc/sys/net/ipv6/conf/${where}/disable_ipv6`);
    }
  }
  return { name, ref: `netns:${name}`, path: `/run/netns/${name}` };
}

/** Links of this namespace, by an eye that is not ours. */
export function linkNames() {
  return JSON.parse(run("ip", "-j", "link", "show")).map((link) => link.ifname);
}

export function inGuest(path, ...args) {
  return run("nsenter", `--net=${path}`, ...args);
}

export function writeScript(name, text) {
  const path = `${scratch}/${name}`;
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
