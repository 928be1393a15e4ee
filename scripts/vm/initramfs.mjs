import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Cpio } from "./cpio.mjs";

/** What the machine needs before it sees the files of the host. */
const BOOT_MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * The first root of a machine with this kernel: busybox, the modules to get at the files of the host, and init.sh with what
 * it is told.
 */
export function initramfs(kernel, told) {
  const modules = [...new Set(BOOT_MODULES.flatMap((name) => kernel.filesOf(name)))];
  const archive = new Cpio()
    .directory("dev")
    .device("dev/console", 5, 1)
    .directory("bin")
    .file("bin/busybox", readFileSync("/bin/busybox"), 0o755)
    .file("init", readFileSync(join(import.meta.dirname, "init.sh")), 0o755)
    .file(
      "told",
      Object.entries(told)
        .map(([name, value]) => `${name}=${quoted(value)}\n`)
        .join(""),
    )
    .directory("modules")
    .file("modules/order", modules.map((path) => `${basename(path)}\n`).join(""));
  for (const path of modules) archive.file(`modules/${basename(path)}`, readFileSync(path));
  return archive.bytes();
}
