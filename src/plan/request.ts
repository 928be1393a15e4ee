/** What a caller asks for. Field names are the ones of `list --json` and of topology files. */
export interface AttachRequest {
  /** Name, id, unique prefix, or explicit: docker:X, pid:N, netns:NAME, netns:/path. */
  guest: string;
  /** Host interface: a bridge, or the parent of a macvlan. Its name, an alternative one, mac:<MAC> or pci:<address>. */
  to: string;
  /** Default: bridge for a bridge, macvlan for any other Ethernet interface. */
  type?: LinkType | undefined;
  /** Mode of a macvlan (default: bridge) or of an ipvlan (default: l2). */
  mode?: LinkMode | undefined;
  /** Interface name inside the guest, 1 to 15 bytes. Default: eth1. */
  ifname?: string | undefined;
  /** Name of the host end, where there is one. */
  hostIfname?: string | undefined;
  /** address/prefixlen, either family. Empty: none. */
  addresses?: readonly string[] | undefined;
  /** One gateway, or one per family. */
  gateway?: string | readonly string[] | undefined;
  /** Further routes: "10.0.0.0/8 via 192.168.1.1", "10.0.0.0/8@192.168.1.1", or "10.0.0.0/8" (on the link). */
  routes?: readonly string[] | undefined;
  /** Metric of the default route. Default: the kernel's (0 for IPv4, 1024 for IPv6). */
  metric?: number | undefined;
  /** MACs that a macvlan of mode source listens to: it gets what they send and nothing else. */
  sources?: readonly string[] | undefined;
  /** xx:xx:xx:xx:xx:xx, or U:text for an address derived from the text as the shell script does. */
  mac?: string | undefined;
  /** VLAN id, 1 to 4094; on a bridge also a trunk, such as "10,20-30"; on InfiniBand a partition key, such as "0x8001". */
  vlan?: number | string | undefined;
  /** With a bridge and a VLAN id: the Ethernet interface whose VLAN link is a port of the bridge. */
  uplink?: string | undefined;
  /** Bytes. Default: that of the bridge or the parent. */
  mtu?: number | undefined;
  /** Queues per veth end. Default: 1. */
  queues?: number | undefined;
  dhcp?: boolean | string | undefined;
  /** Tell the neighbours: gratuitous ARP, unsolicited neighbour advertisement. Default: true. */
  announce?: boolean | undefined;
  /** Replace an interface of that name that has another configuration. */
  replace?: boolean | undefined;
  /** Move the host interface itself into the guest. */
  directPhys?: boolean | undefined;
  /** On a macvlan: let the host reach the guest, which a macvlan's parent cannot: by a macvlan of the host's own. */
  hostAccess?: boolean | undefined;
  /** Do what is refused for being dangerous: it says why. */
  force?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** How long to wait for the guest, the engine and the lock. Default: 10 s for the engine, 3 s for a starting guest. */
  timeoutMs?: number | undefined;
}

export type LinkType = "bridge" | "macvlan" | "ipvlan" | "vlan" | "phys" | "dummy" | "ipoib" | "ovs";
export type MacvlanMode = "bridge" | "private" | "vepa" | "passthru" | "source";
export type IpvlanMode = "l2" | "l3" | "l3s";
export type LinkMode = MacvlanMode | IpvlanMode;

export interface DetachRequest {
  guest: string;
  /** Default: eth1. */
  ifname?: string | undefined;
  /** Everything of ours in that guest. */
  all?: boolean | undefined;
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}

/** How far an interface is to be; each includes those before it, but a route needs no address. */
export type WaitLevel =
  | "exists"
  /** Up, with a carrier, and its operational state up or unknown: some drivers never know it. */
  | "up"
  /** An address of global scope on it that is not (any more) being checked for duplicates. */
  | "address"
  /** A default route through it, of either family. */
  | "route";

export interface WaitRequest {
  /** Created and not started yet, it is waited for as well. */
  guest: string;
  /** Default: eth1. */
  ifname?: string | undefined;
  /** Default: up. */
  level?: WaitLevel | undefined;
  /** In all, for the guest and its interface. Default: without limit. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** An interface that has been waited for, as it is in the kernel. */
export interface Waited {
  /** As it was named, and its identity. Absent: the caller's own namespace. */
  guest?: string;
  guestId?: string;
  ifname: string;
  level: WaitLevel;
  /** Interface index inside the guest. */
  ifindex: number;
  mac: string;
  mtu: number;
  /** Of RFC 2863, such as up or unknown. */
  operstate: string;
  /** At level address: those that can be used. */
  addresses?: string[];
  warnings: string[];
}

/** An attachment as it is in the kernel. */
export interface Attachment {
  /** The guest as it was named. */
  guest: string;
  /** Kind-qualified identity, such as docker:<64 hex digits> or netns:blue. */
  guestId: string;
  ifname: string;
  to: string;
  type: LinkType;
  mode?: LinkMode;
  hostIfname?: string;
  /** VLAN id, trunk or partition key. */
  vlan?: number | string;
  /** Interface index inside the guest. */
  ifindex: number;
  addresses: string[];
  gateway?: string | string[];
  mac: string;
  mtu: number;
  /** What this call did: nothing was changed when the same configuration was there already. */
  outcome: "attached" | "unchanged" | "completed" | "replaced";
  warnings: string[];
}
