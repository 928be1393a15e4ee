import type { LiveGuest } from "./guests/guest.js";
import type { Instance } from "./instance.js";
import { addressesFrom, linkFrom, linksFrom, portVlansFrom, routesFrom } from "./kernel/observe.js";
import { memoryBehind, readRecords } from "./kernel/record.js";
import { Transaction } from "./kernel/transaction.js";
import { ifFlags } from "./netlink/link.js";
import { ipvlanModeName } from "./netlink/link-ipvlan.js";
import { macvlanModeName } from "./netlink/link-macvlan.js";
import { dumpAddresses } from "./plan/address-message.js";
import { describes } from "./plan/kinds.js";
import { dumpLinks, getLinkByName } from "./plan/link-message.js";
import type { Memory } from "./plan/memory.js";
import { isPhys } from "./plan/nic.js";
import { dumpPortVlans, tagOf } from "./plan/port-vlan.js";
import type { Attachment, LinkMode } from "./plan/request.js";
import { dumpRoutes } from "./plan/route-message.js";
import type { LinkView } from "./plan/view.js";
import { PipeworkError } from "./values/error.js";
import { prefixText } from "./values/prefix.js";

/** One line of `list`: the request's field names, and what became of it. */
export interface ListedAttachment extends Omit<Attachment, "outcome" | "warnings"> {
  /** gone: the guest, or its interface, is not there any more. unreadable: the guest could not be looked up. */
  state: "up" | "down" | "gone" | "unreadable";
}

interface Remembered {
  readonly memory: Memory;
  readonly hostEnd?: LinkView;
  /** VLANs of its bridge port, where the bridge tells them apart. */
  readonly vlan?: number | string;
}

/** Everything of ours: aliases of host ends, and records of what leaves nothing on the host. */
async function remembered(instance: Instance): Promise<{ attachments: Remembered[]; names: Map<number, string> }> {
  const { transaction, answers } = await Transaction.begin(
    instance.runner,
    [instance.host],
    [{ netns: "host", message: dumpLinks() }],
    undefined,
  );
  const links = linksFrom(answers[0], "the host's links");
  const filtering = new Set(links.flatMap(({ vlanFiltering, index }) => (vlanFiltering === true ? [index] : [])));
  const [dump] = filtering.size === 0 ? [] : await transaction.ask([{ netns: "host", message: dumpPortVlans() }]);
  const portVlans = portVlansFrom(dump);
  await transaction.end();
  const attachments: Remembered[] = [];
  for (const hostEnd of links) {
    const memory = memoryBehind(hostEnd.alias, instance.recordDir);
    if (memory === undefined) continue;
    const port = filtering.has(hostEnd.master ?? 0) ? portVlans.get(hostEnd.index) : undefined;
    const vlan = port === undefined ? undefined : tagOf(port);
    attachments.push({ memory, hostEnd, ...(vlan === undefined ? {} : { vlan }) });
  }
  for (const memory of readRecords(instance.recordDir)) {
    if (memory.type !== undefined) attachments.push({ memory });
  }
  return { attachments, names: new Map(links.map((link) => [link.index, link.name])) };
}

function skeleton(
  { memory, hostEnd, vlan }: Remembered,
  names: ReadonlyMap<number, string>,
  guest: string,
): ListedAttachment {
  return {
    guest,
    guestId: memory.guest,
    ifname: memory.ifname,
    to:
      hostEnd === undefined ? (memory.to ?? "") : hostEnd.master === undefined ? "" : (names.get(hostEnd.master) ?? ""),
    type: memory.type ?? "bridge",
    ...(memory.vlan === undefined ? {} : { vlan: memory.vlan }),
    ...(hostEnd === undefined ? {} : { hostIfname: hostEnd.name }),
    ...(vlan === undefined ? {} : { vlan }),
    ifindex: 0,
    addresses: [],
    mac: memory.mac ?? "",
    mtu: hostEnd?.mtu ?? 0,
    state: "gone",
  };
}

