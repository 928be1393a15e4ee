import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

const cache = join(dirname(dirname(import.meta.dirname)), ".vm");

/** The series of Debian's kernels that the tests run on: that of Debian 12, and the long-term one after it. */
export const SERIES = ["6.1", "6.12"];

/** Modules that are kept, as paths below kernel/: what concerns networks, what they need, and what the machine boots from. */
const KEPT = [
  /^(net|crypto|lib|arch\/x86\/crypto)\//,
  /^fs\/(9p|netfs|fscache|overlayfs)\//,
  /^drivers\/(virtio|ptp|pps)\//,
  /^drivers\/net\/[^/]+$/,
  /^drivers\/net\/(bonding|team|ipvlan|vxlan|phy|mdio|netdevsim)\//,
  /^drivers\/net\/wireless\/(virtual\/)?mac80211_hwsim/,
];

const attempts = 4;

function run(program, words, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...options,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${words.join(" ")}: exit ${status}: ${stderr.trim().slice(-2000)}`);
  return stdout;
}

function pause(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Mirrors and proxies fail now and then. */
function persistently(work) {
  for (let attempt = 1; ; attempt++) {
    try {
      return work();
    } catch (error) {
      if (attempt === attempts) throw error;
      console.error(`vm: ${error.message}; trying again`);
      pause(attempt * 3000);
    }
  }
}

/** 6.1.0-56-amd64 or 6.12.117+deb12-amd64 as numbers that compare. */
function numbers(name) {
  return name.match(/\d+/g).map(Number);
}

function newest(names) {
  return names.toSorted((a, b) => {
    const [x, y] = [numbers(a), numbers(b)];
    for (let i = 0; i < Math.max(x.length, y.length); i++) if (x[i] !== y[i]) return (x[i] ?? -1) - (y[i] ?? -1);
    return 0;
  })[names.length - 1];
}

/** Debian's signed kernel package of a series, the newest that this machine's package lists offer. */
function offered(series) {
  const wanted = new RegExp(`^linux-image-${series.replace(".", "\\.")}\\.\\d[^-]*(-\\d+)?-amd64$`);
  return newest(
    run("apt-cache", ["pkgnames", `linux-image-${series}`])
      .split("\n")
      .filter((name) => wanted.test(name)),
  );
}

/** One of Debian's kernels in the cache .vm/: its image, and the modules that are kept, unpacked and indexed. */
export class Kernel {
  constructor(series) {
    this.series = series;
    this.directory = join(cache, series);
  }

  get image() {
    return join(this.directory, "vmlinuz");
  }

  get release() {
    return readFileSync(join(this.directory, "release"), "utf8").trim();
  }

  get modules() {
    return join(this.directory, "lib/modules", this.release);
  }

  get fetched() {
    return existsSync(join(this.directory, "release"));
  }

  /** Downloads and unpacks the kernel, unless it is there. `apt-get update` is done once a process, when it is needed. */
  fetch() {
    if (this.fetched) return;
    mkdirSync(cache, { recursive: true });
    // In the cache, so that the unpacked kernel can be renamed into its place, whole or not at all.
    const scratch = mkdtempSync(join(cache, "fetch-"));
    try {
      Kernel.#update();
      const name = offered(this.series);
      if (name === undefined)
        throw new Error(`this machine's package lists offer no linux-image-${this.series}*-amd64`);
      console.error(`vm: fetching ${name}`);
      // The user _apt may not write below a directory of root's.
      persistently(() => run("apt-get", ["download", "-q", "-o", "APT::Sandbox::User=root", name], { cwd: scratch }));
      const [archive] = readdirSync(scratch);
      run("dpkg-deb", ["-x", archive, "all"], { cwd: scratch });
      this.#keep(join(scratch, "all"), join(scratch, "kept"));
      rmSync(this.directory, { recursive: true, force: true });
      renameSync(join(scratch, "kept"), this.directory);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  static #updated = false;
  static #update() {
    if (!Kernel.#updated) persistently(() => run("apt-get", ["update", "-q", "-o", "Acquire::Retries=3"]));
    Kernel.#updated = true;
  }

  #keep(all, kept) {
    const [image] = readdirSync(join(all, "boot")).filter((name) => name.startsWith("vmlinuz-"));
    const release = image.slice("vmlinuz-".length);
    const from = [join(all, "lib/modules", release), join(all, "usr/lib/modules", release)].find(existsSync);
    const to = join(kept, "lib/modules", release);
    mkdirSync(to, { recursive: true });
    const packed = [];
    for (const file of readdirSync(join(from, "kernel"), { recursive: true })) {
      if (!/\.ko(\.xz|\.zst)?$/.test(file) || !KEPT.some((pattern) => pattern.test(file))) continue;
      const target = join(to, "kernel", file);
      cpSync(join(from, "kernel", file), target);
      if (!file.endsWith(".ko")) packed.push(target);
    }
    // Unpacked here, not by an emulated processor.
    for (const [suffix, program] of [
      ["xz", "xz"],
      ["zst", "zstd"],
    ]) {
      const files = packed.filter((file) => file.endsWith(suffix));
      if (files.length > 0)
        run("xargs", ["-0", program, "-q", "-d", ...(program === "zstd" ? ["--rm"] : [])], { input: files.join("\0") });
    }
    for (const name of readdirSync(from))
      if (name.startsWith("modules.builtin") || name === "modules.order") cpSync(join(from, name), join(to, name));
    run("depmod", ["-b", kept, release]);
    cpSync(join(all, "boot", image), join(kept, "vmlinuz"));
    writeFileSync(join(kept, "release"), `${release}\n`);
  }

  /** Files of a module and of what it needs, in the order of loading; none when it is built in. @throws if there is none. */
  filesOf(name) {
    return run("modprobe", ["-d", this.directory, "-S", this.release, "-D", name])
      .split("\n")
      .filter((line) => line.startsWith("insmod "))
      .map((line) => line.split(" ")[1]);
  }
}
