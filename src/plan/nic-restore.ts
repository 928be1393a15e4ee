import { address, ifaFlags } from "../netlink/address.js";
import { ifFlags } from "../netlink/link.js";
import { decodeMessage } from "../netlink/message.js";
import type { Slot } from "../netlink/wire.js";
import type { AddressMessage } from "./address-message.js";
import { fromHex, sentRoute } from "./displaced.js";
import { linkProperties, setLink } from "./link-message.js";
import { type NicMemory, settableFlags } from "./nic.js";
import type { RouteMessage } from "./route-message.js";
import type { Operation } from "./step.js";

/** One thing that a NIC gets back once it is on the host again. */
export interface Restoring {
  readonly id: string;
  readonly label: string;
  readonly op: Operation;
}

/** Flags of an address that a request may set; the others are the kernel's own. */
const settableAddressFlags =
  ifaFlags.IFA_F_NODAD |
  ifaFlags.IFA_F_HOMEADDRESS |
  ifaFlags.IFA_F_MANAGETEMPADDR |
  ifaFlags.IFA_F_NOPREFIXROUTE |
  ifaFlags.IFA_F_MCAUTOJOIN;

/** INFINITY_LIFE_TIME, linux/if_addr.h. */
const FOREVER = 0xffffffff;

type Index = number | Slot;

/** The message that gives an address back, or undefined when its time has run out since. `elapsed` is in seconds. */
function addressBack(raw: string, nic: NicMemory, index: Index, elapsed: number): AddressMessage | undefined {
  const { header, attributes } = decodeMessage(address, fromHex(raw));
  const { address: own, local, label, broadcast, cacheinfo, flags, rtPriority, proto } = attributes;
  const left = (time: number | undefined) =>
    time === undefined || time === FOREVER ? FOREVER : Math.max(0, time - elapsed);
  const [prefered, valid] = [left(cacheinfo?.ifaPrefered), left(cacheinfo?.ifaValid)];
  if (valid === 0) return undefined;
  return {
    noun: "address",
    type: "RTM_NEWADDR",
    flags: ["NLM_F_CREATE", "NLM_F_EXCL"],
    header: { family: header.family, prefixlen: header.prefixlen, scope: header.scope, index },
    attributes: {
      ...(own === undefined ? {} : { address: own }),
      ...(local === undefined ? {} : { local }),
      // One that is just the interface's name is the kernel's own choice, and the name may be another one now.
      ...(label === undefined || label === nic.name ? {} : { label }),
      ...(broadcast === undefined ? {} : { broadcast }),
      ...(prefered === FOREVER && valid === FOREVER ? {} : { cacheinfo: { ifaPrefered: prefered, ifaValid: valid } }),
      flags: (flags ?? header.flags) & settableAddressFlags,
      ...(rtPriority === undefined ? {} : { rtPriority }),
      ...(proto === undefined ? {} : { proto }),
    },
  };
}

function routeBack(raw: string, index: Index): RouteMessage {
  const { header, attributes } = sentRoute(raw);
  return {
    noun: "route",
    type: "RTM_NEWROUTE",
    // Behind whatever has come to its place meanwhile.
    flags: ["NLM_F_CREATE", "NLM_F_APPEND"],
    header,
    attributes: { ...attributes, oif: index },
  };
}

function addressText({ header, attributes }: AddressMessage): string {
  return `address ${String(attributes.local ?? attributes.address)}/${String(header.prefixlen)}`;
}

function routeText({ header, attributes: { dst, gateway } }: RouteMessage): string {
  const to = dst === undefined ? "default route" : `route ${dst}/${String(header.dstLen)}`;
  return gateway === undefined ? to : `${to} via ${gateway}`;
}

/** The same thing gives the same text, whatever counters and lifetimes the kernel reports along with it. */
function addressKey(raw: string): string {
  const { header, attributes } = decodeMessage(address, fromHex(raw));
  return `${attributes.local ?? ""} ${attributes.address ?? ""}/${header.prefixlen}`;
}

function routeKey(raw: string): string {
  const { header, attributes } = sentRoute(raw);
  return JSON.stringify([header, { ...attributes, oif: 0 }]);
}

/** What is in `all` and not in `there`. */
function missing(all: readonly string[], there: readonly string[], key: (raw: string) => string): string[] {
  const keys = new Set(there.map(key));
  return all.filter((raw) => !keys.has(key(raw)));
}

/**
 * What a NIC will have once its memory is restored over what it has now. Addresses and routes that came to it on the host
 * meanwhile stay; alternative names do not, as a guest may have given it those.
 */
export function restored(nic: NicMemory, now: NicMemory): NicMemory {
  return {
    ...nic,
    index: now.index,
    flags: nic.flags | (now.flags & ifFlags.IFF_UP),
    addresses: [...nic.addresses, ...missing(now.addresses, nic.addresses, addressKey)],
    routes: [...nic.routes, ...missing(now.routes, nic.routes, routeKey)],
    sysctls: { ...now.sysctls, ...nic.sysctls },
  };
}

