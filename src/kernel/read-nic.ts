import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { address, ifaFlags, ifaProt } from "../netlink/address.js";
import { AF_INET6, type Family } from "../netlink/family.js";
import { decodeMessage, splitMessages } from "../netlink/message.js";
import { route, rtnType, rtProt, rtTable } from "../netlink/route.js";
import { dumpAddresses } from "../plan/address-message.js";
import { families } from "../plan/configure.js";
import { dumpLinks, getLinkByIndex } from "../plan/link-message.js";
import { findAtHome, findNic, freeName, type NicMemory, namesOf, type PhysMemory } from "../plan/nic.js";
import type { NicReturn } from "../plan/nic-home.js";
import { dumpRoutesOf } from "../plan/route-message.js";
import type { LinkView } from "../plan/view.js";
import { nicSysctls } from "./nic-sysctl.js";
import { hex, linkFrom, linksFrom, replies } from "./observe.js";
import type { Answer, Transaction } from "./transaction.js";

/** What a NIC of the host has: what will be remembered of it, and what cannot be. */
export interface NicState {
  readonly memory: NicMemory;
  /** In words: what is not given back. */
  readonly lost: readonly string[];
  /** Families whose default route, in the main table, goes through it. */
  readonly defaults: readonly Family[];
}

/** Addresses that are to be given back: not those that the kernel makes by itself, or for a while. */
function addressesOf(answer: Answer | undefined, index: number): string[] {
  const bytes = replies(answer, "the addresses of a host interface");
  if (bytes === undefined) return [];
  const kept: string[] = [];
  for (const reader of splitMessages(bytes)) {
    if (reader.u16(4) !== address.types.RTM_NEWADDR) continue;
    const { header, attributes } = decodeMessage(address, reader);
    if (header.index !== index) continue;
    const flags = attributes.flags ?? header.flags;
    const temporary = header.family === AF_INET6 && (flags & ifaFlags.IFA_F_SECONDARY) !== 0;
    if (temporary || attributes.proto === ifaProt.IFAPROT_KERNEL_LL) continue;
    kept.push(hex(reader.bytes));
  }
  return kept;
}

interface Routes {
  readonly kept: readonly string[];
  readonly lost: readonly string[];
  readonly isDefault: boolean;
}

/** Routes through a link, less those that come by themselves: with an address, or from a router. */
function routesOf(answer: Answer | undefined, index: number): Routes {
  const bytes = replies(answer, "the routes of a host interface", ["EAFNOSUPPORT", "EOPNOTSUPP", "ENOENT"]);
  const kept: string[] = [];
  const lost: string[] = [];
  let isDefault = false;
  for (const reader of bytes === undefined ? [] : splitMessages(bytes)) {
    if (reader.u16(4) !== route.types.RTM_NEWROUTE) continue;
    const { header, attributes: a } = decodeMessage(route, reader);
    const several = a.multipath !== undefined || a.nhId !== undefined;
    // Kernels without strict checking ignore the filter. Of a route of several hops the kernel's own choice must do.
    if (a.oif !== index && !several) continue;
    const table = a.table ?? header.table;
    if (header.dstLen === 0 && table === rtTable.RT_TABLE_MAIN && header.type === rtnType.RTN_UNICAST) isDefault = true;
    if (header.protocol === rtProt.RTPROT_KERNEL || header.protocol === rtProt.RTPROT_RA) continue;
    const to = header.dstLen === 0 ? "the default route" : `the route to ${a.dst}/${header.dstLen}`;
    if (several) lost.push(`${to} of several next hops`);
    else kept.push(hex(reader.bytes));
  }
  return { kept, lost, isDefault };
}

/** Queueing disciplines that a link gets by itself (net/sched/sch_generic.c, net.core.default_qdisc). */
const ownQdiscs = ["noop", "noqueue", "pfifo_fast", "mq", "fq_codel", "fq", "sfq"];

async function sysctlsOf(transaction: Transaction, name: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const values = await Promise.all(
    nicSysctls.map(async ([family, key]) => [
      `${family}/${key}`,
      await transaction.sysctl("host", `${family}/conf/${name}/${key}`),
      await transaction.sysctl("host", `${family}/conf/default/${key}`),
    ]),
  );
  for (const [key, own, common] of values) if (own !== undefined && own !== common) found[key as string] = own;
  return found;
}

