import type { Family } from "../netlink/family.js";
import { NLMSG_HDRLEN } from "../netlink/message.js";
import { rtmsg } from "../netlink/route.js";
import { dumpAddresses } from "../plan/address-message.js";
import { families } from "../plan/configure.js";
import type { PlanContext } from "../plan/context.js";
import { describes, isRecorded } from "../plan/kinds.js";
import { dumpLinks, getLinkByIndex, getLinkByName } from "../plan/link-message.js";
import { type DisplacedRoute, type Memory, type MemoryHolder, parseAlias, recordName } from "../plan/memory.js";
import { isPhys } from "../plan/nic.js";
import { dumpRoutes } from "../plan/route-message.js";
import type { GuestView, HeldLink, LinkView, RouteView } from "../plan/view.js";
import { asideIfname, temporaryIfname } from "../values/host-ifname.js";
import { addressesFrom, linkFrom, linksFrom, routesFrom } from "./observe.js";
import { whereIsNic } from "./read-nic.js";
import { hasRecord, memoryBehind, readRecords, recordOf } from "./record.js";
import type { Answer, Ask, Transaction } from "./transaction.js";

type Where = Pick<PlanContext, "guestId" | "netns" | "recordDir">;

/** The host end of a guest's veth: the two must point at each other, or an index names a stranger in another namespace. */
export async function peerOf(transaction: Transaction, link: LinkView): Promise<LinkView | undefined> {
  if (link.kind !== "veth" || link.link === undefined || link.linkNetnsid === undefined) return undefined;
  const [answer] = await transaction.ask([{ netns: "host", message: getLinkByIndex(link.link) }]);
  const peer = linkFrom(answer, "the host end");
  return peer?.kind === "veth" && peer.link === link.index && peer.linkNetnsid !== undefined ? peer : undefined;
}

/** What is remembered of a link, and where. A record counts only for the namespace it was written for. */
export function memoryOf(where: Where, link: LinkView, peer: LinkView | undefined): MemoryHolder | undefined {
  const fits = (one: Memory) => one.netns === where.netns && describes(one, link);
  const memory = recordOf(where.recordDir, where.guestId, link.name);
  // A veth that is a NIC of somebody's has a peer as well, which says nothing of us.
  if (peer !== undefined && !(isPhys(memory) && fits(memory))) {
    const remembered = memoryBehind(peer.alias, where.recordDir) ?? lost(where, link, peer);
    return remembered === undefined ? undefined : { memory: remembered, hostEnd: peer };
  }
  if (memory !== undefined && fits(memory)) return { memory };
  // The same namespace may have been named otherwise then: netns:NAME, pid:N. Only kinds that are recorded at all.
  const other = isRecorded(link) ? readRecords(where.recordDir).find(fits) : undefined;
  return other === undefined ? undefined : { memory: other };
}

/** The record that an alias names is gone: the link is ours all the same, and what it displaced is beyond recall. */
function lost(where: Where, link: LinkView, peer: LinkView): Memory | undefined {
  const parsed = parseAlias(peer.alias);
  if (parsed === undefined || !("record" in parsed) || parsed.record !== recordName(where.guestId, link.name)) {
    return undefined;
  }
  return { guest: where.guestId, ifname: link.name, netns: where.netns, displaced: [] };
}

/** Longest chain of displaced default routes that is followed. */
const CHAIN_MAX = 64;

/**
 * Finds the attachment that displaced the default route of a link, from the current default downwards. Where the link
 * has lost its default by itself (it was down for a moment), the one of ours that has the place now, and displaced
 * nothing when it took it, stands in for it.
 */
