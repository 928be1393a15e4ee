import { identityDigest } from "./identity.js";
import { byteLength, IFNAME_MAX } from "./ifname.js";

/** Digits of the digest in a name: with a prefix of three, the kernel's fifteen bytes. */
const DIGITS = 12;

/** The host end's name as the shell script makes it, v<ifname>pl<pid>; undefined when that exceeds the kernel's 15 bytes. */
export function hostIfname(ifname: string, pid: number): string | undefined {
  const name = `v${ifname}pl${pid}`;
  return byteLength(name) > IFNAME_MAX ? undefined : name;
}

/** How many names there are for the host end of one attachment. */
export const HOST_IFNAMES = 2;

/** The host end's name where the script's does not fit or there is no PID; `candidate` counts up when one is taken. */
export function hashedHostIfname(guestId: string, ifname: string, candidate = 0): string {
  const start = (candidate % HOST_IFNAMES) * DIGITS;
  return `vpw${identityDigest(guestId, ifname).slice(start, start + DIGITS)}`;
}

/** Names that the link of a VLAN may get on the host, best first: parent.id, as `ip` and the shell script have it. */
export function vlanIfnames(parent: string, id: number): string[] {
  const plain = `${parent}.${id}`;
  const hashed = `pwv${identityDigest(parent, String(id)).slice(0, DIGITS)}`;
  return byteLength(plain) > IFNAME_MAX ? [hashed] : [plain, hashed];
}

/** The name of the link by which a sweep finds out whether anything uses the link of that name. */
export function probeIfname(vlan: string): string {
  return `pwp${identityDigest(vlan, "probe").slice(0, DIGITS)}`;
}

/** The name of the host's own macvlan on a parent. */
export function shimIfname(parent: string): string {
  return `pwh${identityDigest("shim", parent).slice(0, DIGITS)}`;
}

/** Whether a name is one that shimIfname gives. */
export function isShimIfname(name: string): boolean {
  return /^pwh[0-9a-f]{12}$/.test(name);
}

/** The name a link is born with when the host has an interface of its final name. */
export function temporaryIfname(guestId: string, ifname: string): string {
  return `pwt${identityDigest(guestId, ifname).slice(0, DIGITS)}`;
}

/** The name an old link is given while its replacement is made. */
export function asideIfname(guestId: string, ifname: string): string {
  return `pwa${identityDigest(guestId, ifname).slice(0, DIGITS)}`;
}
