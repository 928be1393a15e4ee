import { arphrd } from "../../src/netlink/link.js";
import { macvlanModes } from "../../src/netlink/link-macvlan.js";
import * as stack from "./ip-stack.js";
import type { FakeLink, FakeNamespace } from "./link.js";
import { Refusal } from "./refusal.js";

export interface NewLink {
  readonly name: string;
  readonly kind: string | undefined;
  readonly address?: string | undefined;
  readonly mtu?: number | undefined;
  readonly group?: number | undefined;
  readonly master?: FakeLink | undefined;
  readonly lower?: FakeLink | undefined;
  readonly queues?: number | undefined;
  readonly macvlanMode?: number | undefined;
  readonly macvlanSources?: readonly string[] | undefined;
  readonly ipvlanMode?: number | undefined;
  readonly vlanFiltering?: boolean | undefined;
  readonly vlanId?: number | undefined;
  readonly up?: boolean | undefined;
}

/** Links of all namespaces: birth, change and death, with what the kernel refuses. */
export class LinkTable {
  /** Links that announced an address: arp_notify or ndisc_notify was set while their MAC was given anew. */
  readonly announced: string[] = [];
  #nextIndex = 10;
  #nextMac = 1;

  find(ns: FakeNamespace, name: string): FakeLink | undefined {
    return ns.links.find((link) => link.name === name);
  }

  at(ns: FakeNamespace, index: number): FakeLink {
    const link = ns.links.find((one) => one.index === index);
    if (link === undefined) throw new Refusal("ENODEV");
    return link;
  }

  /** Refuses what cannot be made, before anything is: a veth is made whole or not at all. */
  check(ns: FakeNamespace, wanted: NewLink): void {
    if (wanted.name === "" || wanted.name.length > 15) throw new Refusal("EINVAL");
    if (this.find(ns, wanted.name) !== undefined) throw new Refusal("EEXIST");
    if (wanted.address !== undefined) checkMac(wanted.address);
    if (wanted.mtu !== undefined && (wanted.mtu < 68 || wanted.mtu > 65535))
      throw new Refusal("EINVAL", "mtu outside device limits");
    if (wanted.master !== undefined && wanted.master.kind !== "bridge") throw new Refusal("EOPNOTSUPP");
    if (wanted.kind === "macvlan") {
      if (wanted.lower === undefined) throw new Refusal("EINVAL");
      if (wanted.lower.master !== undefined) throw new Refusal("EBUSY");
      const there = occupants(this.namespaces, wanted.lower);
      if (there.some(({ kind }) => kind === "ipvlan")) throw new Refusal("EBUSY");
      const passthru = (mode: number | undefined) => mode === macvlanModes.passthru;
      if (there.length > 0 && (passthru(wanted.macvlanMode) || there.some((one) => passthru(one.macvlanMode))))
        throw new Refusal("EINVAL");
      if (!Object.values(macvlanModes).includes((wanted.macvlanMode ?? macvlanModes.vepa) as 4))
        throw new Refusal("EINVAL");
    }
    if (wanted.kind === "ipvlan") {
      if (wanted.lower === undefined) throw new Refusal("EINVAL");
      if (wanted.lower.master !== undefined) throw new Refusal("EBUSY");
      if (occupants(this.namespaces, wanted.lower).some(({ kind }) => kind === "macvlan")) throw new Refusal("EBUSY");
    }
    if (wanted.kind === "vlan") {
      if (wanted.lower === undefined || wanted.vlanId === undefined) throw new Refusal("EINVAL");
      if (wanted.vlanId < 1 || wanted.vlanId > 4094) throw new Refusal("ERANGE", "Invalid VLAN id");
      // vlan_check_real_dev: whatever namespace the other is in.
      if (children(this.namespaces, wanted.lower).some(({ vlanId }) => vlanId === wanted.vlanId))
        throw new Refusal("EEXIST", "VLAN device already exists");
      if (wanted.mtu !== undefined && wanted.mtu > wanted.lower.mtu) throw new Refusal("EINVAL");
    }
  }

  create(ns: FakeNamespace, wanted: NewLink): FakeLink {
    this.check(ns, wanted);
    const inherits =
      wanted.kind === "ipvlan" ||
      (wanted.kind === "vlan" && wanted.address === undefined) ||
      (wanted.kind === "macvlan" && wanted.macvlanMode === macvlanModes.passthru);
    const own = wanted.address ?? `06:00:00:00:00:${(this.#nextMac++).toString(16).padStart(2, "0")}`;
    if (wanted.kind === "ipvlan")
      for (const other of occupants(this.namespaces, wanted.lower)) other.ipvlanMode = wanted.ipvlanMode;
    const link: FakeLink = {
      index: this.#nextIndex++,
      name: wanted.name,
      kind: wanted.kind,
      type: wanted.kind === undefined && wanted.name === "lo" ? arphrd.ARPHRD_LOOPBACK : arphrd.ARPHRD_ETHER,
      address: inherits && wanted.lower !== undefined ? wanted.lower.address : own,
      mtu: wanted.mtu ?? wanted.lower?.mtu ?? 1500,
      up: false,
      group: wanted.group ?? 0,
      alias: undefined,
      master: wanted.master,
      peer: undefined,
      lower: wanted.lower,
      queues: wanted.queues ?? 1,
      macvlanMode: wanted.kind === "macvlan" ? (wanted.macvlanMode ?? macvlanModes.vepa) : undefined,
      macvlanSources: wanted.macvlanSources ?? [],
      ipvlanMode: wanted.kind === "ipvlan" ? (wanted.ipvlanMode ?? 1) : undefined,
      vlanFiltering: wanted.vlanFiltering ?? false,
      // nbp_vlan_init: a new port is in the bridge's default VLAN.
      vlans: new Map(wanted.master?.vlanFiltering === true ? [[1, 6]] : []),
      vlanId: wanted.vlanId,
      netns: ns,
      arpNotify: 0,
      ipv6: new Map(ns.ipv6Defaults),
    };
    ns.links.push(link);
    if (wanted.up === true) this.setUp(link, true);
    return link;
  }

