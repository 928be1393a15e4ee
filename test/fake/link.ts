/** A link of the fake kernel. Its ifindex is unique across namespaces here, so that a mix-up of namespaces cannot pass unseen. */
export interface FakeLink {
  readonly index: number;
  name: string;
  /** IFLA_INFO_KIND; undefined for lo and physical NICs. */
  readonly kind: string | undefined;
  /** ARPHRD_*. */
  readonly type: number;
  address: string;
  mtu: number;
  up: boolean;
  group: number;
  alias: string | undefined;
  master: FakeLink | undefined;
  /** The other end of a veth. */
  peer: FakeLink | undefined;
  /** Parent of a macvlan, an ipvlan or a VLAN. */
  lower: FakeLink | undefined;
  readonly queues: number;
  readonly macvlanMode: number | undefined;
  readonly macvlanSources: readonly string[];
  /** All ipvlans of one parent have the same: the newest decides. */
  ipvlanMode: number | undefined;
  /** A bridge that tells VLANs apart. */
  vlanFiltering: boolean;
  /** VLANs of a bridge port, with their flags (BRIDGE_VLAN_INFO_*). */
  readonly vlans: Map<number, number>;
  readonly vlanId: number | undefined;
  netns: FakeNamespace;
  arpNotify: number;
  /** ipv6/conf/<name>/<key>. */
  readonly ipv6: Map<string, string>;
}

export interface FakeAddress {
  readonly family: "inet" | "inet6";
  readonly link: FakeLink;
  readonly address: string;
  readonly prefixlen: number;
  readonly broadcast: string | undefined;
  readonly secondary: boolean;
}

export interface FakeRoute {
  readonly family: "inet" | "inet6";
  readonly dst: string | undefined;
  readonly dstLen: number;
  /** Undefined where the next hops lie in `multipath`, which is kept as it came. */
  readonly link: FakeLink | undefined;
  readonly gateway: string | undefined;
  readonly metric: number;
  readonly protocol: number;
  readonly scope: number;
  readonly type: number;
  readonly tos: number;
  readonly onlink: boolean;
  readonly prefsrc: string | undefined;
  /** RTA_METRICS by name, kept as it came. */
  readonly metrics: object | undefined;
  readonly multipath: Uint8Array | undefined;
}

/** A network namespace of the fake kernel. */
export interface FakeNamespace {
  readonly path: string;
  readonly ino: number;
  /** False once its last process is gone: the path leads nowhere, while descriptors keep it. */
  alive: boolean;
  readonly links: FakeLink[];
  addresses: FakeAddress[];
  /** Main table, in the order the kernel would look at equals. */
  routes: FakeRoute[];
  /** ipv6/conf/default/<key>. */
  readonly ipv6Defaults: Map<string, string>;
}
