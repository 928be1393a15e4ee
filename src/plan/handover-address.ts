import { ifaFlags } from "../netlink/address.js";
import { AF_INET6 } from "../netlink/family.js";
import type { NlmFlag } from "../netlink/message.js";
import { rtScope } from "../netlink/route.js";
import { byteLength, IFNAME_MAX } from "../values/ifname.js";
import { contains, parseNetwork } from "../values/prefix.js";
import type { AddressMessage } from "./address-message.js";
import type { KernelAddress, LinkEnd } from "./uplink-view.js";

/** ifa_valid and ifa_prefered of an address that stays (INFINITY_LIFE_TIME, net/addrconf.h). */
const FOR_EVER = 0xffffffff;

/** Flags that may be set from outside; the others are what the kernel says of the address (inet6_rtm_newaddr, net/ipv6/addrconf.c). */
const SETTABLE =
  ifaFlags.IFA_F_NODAD |
  ifaFlags.IFA_F_HOMEADDRESS |
  ifaFlags.IFA_F_MANAGETEMPADDR |
  ifaFlags.IFA_F_NOPREFIXROUTE |
  ifaFlags.IFA_F_MCAUTOJOIN;

export function flagsOf({ header, attributes }: KernelAddress): number {
  return attributes.flags ?? header.flags;
}

export function isInet6({ header }: { readonly header: { readonly family: number } }): boolean {
  return header.family === AF_INET6;
}

/** IPv6's own address of every link: it is made of the MAC, has the link as its scope, and is handed to nobody. */
export function isLinkLocal({ header }: KernelAddress): boolean {
  return header.family === AF_INET6 && header.scope === rtScope.RT_SCOPE_LINK;
}

/** The address itself: IFA_ADDRESS is that of the far end on a point-to-point link. */
export function ownAddress({ attributes }: KernelAddress): string {
  return attributes.local ?? attributes.address ?? "";
}

/** Whether an address lies in the subnet of this one. */
export function isNear(address: KernelAddress, other: string): boolean {
  return contains(parseNetwork(`${ownAddress(address)}/${address.header.prefixlen}`), other);
}

/** What makes an address the same on another link. */
export function addressKey(address: KernelAddress): string {
  const { attributes, header } = address;
  const own = ownAddress(address);
  const peer = attributes.address === undefined || attributes.address === own ? "" : ` peer ${attributes.address}`;
  return `${own}${peer}/${header.prefixlen}`;
}

/** Seconds it is still valid; undefined: for ever. A DHCP client, or router advertisements, look after such a one. */
export function lifetimeOf({ attributes }: KernelAddress): number | undefined {
  const valid = attributes.cacheinfo?.ifaValid ?? FOR_EVER;
  return valid === FOR_EVER ? undefined : valid;
}

/**
 * The order in which adding them again gives the order there is, which decides what is primary and what is chosen as
 * source: IPv4 appends, IPv6 puts new ones in front of those of the same scope.
 */
export function inAddingOrder(addresses: readonly KernelAddress[]): KernelAddress[] {
  return [...addresses.filter((one) => !isInet6(one)), ...addresses.filter(isInet6).reverse()];
}

/** The label, eth0:1, begins with the name of the link. */
function labelOn(label: string, from: string, to: string): string {
  if (label !== from && !label.startsWith(`${from}:`)) return label;
  const moved = to + label.slice(from.length);
  return byteLength(moved) > IFNAME_MAX ? to : moved;
}

function message(
  address: KernelAddress,
  from: string,
  to: LinkEnd,
  extraFlags: number,
  how: readonly NlmFlag[],
): AddressMessage {
  const { header, attributes } = address;
  const { targetNetnsid: _, label, cacheinfo, flags: __, ...rest } = attributes;
  const flags = (flagsOf(address) & SETTABLE) | extraFlags;
  const { ifaPrefered = FOR_EVER, ifaValid = FOR_EVER } = cacheinfo ?? {};
  const limited = ifaPrefered !== FOR_EVER || ifaValid !== FOR_EVER;
  return {
    noun: "address",
    type: "RTM_NEWADDR",
    flags: how,
    header: { family: header.family, prefixlen: header.prefixlen, scope: header.scope, index: to.index },
    attributes: {
      ...rest,
      ...(label === undefined ? {} : { label: labelOn(label, from, to.name) }),
      ...(limited ? { cacheinfo: { ifaPrefered, ifaValid } } : {}),
      ...(flags === 0 ? {} : { flags }),
    },
  };
}

/**
 * The same address on another link. IPv6 without duplicate detection: that takes a second, in which the address could
 * not be used, and it has been done; an address that was not through with it does it again.
 */
export function addressOn(address: KernelAddress, from: string, to: LinkEnd): AddressMessage {
  const settled = isInet6(address) && (flagsOf(address) & ifaFlags.IFA_F_TENTATIVE) === 0;
  return message(address, from, to, settled ? ifaFlags.IFA_F_NODAD : 0, ["NLM_F_CREATE", "NLM_F_EXCL"]);
}

/** Gives an address that addressOn made the flags it had, or, with `extra`, the ones that addressOn gave it. */
export function addressFlagsOn(address: KernelAddress, from: string, to: LinkEnd, extra = 0): AddressMessage {
  return message(address, from, to, extra, ["NLM_F_REPLACE"]);
}

/** Duplicates were looked for when the address was made, and addressOn says that they need not be. */
export function losesDad(address: KernelAddress): boolean {
  return isInet6(address) && (flagsOf(address) & (ifaFlags.IFA_F_NODAD | ifaFlags.IFA_F_TENTATIVE)) === 0;
}

/** By everything that tells it from others of the link: IPv4 may have one address with several prefix lengths. */
export function addressOff({ header, attributes }: KernelAddress, end: LinkEnd): AddressMessage {
  const { local, address } = attributes;
  return {
    noun: "address",
    type: "RTM_DELADDR",
    header: { family: header.family, prefixlen: header.prefixlen, index: end.index },
    attributes: { ...(address === undefined ? {} : { address }), ...(local === undefined ? {} : { local }) },
  };
}