  /** The first end lies in `ns` and is named first; the peer has its own namespace. */
  createVeth(ns: FakeNamespace, wanted: NewLink, peerNs: FakeNamespace, peer: NewLink): FakeLink {
    this.check(ns, wanted);
    this.check(peerNs, peer);
    // veth_newlink: the peer is registered first.
    const far = this.create(peerNs, { ...peer, kind: "veth" });
    const near = this.create(ns, { ...wanted, kind: "veth" });
    near.peer = far;
    far.peer = near;
    return near;
  }

  setUp(link: FakeLink, up: boolean): void {
    if (link.up === up) return;
    if (up && link.kind === "macvlan" && link.macvlanMode !== macvlanModes.passthru) {
      const { lower } = link;
      const rivals = link.netns === undefined ? [] : allMacvlans(this.namespaces, lower);
      if (
        rivals.some((other) => other !== link && other.up && other.address === link.address) ||
        lower?.address === link.address
      ) {
        throw new Refusal("EADDRINUSE");
      }
    }
    if (up && link.kind === "vlan" && link.lower?.up === false) throw new Refusal("ENETDOWN");
    link.up = up;
    // vlan_device_event: the VLANs of a link follow it.
    for (const one of children(this.namespaces, link)) if (one.kind === "vlan") this.setUp(one, up);
    if (up && link.kind === "ipvlan") this.#tell(link);
    if (up) stack.broughtUp(link);
    else stack.takenDown(link);
  }

  /** Set by the kernel that owns this table. */
  namespaces: readonly FakeNamespace[] = [];

  rename(link: FakeLink, name: string): void {
    if (name === link.name) return;
    if (name.length > 15) throw new Refusal("EINVAL");
    if (this.find(link.netns, name) !== undefined) throw new Refusal("EEXIST");
    if (link.up && this.renameUpRefused) throw new Refusal("EBUSY");
    link.name = name;
  }

  /** As on 6.1: an interface that is up is not renamed. */
  renameUpRefused = false;

  /** br_add_if: a port has the rx_handler of its link. */
  enslave(link: FakeLink, master: FakeLink | undefined): void {
    if (master !== undefined) {
      if (master.kind !== "bridge") throw new Refusal("EOPNOTSUPP");
      if (link.master !== undefined && link.master !== master) throw new Refusal("EBUSY");
      if (occupants(this.namespaces, link).length > 0) throw new Refusal("EBUSY");
    }
    link.master = master;
  }

  setAddress(link: FakeLink, address: string): void {
    checkMac(address);
    // ipvlan_netdev_ops has no ndo_set_mac_address.
    if (link.kind === "ipvlan") throw new Refusal("EOPNOTSUPP");
    link.address = address;
    if (link.up) this.#tell(link);
  }

  #tell(link: FakeLink): void {
    if (link.arpNotify !== 0 || link.ipv6.get("ndisc_notify") === "1") this.announced.push(link.name);
  }

  delete(link: FakeLink): void {
    if (link.kind === undefined) throw new Refusal("EOPNOTSUPP");
    this.#unregister(link);
    if (link.peer !== undefined) this.#unregister(link.peer);
  }

  #unregister(link: FakeLink): void {
    for (const ns of this.namespaces) {
      for (const other of [...ns.links]) {
        if (other.master === link) other.master = undefined;
        if (other.lower === link) this.#unregister(other);
      }
    }
    if (link.up) this.setUp(link, false);
    stack.gone(link);
    link.netns.links.splice(link.netns.links.indexOf(link), 1);
  }

  /** The last descriptor of a namespace is closed: what is in it goes, and veth peers elsewhere with it. */
  destroyAll(ns: FakeNamespace): void {
    for (const link of [...ns.links]) {
      if (!ns.links.includes(link)) continue;
      if (link.kind === undefined) this.#unregister(link);
      else this.delete(link);
    }
  }
}

function children(namespaces: readonly FakeNamespace[], lower: FakeLink | undefined): FakeLink[] {
  return namespaces.flatMap((ns) => ns.links.filter((link) => link.lower === lower));
}

/** Those that have the rx_handler of a link, of which there is one; a VLAN needs none. */
function occupants(namespaces: readonly FakeNamespace[], lower: FakeLink | undefined): FakeLink[] {
  return children(namespaces, lower).filter(({ kind }) => kind !== "vlan");
}

function allMacvlans(namespaces: readonly FakeNamespace[], lower: FakeLink | undefined): FakeLink[] {
  return namespaces.flatMap((ns) => ns.links.filter((link) => link.kind === "macvlan" && link.lower === lower));
}

/** is_valid_ether_addr, linux/etherdevice.h. */
function checkMac(address: string): void {
  const first = Number.parseInt(address.slice(0, 2), 16);
  if ((first & 1) !== 0 || address === "00:00:00:00:00:00") throw new Refusal("EADDRNOTAVAIL");
}