async function displacerOf(
  transaction: Transaction,
  where: Where,
  link: LinkView,
  family: Family,
  routes: readonly RouteView[],
): Promise<MemoryHolder | undefined> {
  const todo = routes
    .filter((r) => r.family === family && r.dstLen === 0 && r.oif !== undefined && r.oif !== link.index)
    .map((r) => r.oif as number);
  const current = new Set(todo);
  const holdsItself = routes.some((r) => r.family === family && r.dstLen === 0 && r.oif === link.index);
  let standIn: MemoryHolder | undefined;
  const seen = new Set<number>();
  while (todo.length > 0 && seen.size < CHAIN_MAX) {
    const index = todo.shift() as number;
    if (seen.has(index)) continue;
    seen.add(index);
    const [answer] = await transaction.ask([{ netns: "guest", message: getLinkByIndex(index) }]);
    const other = linkFrom(answer, "a link of the guest");
    if (other === undefined) continue;
    const holder = memoryOf(where, other, await peerOf(transaction, other));
    if (holder === undefined || holder.memory.netns !== where.netns) continue;
    const below = holder.memory.displaced.find((route) => route.family === family)?.ifindex;
    if (below === link.index) return holder;
    if (below === undefined && !holdsItself && current.has(index)) standIn ??= holder;
    // 0 stands for a route of several hops, or of none.
    if (below !== undefined && below > 0) todo.push(below);
  }
  return standIn;
}

/** Names of the links that default routes point at: those there now and those remembered. Absent = gone. */
async function namesOf(
  transaction: Transaction,
  routes: readonly RouteView[],
  displaced: readonly DisplacedRoute[],
): Promise<Map<number, string>> {
  const indexes = new Set<number>();
  for (const { dstLen, oif } of routes) if (dstLen === 0 && oif !== undefined) indexes.add(oif);
  for (const { ifindex } of displaced) if (ifindex > 0) indexes.add(ifindex);
  const wanted = [...indexes];
  const answers = await transaction.ask(wanted.map((index) => ({ netns: "guest", message: getLinkByIndex(index) })));
  const names = new Map<number, string>();
  for (const [i, answer] of answers.entries()) {
    const found = linkFrom(answer, "a link of the guest");
    if (found !== undefined) names.set(wanted[i] as number, found.name);
  }
  return names;
}

/** Under which names the guest's link is looked for: its own, and those that killed runs leave it with. */
function namesIn(where: Pick<Where, "guestId">, ifname: string): string[] {
  return [ifname, asideIfname(where.guestId, ifname), temporaryIfname(where.guestId, ifname)];
}

/** Where rtm_dst_len lies in a route message. */
const RTM_DST_LEN = NLMSG_HDRLEN + rtmsg.fields.dstLen[0];

/**
 * The main table's routes of the prefix lengths that matter: the default's, and those of the routes that a request
 * states. A guest may have a million others, and they are read with the lock held.
 */
function routesAsk(family: Family, lengths: readonly number[]): Ask {
  const keep = { offset: RTM_DST_LEN, value: Uint8Array.from([0, ...lengths]) };
  return { netns: "guest", message: dumpRoutes(family), keep };
}

/** The reads of the guest that go with the begin of a transaction. */
export function guestAsks(
  where: Pick<Where, "guestId">,
  ifname: string,
  wanted: readonly Family[],
  lengths: readonly number[] = [],
): Ask[] {
  return [
    ...namesIn(where, ifname).map((name): Ask => ({ netns: "guest", message: getLinkByName(name) })),
    ...wanted.map((family) => routesAsk(family, lengths)),
  ];
}

/** What is remembered of a link, and who displaced it. */
async function held(
  transaction: Transaction,
  where: Where,
  link: LinkView,
  routes: readonly RouteView[],
): Promise<HeldLink> {
  const peer = await peerOf(transaction, link);
  const holder = memoryOf(where, link, peer);
  const displacers: { inet?: MemoryHolder; inet6?: MemoryHolder } = {};
  if (holder !== undefined) {
    for (const family of families) {
      const displacer = await displacerOf(transaction, where, link, family, routes);
      const pointsHere = displacer?.memory.displaced.some((r) => r.family === family && r.ifindex === link.index);
      // One that merely stands in has nothing to inherit where there is nothing to hand on.
      const handsOn = holder.memory.displaced.some((route) => route.family === family);
      if (displacer !== undefined && (pointsHere === true || handsOn)) displacers[family] = displacer;
    }
  }
  return {
    link,
    ...(peer === undefined || isPhys(holder?.memory) ? {} : { peer }),
    ...(holder === undefined ? {} : { memory: holder.memory }),
    displacers,
  };
}

