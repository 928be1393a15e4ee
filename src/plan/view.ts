import type { Family } from "../netlink/family.js";
import type { Slot } from "../netlink/wire.js";
import type { HostAccessView } from "./host-access.js";
import type { Memory, MemoryHolder } from "./memory.js";
import type { NicMemory, PhysMemory } from "./nic.js";
import type { NicReturn } from "./nic-home.js";
import type { PortVlans } from "./port-vlan.js";
import type { Sibling } from "./sibling.js";

/** A link as observed, with what plans depend on. */
export interface LinkView {
  readonly index: number;
  readonly name: string;
  /** IFLA_INFO_KIND; absent for physical NICs and lo. */
  readonly kind?: string;
  /** Kind of the link it is enslaved to, such as bridge. */
  readonly slaveKind?: string;
  /** ARPHRD_*. */
  readonly type: number;
  readonly flags: number;
  readonly mtu: number;
  readonly address?: string;
  readonly master?: number;
  readonly group: number;
  readonly alias?: string;
  /** IFLA_LINK: the peer of a veth, the parent of a macvlan; in another namespace when linkNetnsid is there. */
  readonly link?: number;
  readonly linkNetnsid?: number;
  readonly txQueues?: number;
  readonly operstate: number;
  /** Mode number of a macvlan. */
  readonly macvlanMode?: number;
  /** MACs that a macvlan of mode source listens to. */
  readonly macvlanSources?: readonly string[];
  /** Partition key of an IPoIB link. */
  readonly pkey?: number;
  /** Mode number of an ipvlan. */
  readonly ipvlanMode?: number;
  /** Id of a VLAN link. */
  readonly vlanId?: number;
  /** Protocol of its tags, ETH_P_8021Q or ETH_P_8021AD. */
  readonly vlanProtocol?: number;
  /** IFLA_BR_VLAN_FILTERING of a bridge. */
  readonly vlanFiltering?: boolean;
  /** IFLA_BR_VLAN_DEFAULT_PVID of a bridge: the VLAN that a new port is given; 0: none. */
  readonly vlanDefaultPvid?: number;
  /** The address that the hardware has, whatever is set. */
  readonly permAddress?: string;
  readonly altNames?: readonly string[];
  readonly txqlen?: number;
  /** Its root queueing discipline. */
  readonly qdisc?: string;
  /** The bus and the name of the device behind a NIC, such as pci and 0000:00:05.0. */
  readonly parentBus?: string;
  readonly parentDev?: string;
  /** IFLA_BR_STP_STATE of a bridge. */
  readonly stp?: boolean;
  readonly arpNotify?: number;
}

export interface AddressView {
  readonly family: Family;
  readonly index: number;
  readonly address: string;
  readonly prefixlen: number;
}

/** A route of the guest's main table. Fields that are the kernel's default are absent. */
export interface RouteView {
  readonly family: Family;
  readonly dst?: string;
  readonly dstLen: number;
  readonly oif?: number;
  readonly via?: string;
  /** 0 when the kernel names none. */
  readonly metric: number;
  readonly protocol: number;
  readonly scope: number;
  readonly type: number;
  readonly tos: number;
  readonly onlink: boolean;
  readonly prefsrc?: string;
  /** Set when the route has more than these fields can hold (several next hops, metrics, encap...): the message in hex. */
  readonly raw?: string;
}

/** The attachment of ours that displaced a given link's default route. */
export type Displacers = { readonly [F in Family]?: MemoryHolder };

/** A link of the guest with what is remembered of it. */
export interface HeldLink {
  readonly link: LinkView;
  /** Its host end, when it is a veth whose peer is on the host side. */
  readonly peer?: LinkView;
  /** From the alias of its host end, or from a record. */
  readonly memory?: Memory;
  readonly displacers: Displacers;
}

/** What plans know of the guest's link of the wanted name and of what it displaced. */
export interface GuestView extends Partial<HeldLink> {
  /** A link of that attachment that a killed run was about to replace, and had renamed aside. */
  readonly aside?: HeldLink & { readonly memory: Memory };
  /** A host end whose alias says that it is this attachment's, while the guest has no such link: renamed or moved there. */
  readonly stray?: { readonly hostEnd: LinkView; readonly memory: Memory; readonly displacers: Displacers };
  /** A link under the temporary name: debris of a killed run, if it is marked. */
  readonly temporary?: LinkView;
  /** Ifindex of the link that is being replaced: it is there for now, and nothing of it is to be remembered. */
  readonly leaving?: number;
  /** The NIC that the record of this guest and interface tells of, and where it is now. */
  readonly nic?: NicReturn;
  /** A record of this guest and interface exists, whether or not it fits what is there. */
  readonly record: boolean;
  /** VLANs of the bridge port at its host end, where the request states some. */
  readonly portVlans?: PortVlans;
  /** Addresses of `link`. */
  readonly addresses: readonly AddressView[];
  /** Routes of the main table, the families that matter to the request. */
  readonly routes: readonly RouteView[];
  /** Names by ifindex of the links inside the guest that default routes, present or displaced, point at. */
  readonly names: ReadonlyMap<number, string>;
  readonly displacers: Displacers;
}

/** The VLAN that is wished, as far as the host has it. */
export interface VlanView {
  /** The 802.1Q link of that id on the parent, whatever its name and whoever made it. */
  readonly link?: LinkView;
  /** Links of the host under the names that it could get. */
  readonly names: ReadonlyMap<string, LinkView>;
  /** What a killed sweep has left on it: macvlans that keep everything else off. */
  readonly probes: readonly LinkView[];
  /** Addresses of `link`, where it is to become the port of a bridge. */
  readonly addresses: readonly AddressView[];
  /** Ports of that bridge. */
  readonly ports: readonly LinkView[];
}

/** A host interface that is to be moved into a guest itself. */
export interface NicView {
  readonly index: number | Slot;
  /** What will be remembered of it. */
  readonly memory: NicMemory;
  /** In words: what it has and does not get back. */
  readonly lost: readonly string[];
  /** Families whose default route on the host goes through it. */
  readonly defaults: readonly Family[];
  /** What is on it, in words. */
  readonly uppers: readonly string[];
  /** Name of the bridge or bond that it is a port of. */
  readonly master?: string;
  /** It is this very attachment's already. */
  readonly inGuest?: true;
  /** It has come back from the guest of another attachment, and nothing was given back to it yet. */
  readonly former?: NicReturn;
}

/** What an attach plan depends on, read under the lock. */
export interface AttachView {
  readonly host: {
    /** The interface named by `to`. */
    readonly to?: LinkView;
    /** The interface named by `uplink`. */
    readonly uplink?: LinkView;
    /** Only where a VLAN of `to` or of `uplink` is wished. */
    readonly vlan?: VlanView;
    /** Links that have a name the host end could get. */
    readonly hostEnds: ReadonlyMap<string, LinkView>;
    /** What the host has on the way to the guest, where its access was asked for. */
    readonly access?: HostAccessView;
    /** What is seen on the parent of a macvlan or ipvlan, less what this very attachment has there. */
    readonly siblings?: readonly Sibling[];
    /** A host link that has the name wanted inside the guest. */
    readonly sameName?: LinkView;
    /** What an attach that moves a NIC looks at. */
    readonly nic?: NicView;
    /** The attachment that has the NIC already. */
    readonly heldBy?: PhysMemory;
  };
  readonly guest: GuestView;
}