/** Reads all that a NIC of the host has. */
export async function nicState(transaction: Transaction, link: LinkView): Promise<NicState> {
  const { index, name } = link;
  const [addresses, inet, inet6] = await transaction.ask([
    { netns: "host", message: dumpAddresses(index) },
    ...families.map((family) => ({ netns: "host", message: dumpRoutesOf(family, index) }) as const),
  ]);
  const routes = [routesOf(inet, index), routesOf(inet6, index)];
  const ownQdisc = link.qdisc === undefined || ownQdiscs.includes(link.qdisc);
  return {
    memory: {
      name,
      index,
      ...(link.kind === undefined ? {} : { kind: link.kind }),
      type: link.type,
      ...(link.permAddress === undefined ? {} : { permAddress: link.permAddress }),
      ...(link.parentBus === undefined ? {} : { parentBus: link.parentBus }),
      ...(link.parentDev === undefined ? {} : { parentDev: link.parentDev }),
      ...(link.vlanId === undefined || link.link === undefined ? {} : { link: link.link, vlanId: link.vlanId }),
      ...(link.address === undefined ? {} : { address: link.address }),
      mtu: link.mtu,
      ...(link.txqlen === undefined ? {} : { txqlen: link.txqlen }),
      flags: link.flags,
      group: link.group,
      ...(link.alias === undefined ? {} : { alias: link.alias }),
      altNames: link.altNames ?? [],
      addresses: addressesOf(addresses, index),
      routes: routes.flatMap(({ kept }) => kept),
      sysctls: await sysctlsOf(transaction, name),
      readAt: Math.floor(Date.now() / 1000),
    },
    lost: [...routes.flatMap(({ lost }) => lost), ...(ownQdisc ? [] : [`its queueing discipline ${link.qdisc}`])],
    defaults: families.filter((_, i) => routes[i]?.isDefault === true),
  };
}

/** Whether the device behind a NIC is gone: /sys/bus shows the same devices in every network namespace. */
function unplugged({ parentBus, parentDev }: NicMemory): boolean {
  if (parentBus === undefined || parentDev === undefined) return false;
  const devices = `/sys/bus/${parentBus}/devices`;
  return existsSync(devices) && !existsSync(`${devices}/${parentDev}`);
}

/** A process that is still in a namespace, in words. What merely holds a descriptor of it is not looked for. */
function holderOf(netns: number): string | undefined {
  for (const pid of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(pid)) continue;
    try {
      if (statSync(`/proc/${pid}/ns/net`).ino !== netns) continue;
      return `process ${pid} (${readFileSync(`/proc/${pid}/comm`, "utf8").trim()})`;
    } catch {
      // It has just ended.
    }
  }
  return undefined;
}

/** Links of the guest that are on one of its links. A veth points at its peer, which is on nothing. */
function childrenOf(link: LinkView, links: readonly LinkView[]): LinkView[] {
  return links.filter(
    (one) =>
      one.link === link.index && one.linkNetnsid === undefined && one.index !== link.index && one.kind !== "veth",
  );
}

/** Where a NIC is that a record tells of. `netns`: inode of the guest's namespace, where there is one. */
export async function whereIsNic(
  transaction: Transaction,
  memory: PhysMemory,
  netns: number | undefined,
): Promise<NicReturn> {
  const { nic } = memory;
  const [answer, taken] = await transaction.ask([
    { netns: "host", message: dumpLinks() },
    { netns: "host", message: getLinkByIndex(nic.index) },
  ]);
  const hostLinks = linksFrom(answer, "the host's interfaces");
  let inGuest: NicReturn["guest"];
  if (netns === memory.netns) {
    const [inside] = await transaction.ask([{ netns: "guest", message: dumpLinks() }]);
    const links = linksFrom(inside, "the guest's interfaces");
    const link = findNic(nic, links);
    if (link !== undefined) inGuest = { link, children: childrenOf(link, links) };
  }
  const link = inGuest === undefined ? findAtHome(nic, hostLinks) : undefined;
  const heldBy = inGuest === undefined && link === undefined ? holderOf(memory.netns) : undefined;
  const names = namesOf(hostLinks.filter((one) => one.index !== link?.index));
  return {
    memory,
    ...(inGuest === undefined ? {} : { guest: inGuest }),
    ...(link === undefined ? {} : { host: { link, state: (await nicState(transaction, link)).memory } }),
    name: freeName(nic.name, names),
    indexTaken: linkFrom(taken, "an interface of the host") !== undefined,
    unplugged: unplugged(nic),
    elapsed: Math.max(0, Math.floor(Date.now() / 1000) - nic.readAt),
    ...(heldBy === undefined ? {} : { heldBy }),
  };
}
