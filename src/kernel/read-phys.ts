import type { PlanContext } from "../plan/context.js";
import { slots } from "../plan/context.js";
import { dumpLinks } from "../plan/link-message.js";
import { findAtHome, isPhys, meansNic, type NicMemory, type PhysMemory } from "../plan/nic.js";
import type { NicReturn } from "../plan/nic-home.js";
import { restored } from "../plan/nic-restore.js";
import type { GuestView, LinkView, NicView } from "../plan/view.js";
import type { AttachWish } from "../plan/wish.js";
import { linksFrom } from "./observe.js";
import { nicState, whereIsNic } from "./read-nic.js";
import { readRecords } from "./record.js";
import { pciOf } from "./select-host.js";
import type { Transaction } from "./transaction.js";

/** What an attach that moves a NIC looks at besides. */
export interface PhysRead {
  /** The NIC as it is on the host, or as it will be there once it has come home. */
  readonly to?: LinkView;
  readonly nic?: NicView;
  /** By a record it is another attachment's. */
  readonly heldBy?: PhysMemory;
}

function pciOfNic({ parentBus, parentDev }: NicMemory): string | undefined {
  return pciOf({
    ...(parentBus === undefined ? {} : { parentBus }),
    ...(parentDev === undefined ? {} : { parentDev }),
  });
}

/** The link that a NIC will be on the host once what it had is given back. */
export function atHome(link: LinkView, nic: NicMemory, name: string): LinkView {
  const { alias: _, address: __, ...rest } = link;
  return {
    ...rest,
    name,
    index: nic.index,
    mtu: nic.mtu,
    flags: nic.flags,
    altNames: nic.altNames,
    ...(nic.address === undefined ? {} : { address: nic.address }),
  };
}

function same(a: PhysMemory, b: PhysMemory | undefined): boolean {
  return a.guest === b?.guest && a.ifname === b.ifname;
}

/** Links of the host that are on a NIC; a veth points at its peer, which is on nothing. */
function uppersOf(link: LinkView, links: readonly LinkView[]): string[] {
  return links
    .filter(
      (one) =>
        one.link === link.index && one.linkNetnsid === undefined && one.index !== link.index && one.kind !== "veth",
    )
    .map(({ kind, name }) => `${kind ?? "interface"} ${name}`);
}

/**
 * For attaches of other kinds: a NIC that this very attachment had before, and that is given back first, may be what the
 * request is about, and is not called so yet.
 */
export function withReturning(wish: AttachWish, { nic }: GuestView, found: LinkView | undefined): PhysRead {
  const link = nic?.host?.link;
  const isIt =
    found === undefined
      ? nic !== undefined && meansNic(wish.selector, nic.memory, pciOfNic)
      : found.index === link?.index;
  if (nic?.host === undefined || !isIt) return found === undefined ? {} : { to: found };
  return { to: atHome(nic.host.link, restored(nic.memory.nic, nic.host.state), nic.name) };
}

/**
 * The NIC that is to move: on the host, where a record of ours may say that it has only just come back there from a guest;
 * in this very guest already; or, by a record, in another.
 */
export async function readPhys(
  transaction: Transaction,
  wish: AttachWish,
  context: PlanContext,
  guest: GuestView,
  found: LinkView | undefined,
): Promise<PhysRead> {
  const [answer] = await transaction.ask([{ netns: "host", message: dumpLinks() }]);
  const links = linksFrom(answer, "the host's interfaces");
  const all = readRecords(context.recordDir);
  const records = all.filter(isPhys);
  const own = guest.nic;
  const meant = (memory: PhysMemory) => meansNic(wish.selector, memory, pciOfNic);
  const record =
    found === undefined
      ? records.find(meant)
      : records.find(({ nic }) => findAtHome(nic, links)?.index === found.index);
  if (found === undefined && record === undefined) return {};
  const back: NicReturn | undefined =
    record === undefined
      ? undefined
      : same(record, own?.memory)
        ? own
        : await whereIsNic(transaction, record, undefined);
  if (back?.guest !== undefined) {
    // Attached as asked: it is compared, and for a replacement it is taken home first.
    const { link } = back.guest;
    const to = atHome(link, back.memory.nic, back.name);
    const nic = { index: { slot: slots.nic }, memory: back.memory.nic, lost: [], uppers: [], defaults: [] };
    return { to, nic: { ...nic, inGuest: true } };
  }
  const link = found ?? back?.host?.link;
  if (link === undefined) return record === undefined || back === own ? {} : { heldBy: record };
  const state = await nicState(transaction, link);
  const memory = back === undefined ? state.memory : { ...restored(back.memory.nic, state.memory), name: back.name };
  const master = links.find(({ index }) => index === link.master)?.name;
  const nic: NicView = {
    index: link.index,
    memory,
    lost: state.lost,
    defaults: state.defaults,
    uppers: [
      ...uppersOf(link, links),
      ...all.flatMap(({ parent, type, ifname, guest: who }) =>
        parent === link.name && type !== undefined ? [`${type} ${ifname} of ${who}`] : [],
      ),
    ],
    ...(master === undefined ? {} : { master }),
    ...(back === undefined || back === own ? {} : { former: back }),
  };
  return { to: back === undefined ? link : atHome(link, memory, back.name), nic };
}
