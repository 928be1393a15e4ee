import { invalid } from "./error.js";

/** IFNAMSIZ is 16, the terminating zero included (linux/if.h). */
export const IFNAME_MAX = 15;

const utf8 = new TextEncoder();

const ascii = /^[\x20-\x7e]*$/;

/** Names that no rule below is about: nearly all there are. */
const plain = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,14}$/;

/** Length of a name as the kernel counts it: bytes of UTF-8. */
export function byteLength(name: string): number {
  return ascii.test(name) ? name.length : utf8.encode(name).length;
}

/**
 * A name that the kernel takes for an interface (dev_valid_name, net/core/dev.c), and that means what it says.
 * `what` is how the refusal calls it. Throws PipeworkError "invalid-request" naming the rule.
 */
export function parseIfname(text: string, what: string): string {
  if (plain.test(text) && text !== "all" && text !== "default") return text;
  const name = JSON.stringify(text);
  if (text === "") throw invalid(`the ${what} is empty`);
  if (text === "." || text === "..")
    throw invalid(`the ${what} cannot be ${name}: it would be a directory of its own in /proc and /sys`);
  if (text === "all" || text === "default") {
    throw invalid(
      `the ${what} cannot be ${name}: under /proc/sys/net that word stands for every interface, or for those to come`,
    );
  }
  if (text.includes("/")) throw invalid(`the ${what} ${name} has a slash, which the kernel refuses`);
  if (text.includes(":")) {
    const base = text.slice(0, text.indexOf(":"));
    throw invalid(
      `the ${what} ${name} has a colon: that is the label of a further address, not an interface`,
      base === "" ? undefined : `use the base device ${base}`,
    );
  }
  if (text.includes("%")) {
    throw invalid(
      `the ${what} ${name} has a percent sign: the kernel takes it for a template such as eth%d and chooses the name itself`,
    );
  }
  const bytes = utf8.encode(text);
  // The kernel's isspace() works on bytes and counts 0xa0, which is part of letters such as à, as white space.
  if (bytes.some((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0xa0)) {
    throw invalid(
      `the ${what} ${name} has white space (or a letter that the kernel takes for it), which the kernel refuses`,
    );
  }
  if (bytes.some((byte) => byte < 0x20 || byte === 0x7f)) throw invalid(`the ${what} ${name} has a control character`);
  if (bytes.length > IFNAME_MAX) {
    throw invalid(`the ${what} ${name} is ${bytes.length} bytes long, and the kernel takes at most ${IFNAME_MAX}`);
  }
  return text;
}
