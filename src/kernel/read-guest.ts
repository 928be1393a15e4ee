import type { Family } from "../netlink/family.js";
import { dumpAddresses } from "../plan/address-message.js";
import { families } from "../plan/configure.js";
import type { PlanContext } from "../plan/context.js";
import { getLinkByIndex, getLinkByName } from "../plan/link-message.js";
import { type DisplacedRoute, type MemoryHolder, parseAlias } from "../plan/memory.js";
import { dumpRoutes } from "../plan/route-message.js";
import type { GuestView, HeldLink, LinkView, RouteView } from "../plan/view.js";
import { asideIfname, temporaryIfname } from "../values/host-ifname.js";
import { addressesFrom, linkFrom, routesFrom } from "./observe.js";
import { hasRecord, readRecord, recordOf } from "./record.js";
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
  if (peer !== undefined) {
    const parsed = parseAlias(peer.alias);
    if (parsed === undefined || "bridge" in parsed) return undefined;
    const memory = "memory" in parsed ? parsed.memory : readRecord(where.recordDir, parsed.record);
    return memory === undefined ? undefined : { memory, hostEnd: peer };
  }
  const memory = recordOf(where.recordDir, where.guestId, link.name);
  return memory !== undefined && memory.netns === where.netns && memory.type === link.kind ? { memory } : undefined;
}

/** Longest chain of displaced default routes that is followed. */
const CHAIN_MAX = 64;

/** Finds the attachment that displaced the default route of a link, from the current default downwards. */
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
    if (below !== undefined) todo.push(below);
  }
  return undefined;
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

/** The reads of the guest that go with the begin of a transaction. */
export function guestAsks(where: Pick<Where, "guestId">, ifname: string, wanted: readonly Family[]): Ask[] {
  return [
    ...namesIn(where, ifname).map((name): Ask => ({ netns: "guest", message: getLinkByName(name) })),
    ...wanted.map((family): Ask => ({ netns: "guest", message: dumpRoutes(family) })),
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
      if (displacer !== undefined) displacers[family] = displacer;
    }
  }
  return {
    link,
    ...(peer === undefined ? {} : { peer }),
    ...(holder === undefined ? {} : { memory: holder.memory }),
    displacers,
  };
}

/** Completes the view of the guest from the first answers; asks again only where a link of ours may be there already. */
export async function readGuest(
  transaction: Transaction,
  where: Where,
  ifname: string,
  wanted: readonly Family[],
  first: readonly Answer[],
): Promise<GuestView> {
  const [link, set, temporary] = namesIn(where, ifname).map((name, i) => linkFrom(first[i], `${name} in the guest`));
  const routes = wanted.flatMap((_, i) => routesFrom(first[3 + i], "the guest's routes"));
  const record = hasRecord(where.recordDir, where.guestId, ifname);
  const rest = temporary === undefined ? {} : { temporary };
  if (link === undefined && set === undefined) {
    return { record, addresses: [], routes, names: await namesOf(transaction, routes, []), displacers: {}, ...rest };
  }
  const missing = families.filter((family) => !wanted.includes(family));
  const [addresses, ...more] = await transaction.ask([
    { netns: "guest", message: dumpAddresses(link?.index) },
    ...missing.map((family): Ask => ({ netns: "guest", message: dumpRoutes(family) })),
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
    record,
    addresses: link === undefined ? [] : addressesFrom(addresses, `the addresses of ${ifname}`, link.index),
    routes,
    names: await namesOf(transaction, routes, [...(own?.memory?.displaced ?? []), ...(memory?.displaced ?? [])]),
  };
}
