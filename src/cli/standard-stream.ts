import { writeSync } from "node:fs";

const EAGAIN_PAUSE_MS = 2;

/**
 * Writes the whole text to a descriptor at once, so that the process may end right after it. process.stdout would do as
 * well, and costs two milliseconds of start-up. A reader that went away (EPIPE) has seen what it wanted.
 */
export function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The pipe is full and its other end has made it non-blocking: that flag is shared by all who hold it.
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, EAGAIN_PAUSE_MS);
      else if (code === "EPIPE") return;
      else throw error;
    }
  }
}
