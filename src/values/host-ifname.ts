import { byteLength, IFNAME_MAX } from "./ifname.js";
import { md5 } from "./md5.js";

/** Fifteen bytes that follow from the guest and its interface: three that say what it is, and twelve hex digits. */
function hashedIfname(prefix: string, words: readonly (string | number)[]): string {
  return prefix + md5(words.join("\0")).slice(0, 12);
}

/** The host end's name as the shell script makes it, v<ifname>pl<pid>; undefined when that exceeds the kernel's 15 bytes. */
export function hostIfname(ifname: string, pid: number): string | undefined {
  const name = `v${ifname}pl${pid}`;
  return byteLength(name) > IFNAME_MAX ? undefined : name;
}

/** The host end's name where the script's does not fit or there is no PID; `candidate` counts up when one is taken. */
export function hashedHostIfname(guestId: string, ifname: string, candidate = 0): string {
  return hashedIfname("vpw", candidate === 0 ? [guestId, ifname] : [guestId, ifname, candidate]);
}

/** The name a link is born with when the host has an interface of its final name. */
export function temporaryIfname(guestId: string, ifname: string): string {
  return hashedIfname("pwt", [guestId, ifname]);
}

/** The name an old link is given while its replacement is made. */
export function asideIfname(guestId: string, ifname: string): string {
  return hashedIfname("pwa", [guestId, ifname]);
}
