/** A link between the bridges of several hosts: Ethernet in UDP (RFC 7348). */
export interface VxlanRequest {
  /** The network's number, 1 to 16777215; the same on every host. */
  id: number;
  /** The other hosts' addresses; frames to unknown stations go to all of them. */
  remotes: readonly string[];
  /** Our own address. Default: what the route to the remote says. */
  local?: string | undefined;
  /** UDP port. Default: 4789. */
  port?: number | undefined;
  /** Interface that the packets go out by. Default: what the route to the remote says. */
  dev?: string | undefined;
}

/** What a caller asks for: an uplink for a bridge, of one sort or the other, or to take it back. */
export interface BridgeRequest {
  /** The bridge; made when it is missing. */
  name: string;
  /** NIC that becomes its port, and whose addresses and routes it takes over. */
  uplink?: string | undefined;
  /** The VLAN link of the NIC in its stead, made when it is missing. */
  vlan?: number | string | undefined;
  vxlan?: VxlanRequest | undefined;
  /** Take back what was asked for before: addresses and routes return to the NIC. */
  release?: boolean | undefined;
  /** Addresses with a lifetime, and rules that name the NIC, are no reason to refuse. */
  force?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** How long to wait for the lock, in milliseconds. Default: 10000. */
  timeoutMs?: number | undefined;
}

/** What became of it. */
export interface BridgeOutcome {
  bridge: string;
  /** The port: the NIC, its VLAN link, or the VXLAN link. */
  uplink?: string;
  /** Addresses that were handed over by this call, in that direction. */
  addresses: string[];
  outcome: "bridged" | "completed" | "unchanged" | "released" | "absent";
  warnings: string[];
}