/**
 * Everything that gives a NIC on the host back what it had, as far as it has not got it: `now`. The order is the one in
 * which the kernel takes it: a MAC before the link is up, IPv6 on before its addresses, those before routes.
 */
export function restoring(
  nic: NicMemory,
  index: Index,
  name: string,
  now: Omit<NicMemory, "readAt">,
  elapsed: number,
): Restoring[] {
  const all: Restoring[] = [];
  const link = (id: string, label: string, ...[attributes, up]: [Parameters<typeof setLink>[1], boolean?]) =>
    all.push({ id, label: `${name}: ${label}`, op: { op: "netlink", message: setLink(index, attributes, up) } });
  const isUp = (now.flags & ifFlags.IFF_UP) !== 0;
  // One of them may be its own name, which it could not be given then (EEXIST).
  for (const altName of now.altNames.filter((one) => !nic.altNames.includes(one)))
    all.push({
      id: `no-altname.${altName}`,
      label: `${now.name}: alternative name ${altName} taken away`,
      op: { op: "netlink", message: linkProperties("RTM_DELLINKPROP", index, [altName]) },
    });
  if (now.name !== name) {
    // A link that is up keeps its name on 6.1 (EBUSY).
    if (isUp) link("down", "down for its name", {}, false);
    link("name", `its name again, instead of ${now.name}`, { ifname: name });
  }
  if (nic.mtu !== now.mtu) link("mtu", `MTU ${nic.mtu} again`, { mtu: nic.mtu });
  if (nic.address !== undefined && nic.address !== now.address)
    link("mac", `MAC ${nic.address} again`, { address: nic.address });
  if (nic.txqlen !== undefined && nic.txqlen !== now.txqlen)
    link("txqlen", `queue of ${nic.txqlen} packets again`, { txqlen: nic.txqlen });
  if (nic.group !== now.group) link("group", `link group ${nic.group} again`, { group: nic.group });
  if ((nic.alias ?? "") !== (now.alias ?? "")) link("alias", "its alias again", { ifalias: nic.alias ?? "" });
  for (const [key, value] of Object.entries(nic.sysctls)) {
    if (now.sysctls[key] === value) continue;
    const [family, setting] = key.split("/") as [string, string];
    all.push({
      id: `sysctl.${key}`,
      label: `${name}: ${key} ${value} again`,
      op: { op: "sysctl", key: `${family}/conf/${name}/${setting}`, value },
    });
  }
  // Down for its name, it lost what it had meanwhile.
  const had = now.name !== name && isUp ? { addresses: [], routes: [] } : now;
  for (const [i, raw] of missing(nic.addresses, had.addresses, addressKey).entries()) {
    const message = addressBack(raw, nic, index, elapsed);
    if (message === undefined) continue;
    const label = `${name}: ${addressText(message)} again`;
    all.push({ id: `address.${i}`, label, op: { op: "netlink", message, tolerate: ["EEXIST"] } });
  }
  for (const altName of nic.altNames.filter((one) => !now.altNames.includes(one)))
    all.push({
      id: `altname.${altName}`,
      label: `${name}: alternative name ${altName} again`,
      op: { op: "netlink", message: linkProperties("RTM_NEWLINKPROP", index, [altName]) },
    });
  all.push(...flagsBack(nic, index, name, now, now.name !== name && isUp));
  // On-link routes first: what makes a next hop reachable comes before it.
  const routes = missing(nic.routes, had.routes, routeKey).map((raw) => routeBack(raw, index));
  for (const [i, message] of routes
    .sort((a, b) => Number(a.attributes.gateway !== undefined) - Number(b.attributes.gateway !== undefined))
    .entries()) {
    const label = `${name}: ${routeText(message)} again`;
    all.push({ id: `route.${i}`, label, op: { op: "netlink", message, tolerate: ["EEXIST"] } });
  }
  return all;
}

/** Flags as they were; a link that somebody has brought up meanwhile stays up. */
function flagsBack(
  nic: NicMemory,
  index: Index,
  name: string,
  now: Pick<NicMemory, "flags">,
  wentDown: boolean,
): Restoring[] {
  const is = wentDown ? now.flags & ~ifFlags.IFF_UP : now.flags;
  const wanted = (nic.flags | (now.flags & ifFlags.IFF_UP)) & settableFlags;
  const change = (is ^ wanted) & settableFlags;
  if (change === 0) return [];
  const up = (change & ifFlags.IFF_UP) !== 0;
  const message = {
    noun: "link",
    type: "RTM_SETLINK",
    header: { index, flags: wanted, change },
    attributes: {},
  } as const;
  return [{ id: "flags", label: `${name}: ${up ? "up" : "flags"} again`, op: { op: "netlink", message } }];
}
