import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { initramfs } from "./initramfs.mjs";

/** KVM only when it is asked for: inside of virtual machines it is often there and does not work. */
const accelerator = process.env.PIPEWORK_VM_ACCEL ?? "tcg";

/** A machine that says nothing for so long hangs: the runner inside ends a file before that, and says so. */
const SILENCE_SECONDS = 360;
const TAIL_LINES = 40;

/** What init.sh says when the runner has ended. */
const LAST_LINE = "vm: ended with ";

/** A folder that the machine mounts by `tag`. */
function share(tag, path, readOnly) {
  const options = `local,id=${tag},path=${path.replaceAll(",", ",,")},security_model=none,multidevs=remap`;
  return [
    "-fsdev",
    readOnly ? `${options},readonly=on` : options,
    "-device",
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
}

/** Two NICs that no test needs to boot, on one wire that leads nowhere else: one may be moved, the other is its peer. */
function spareNics() {
  return [1, 2].flatMap((n) => [
    "-netdev",
    `hubport,hubid=0,id=spare${n}`,
    "-device",
    `virtio-net-pci,netdev=spare${n},mac=52:54:00:00:00:0${n},addr=0x1${n},romfile=`,
  ]);
}

/** An emulated machine that runs the folder's runner on a kernel. */
export class Machine {
  #child;
  #tail = [];

  /** @param root the clone. @param folder the run's, below it: read, and written to. @param say gets each line of the console. */
  constructor({ kernel, root, folder, processors, seconds, say }) {
    Object.assign(this, { kernel, root, folder, processors, seconds, say });
  }

  /** Boots, runs and ends it. @returns undefined when it ended by itself, else why not, with the console's last lines. */
  run() {
    const initrd = join(this.folder, "initramfs");
    const { kernel, root, folder } = this;
    const told = { clone: root, run: relative(root, folder), node: process.execPath, series: kernel.series };
    writeFileSync(initrd, initramfs(kernel, told));
    return new Promise((resolve) => {
      // A machine must not outlive the process that watches it, even if that is killed.
      this.#child = spawn("setpriv", ["--pdeathsig", "KILL", "qemu-system-x86_64", ...this.#words(initrd)], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      let reason;
      let finished = false;
      const blame = (why) => {
        reason ??= `${why}; the console's last lines:\n${this.#tail.join("\n")}`;
      };
      const end = (why) => {
        blame(why);
        this.#child.kill("SIGKILL");
      };
      const limit = setTimeout(() => end(`ended after ${this.seconds} s`), this.seconds * 1000);
      let silence;
      const heard = (line) => {
        if (/warning: hub 0 is not connected/.test(line)) return;
        clearTimeout(silence);
        silence = setTimeout(() => end(`ended after ${SILENCE_SECONDS} s of silence`), SILENCE_SECONDS * 1000);
        if (line.startsWith(LAST_LINE)) finished = true;
        this.#tail = [...this.#tail, line].slice(-TAIL_LINES);
        this.say(line);
      };
      for (const stream of [this.#child.stdout, this.#child.stderr])
        createInterface({ input: stream }).on("line", (line) => heard(line.replace(/\r$/, "")));
      this.#child.on("error", (error) => {
        reason ??= `qemu-system-x86_64 cannot be started: ${error.message}`;
      });
      this.#child.on("close", (code) => {
        clearTimeout(limit);
        clearTimeout(silence);
        if (code !== 0) blame(`qemu-system-x86_64 ended with ${code}`);
        // So does a kernel that panics, whose machine is not started again.
        if (!finished) blame("the machine went off before its runner had ended");
        resolve(reason);
      });
    });
  }

  stop() {
    this.#child?.kill("SIGKILL");
  }

  #words(initrd) {
    const { kernel, root, folder } = this;
    return [
      ...["-M", "pc", "-accel", accelerator, "-cpu", "max", "-smp", String(this.processors), "-m", "4096"],
      ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"],
      ...["-kernel", kernel.image, "-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1 no_timer_check"],
      ...share("root", "/", true),
      ...share("clone", root, true),
      ...share("run", folder, false),
      ...spareNics(),
    ];
  }
}