/** What a person calls the guest: a container by its name, others as they were given. */
function friendlyName(guest: LiveGuest): string {
  return guest.name ?? guest.ref;
}

function modeOf(link: LinkView): LinkMode | undefined {
  if (link.ipvlanMode !== undefined) return ipvlanModeName(link.ipvlanMode) as LinkMode;
  return link.macvlanMode === undefined ? undefined : (macvlanModeName(link.macvlanMode) as LinkMode);
}

async function describe(
  instance: Instance,
  guest: LiveGuest,
  all: readonly Remembered[],
  names: ReadonlyMap<number, string>,
): Promise<ListedAttachment[]> {
  const { transaction, answers } = await Transaction.begin(
    instance.runner,
    [instance.host, guest.netns],
    [
      { netns: "guest", message: dumpAddresses() },
      { netns: "guest", message: dumpRoutes("inet") },
      { netns: "guest", message: dumpRoutes("inet6") },
      ...all.map(({ memory }) => ({ netns: "guest" as const, message: getLinkByName(memory.ifname) })),
    ],
    undefined,
  );
  await transaction.end();
  const addresses = addressesFrom(answers[0], "the guest's addresses");
  const defaults = [
    ...routesFrom(answers[1], "the guest's routes"),
    ...routesFrom(answers[2], "the guest's routes"),
  ].filter((r) => r.dstLen === 0);
  return all.map((one, i) => {
    const listed = skeleton(one, names, friendlyName(guest));
    const link = linkFrom(answers[3 + i], one.memory.ifname);
    if (link === undefined || one.memory.netns !== guest.netns.ino) return listed;
    if (one.hostEnd !== undefined && link.link !== one.hostEnd.index) return listed;
    if (isPhys(one.memory) && !describes(one.memory, link)) return listed;
    const gateways = defaults.filter((r) => r.oif === link.index && r.via !== undefined).map((r) => r.via as string);
    const mode = modeOf(link);
    return {
      ...listed,
      ...(mode === undefined ? {} : { mode }),
      ifindex: link.index,
      addresses: addresses.filter((a) => a.index === link.index && !a.address.startsWith("fe80:")).map(prefixText),
      ...(gateways.length === 0 ? {} : { gateway: gateways.length === 1 ? (gateways[0] as string) : gateways }),
      mac: link.address ?? listed.mac,
      mtu: link.mtu,
      // Kernels report "unknown" for kinds that do not track their state; IFF_UP is what was set.
      state: (link.flags & ifFlags.IFF_UP) !== 0 ? "up" : "down",
    };
  });
}

/** All attachments, or those of one guest, by guest and interface name. */
export async function list(instance: Instance, only?: { guest?: string | undefined }): Promise<ListedAttachment[]> {
  const { attachments, names } = await remembered(instance);
  const byGuest = new Map<string, Remembered[]>();
  for (const one of attachments) byGuest.set(one.memory.guest, [...(byGuest.get(one.memory.guest) ?? []), one]);
  let wanted: string | undefined;
  if (only?.guest !== undefined) {
    const guest = await instance.resolve(only.guest, { timeoutMs: 0 });
    wanted = guest.id;
    guest.close();
  }
  const listed = await Promise.all(
    [...byGuest].map(async ([id, all]) => {
      if (wanted !== undefined && id !== wanted) return [];
      let guest: LiveGuest;
      try {
        guest = await instance.resolve(id, { timeoutMs: 0 });
      } catch (error) {
        const gone =
          error instanceof PipeworkError && ["guest-not-found", "guest-not-running", "guest-gone"].includes(error.code);
        return all.map(
          (one): ListedAttachment => ({ ...skeleton(one, names, id), state: gone ? "gone" : "unreadable" }),
        );
      }
      try {
        return await describe(instance, guest, all, names);
      } finally {
        guest.close();
      }
    }),
  );
  const order = (a: ListedAttachment) => `${a.guest}\0${a.ifname}`;
  return listed.flat().sort((a, b) => (order(a) < order(b) ? -1 : 1));
}
