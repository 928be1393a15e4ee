import { ifFlags } from "../netlink/link.js";
import type { HostSelector } from "../values/host-selector.js";
import { byteLength, IFNAME_MAX } from "../values/ifname.js";
import type { Memory } from "./memory.js";
import type { LinkView } from "./view.js";

/** What a host interface was before it was moved into a guest: enough to find it again, and to give it back as it was. */
export interface NicMemory {
  readonly name: string;
  /** On the host. */
  readonly index: number;
  /** IFLA_INFO_KIND; absent for a NIC, which alone outlives the namespace it is in. */
  readonly kind?: string;
  /** ARPHRD_*. */
  readonly type: number;
  readonly permAddress?: string;
  readonly parentBus?: string;
  readonly parentDev?: string;
  /** Parent and id of a VLAN link. */
  readonly link?: number;
  readonly vlanId?: number;
  readonly address?: string;
  /** The MAC it was given for the guest. */
  readonly guestAddress?: string;
  readonly mtu: number;
  readonly txqlen?: number;
  /** IFF_*, of which only `settableFlags` count. */
  readonly flags: number;
  readonly group: number;
  readonly alias?: string;
  readonly altNames: readonly string[];
  /** RTM_NEWADDR and RTM_NEWROUTE messages in hex, as the kernel reported them. */
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  /** Values that are not those of conf/default, by family/key, such as ipv4/rp_filter. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** When all this was read, in seconds since the epoch: lifetimes of addresses count from then. */
  readonly readAt: number;
}

/** The memory of an attachment that is a host interface itself. */
export type PhysMemory = Memory & { readonly nic: NicMemory };

export function isPhys(memory: Memory | undefined): memory is PhysMemory {
  return memory?.type === "phys" && memory.nic !== undefined;
}

/** Flags that belong to the settings of an interface and that a request may change (dev_change_flags, net/core/dev.c). */
export const settableFlags = ifFlags.IFF_UP | ifFlags.IFF_NOARP | ifFlags.IFF_PROMISC | ifFlags.IFF_ALLMULTI;

/**
 * Whether a link is that NIC. Names do not count, nor does anything else that a guest may set where the hardware says
 * more. A virtual link has nothing of its own but kind, MAC and, if it is a VLAN, what it is on.
 */
export function isNic(nic: NicMemory, link: LinkView): boolean {
  if (link.kind !== nic.kind || link.type !== nic.type) return false;
  if (link.parentDev !== nic.parentDev || link.parentBus !== nic.parentBus) return false;
  if (link.vlanId !== nic.vlanId || (nic.vlanId !== undefined && link.link !== nic.link)) return false;
  if (nic.permAddress !== undefined) return link.permAddress === nic.permAddress;
  return link.address !== undefined && (link.address === nic.address || link.address === nic.guestAddress);
}

/** The one link that is that NIC; several are as good as none. */
export function findNic(nic: NicMemory, links: readonly LinkView[]): LinkView | undefined {
  const found = links.filter((link) => isNic(nic, link));
  return found.length === 1 ? found[0] : undefined;
}

/**
 * The same among the links of the host. A virtual link never comes back by itself, so only the very one that was to be
 * moved, or that we have just moved back, is meant: by its ifindex too.
 */
export function findAtHome(nic: NicMemory, links: readonly LinkView[]): LinkView | undefined {
  const found = findNic(nic, links);
  return found !== undefined && nic.kind !== undefined && found.index !== nic.index ? undefined : found;
}

/** Whether the words of a request mean that NIC, wherever it is now. `asked`: the words that it was attached by. */
export function meansNic(
  selector: HostSelector,
  { nic, asked }: PhysMemory,
  pciOf: (nic: NicMemory) => string | undefined,
): boolean {
  switch (selector.by) {
    case "mac":
      return selector.mac === nic.address || selector.mac === nic.permAddress;
    case "pci":
      return selector.address === pciOf(nic);
    default:
      return selector.name === nic.name || selector.name === asked || nic.altNames.includes(selector.name);
  }
}

/** A name for a NIC that comes home while another interface has its own. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let n = 1; ; n++) {
    const suffix = `_${n}`;
    let base = name;
    while (byteLength(base + suffix) > IFNAME_MAX) base = base.slice(0, -1);
    if (!taken.has(base + suffix)) return base + suffix;
  }
}

/** All names that links have, alternative ones included. */
export function namesOf(links: readonly LinkView[]): Set<string> {
  return new Set(links.flatMap(({ name, altNames }) => [name, ...(altNames ?? [])]));
}

/** "nic0 (00:16:3e:00:00:01)", for people. */
export function nicText({ name, permAddress, address }: NicMemory): string {
  const mac = permAddress ?? address;
  return mac === undefined ? name : `${name} (${mac})`;
}
