/**
 * An archive in the "newc" format that the kernel unpacks as its first root (Documentation/driver-api/early-userspace/
 * buffer-format.rst): a header of hexadecimal words, the name, the content, each padded to four bytes.
 */
export class Cpio {
  #parts = [];
  #inodes = 0;

  directory(name) {
    return this.#entry(name, 0o040755, Buffer.alloc(0));
  }

  file(name, content, mode = 0o644) {
    return this.#entry(name, 0o100000 | mode, Buffer.from(content));
  }

  /** A character device, as /dev/console must be there before devtmpfs is. */
  device(name, major, minor) {
    return this.#entry(name, 0o020600, Buffer.alloc(0), [major, minor]);
  }

  bytes() {
    const parts = this.#parts.slice();
    this.#entry("TRAILER!!!", 0, Buffer.alloc(0));
    const archive = Buffer.concat(this.#parts);
    this.#parts = parts;
    return archive;
  }

  #entry(name, mode, content, [major, minor] = [0, 0]) {
    const bare = Buffer.from(`${name}\0`);
    const words = [++this.#inodes, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, bare.length, 0];
    const header = `070701${words.map((word) => word.toString(16).padStart(8, "0")).join("")}`;
    this.#parts.push(padded(Buffer.concat([Buffer.from(header), bare])), padded(content));
    return this;
  }
}

function padded(bytes) {
  return bytes.length % 4 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - (bytes.length % 4))]);
}