/**
 * The host end of an attachment whose link the guest has not under its name any more: the alias on the host decides, and
 * not what a container did to its end. Where that is still in the guest under another name, it is the link all the same.
 */
export async function findStray(
  transaction: Transaction,
  where: Where,
  ifname: string,
  view: GuestView,
): Promise<GuestView> {
  if (view.link !== undefined) return view;
  const [answer] = await transaction.ask([{ netns: "host", message: dumpLinks() }]);
  for (const hostEnd of linksFrom(answer, "the host's links")) {
    const memory = hostEnd.kind === "veth" ? memoryBehind(hostEnd.alias, where.recordDir) : undefined;
    if (memory === undefined || memory.netns !== where.netns || memory.ifname !== ifname) continue;
    if (hostEnd.index === view.aside?.peer?.index) continue;
    const [there] =
      hostEnd.link === undefined
        ? []
        : await transaction.ask([{ netns: "guest", message: getLinkByIndex(hostEnd.link) }]);
    const end = linkFrom(there, "a link of the guest");
    const names = new Map([...view.names, ...(await namesOf(transaction, [], memory.displaced))]);
    if (end?.kind === "veth" && end.link === hostEnd.index) {
      return { ...view, ...(await held(transaction, where, end, view.routes)), names };
    }
    const displacers: { inet?: MemoryHolder; inet6?: MemoryHolder } = {};
    for (const { family } of memory.displaced) {
      const holder = await displacerOf(
        transaction,
        where,
        { ...hostEnd, index: hostEnd.link ?? 0 },
        family,
        view.routes,
      );
      if (holder !== undefined) displacers[family] = holder;
    }
    return { ...view, names, stray: { hostEnd, memory, displacers } };
  }
  return view;
}

/** Completes the view of the guest from the first answers; asks again only where a link of ours may be there already. */
export async function readGuest(
  transaction: Transaction,
  where: Where,
  ifname: string,
  wanted: readonly Family[],
  first: readonly Answer[],
  lengths: readonly number[] = [],
): Promise<GuestView> {
  const [link, set, temporary] = namesIn(where, ifname).map((name, i) => linkFrom(first[i], `${name} in the guest`));
  const routes = wanted.flatMap((_, i) => routesFrom(first[3 + i], "the guest's routes"));
  const record = hasRecord(where.recordDir, where.guestId, ifname);
  const rest = temporary === undefined ? {} : { temporary };
  const nicOf = async (memory: Memory | undefined) =>
    isPhys(memory) ? { nic: await whereIsNic(transaction, memory, where.netns) } : {};
  const recorded = record ? recordOf(where.recordDir, where.guestId, ifname) : undefined;
  if (link === undefined && set === undefined) {
    const names = await namesOf(transaction, routes, []);
    return { record, addresses: [], routes, names, displacers: {}, ...rest, ...(await nicOf(recorded)) };
  }
  const missing = families.filter((family) => !wanted.includes(family));
  const [addresses, ...more] = await transaction.ask([
    { netns: "guest", message: dumpAddresses(link?.index) },
    ...missing.map((family) => routesAsk(family, lengths)),
  ]);
  routes.push(...more.flatMap((answer) => routesFrom(answer, "the guest's routes")));
  const own = link === undefined ? undefined : await held(transaction, where, link, routes);
  const aside = set === undefined ? undefined : await held(transaction, where, set, routes);
  const { memory } = aside ?? {};
  const ours =
    memory !== undefined && memory.guest === where.guestId && memory.netns === where.netns && memory.ifname === ifname;
  return {
    ...(own ?? { displacers: {} }),
    ...(aside !== undefined && ours ? { aside: { ...aside, memory } } : {}),
    ...rest,
    ...(await nicOf(isPhys(own?.memory) ? own.memory : recorded)),
    record,
    addresses: link === undefined ? [] : addressesFrom(addresses, `the addresses of ${ifname}`, link.index),
    routes,
    names: await namesOf(transaction, routes, [...(own?.memory?.displaced ?? []), ...(memory?.displaced ?? [])]),
  };
}
