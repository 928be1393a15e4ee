import { bridgeVlan, bridgeVlanInfo } from "../../src/netlink/bridge-vlan.js";
import { AF_BRIDGE } from "../../src/netlink/family.js";
import { ifFlags, ifOper, link as linkNoun } from "../../src/netlink/link.js";
import { bridgePortStates } from "../../src/netlink/link-bridge.js";
import { decodeMessage, encodeMessage, nlmFlags } from "../../src/netlink/message.js";
import { Reader, Writer } from "../../src/netlink/wire.js";
import { macBytes } from "../../src/values/mac.js";
import { attribute, attributeAt, joined } from "./attribute.js";
import type { FakeKernel } from "./kernel.js";
import type { FakeLink, FakeNamespace } from "./link.js";
import { Refusal } from "./refusal.js";

const AF_SPEC = 26;
const AF_INET = 2;
const IFLA_INET_CONF = 1;
const ARP_NOTIFY = 22;
const IFLA_LINKINFO = 18;
const IFLA_MACVLAN_MODE = 1;
const IFLA_MACVLAN_MACADDR = 4;
const IFLA_MACVLAN_MACADDR_DATA = 5;
const IFLA_IPVLAN_MODE = 1;
const IFLA_VLAN_ID = 1;
const IFLA_VLAN_PROTOCOL = 5;
const IFLA_BR_STP_STATE = 5;
const IFLA_BR_VLAN_FILTERING = 7;
const IFLA_BRPORT_STATE = 1;
/** IPV4_DEVCONF_MAX, linux/ip.h. */
const DEVCONFS = 33;
/** nlmsghdr and ifinfomsg. */
const ATTRIBUTES = 32;

type LinkMessage = ReturnType<
  typeof decodeMessage<(typeof linkNoun)["header"]["fields"], (typeof linkNoun)["attributes"]["rows"]>
>;

/** br_setlink, br_dellink and the dump of them, net/bridge/br_netlink.c. */
function bridgeVlanMessage(kernel: FakeKernel, ns: FakeNamespace, bytes: Uint8Array): Uint8Array {
  const { type, header, attributes } = decodeMessage(bridgeVlan, new Reader(bytes));
  if (type === "RTM_GETLINK") {
    const ports = ns.links.filter(({ master }) => master !== undefined);
    return joined(
      ...ports.map(
        (port) =>
          encodeMessage(bridgeVlan, {
            type: "RTM_NEWLINK",
            header: { family: AF_BRIDGE, index: port.index },
            attributes: { afSpec: { vlans: [...port.vlans].map(([vid, flags]) => ({ vid, flags })) } },
          }).bytes,
      ),
    );
  }
  const port = kernel.links.at(ns, header.index);
  if (port.master?.vlanFiltering !== true) throw new Refusal("EOPNOTSUPP");
  let first = 0;
  for (const { vid, flags } of attributes.afSpec?.vlans ?? []) {
    if ((flags & bridgeVlanInfo.BRIDGE_VLAN_INFO_RANGE_END) === 0) first = vid;
    if ((flags & bridgeVlanInfo.BRIDGE_VLAN_INFO_RANGE_BEGIN) !== 0) continue;
    for (let id = first; id <= vid; id++) {
      if (type === "RTM_SETLINK") port.vlans.set(id, flags & 6);
      else if (!port.vlans.delete(id)) throw new Refusal("ENOENT");
    }
  }
  return new Uint8Array();
}

/** RTM_*LINK of one namespace; the answer is the reply messages. */
export function linkMessage(kernel: FakeKernel, ns: FakeNamespace, bytes: Uint8Array): Uint8Array {
  if (bytes[16] === AF_BRIDGE) return bridgeVlanMessage(kernel, ns, bytes);
  const message = decodeMessage(linkNoun, new Reader(bytes));
  const flags = new Reader(bytes).u16(6);
  switch (message.type) {
    case "RTM_GETLINK":
      return (flags & nlmFlags.NLM_F_DUMP) === nlmFlags.NLM_F_DUMP
        ? dump(ns, message)
        : reply(found(kernel, ns, message));
    case "RTM_NEWLINK":
      return create(kernel, ns, message);
    case "RTM_SETLINK":
      return change(kernel, ns, message, bytes);
    case "RTM_DELLINK":
      kernel.links.delete(found(kernel, ns, message));
      return new Uint8Array();
    default:
      throw new Refusal("EOPNOTSUPP");
  }
}

function found(kernel: FakeKernel, ns: FakeNamespace, { header, attributes }: LinkMessage): FakeLink {
  if (header.index !== 0) return kernel.links.at(ns, header.index);
  const link = attributes.ifname === undefined ? undefined : kernel.links.find(ns, attributes.ifname);
  if (link === undefined) throw new Refusal("ENODEV");
  return link;
}

function dump(ns: FakeNamespace, { attributes }: LinkMessage): Uint8Array {
  const { master, linkinfo } = attributes;
  const wanted = ns.links.filter(
    (link) =>
      (master === undefined || link.master?.index === master) &&
      (linkinfo?.kind === undefined || link.kind === linkinfo.kind),
  );
  return joined(...wanted.map(reply));
}

/** A port forwards when it, its bridge and its other end are up. */
function portState(link: FakeLink): number {
  const forwards = link.up && link.master?.up === true && link.peer?.up !== false;
  return bridgePortStates.indexOf(forwards ? "forwarding" : "disabled");
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** The kernel ends its strings with a zero, which requests may leave out. */
function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

/** IFLA_LINKINFO as the kernel writes it: IFLA_INFO_KIND 1, _DATA 2, _SLAVE_KIND 4, _SLAVE_DATA 5. */
function linkInfo(link: FakeLink): Uint8Array {
  const parts: Uint8Array[] = [];
  if (link.kind !== undefined) parts.push(attribute(1, text(link.kind)));
  if (link.kind === "macvlan") {
    const sources = joined(...link.macvlanSources.map((mac) => attribute(IFLA_MACVLAN_MACADDR, macBytes(mac))));
    const mode = attribute(IFLA_MACVLAN_MODE, u32(link.macvlanMode ?? 0));
    const list = link.macvlanSources.length === 0 ? [] : [attribute(IFLA_MACVLAN_MACADDR_DATA, sources)];
    parts.push(attribute(2, joined(mode, ...list)));
  }
  if (link.kind === "ipvlan")
    parts.push(attribute(2, attribute(IFLA_IPVLAN_MODE, Uint8Array.of(link.ipvlanMode ?? 0, 0))));
  if (link.kind === "vlan") {
    const id = Uint8Array.of((link.vlanId ?? 0) & 0xff, (link.vlanId ?? 0) >> 8);
    // ETH_P_8021Q, in network order.
    parts.push(
      attribute(2, joined(attribute(IFLA_VLAN_PROTOCOL, Uint8Array.of(0x81, 0)), attribute(IFLA_VLAN_ID, id))),
    );
  }
  if (link.kind === "bridge") {
    const filtering = attribute(IFLA_BR_VLAN_FILTERING, Uint8Array.of(link.vlanFiltering ? 1 : 0));
    parts.push(attribute(2, joined(attribute(IFLA_BR_STP_STATE, u32(0)), filtering)));
  }
  if (link.master !== undefined)
    parts.push(
      attribute(4, text("bridge")),
      attribute(5, attribute(IFLA_BRPORT_STATE, Uint8Array.of(portState(link)))),
    );
  return parts.length === 0 ? new Uint8Array() : attribute(IFLA_LINKINFO, joined(...parts));
}

function reply(link: FakeLink): Uint8Array {
  const far = link.peer ?? link.lower;
  const { bytes } = encodeMessage(linkNoun, {
    type: "RTM_NEWLINK",
    header: {
      type: link.type,
      index: link.index,
      flags: (link.up ? ifFlags.IFF_UP : 0) | (link.name === "lo" ? ifFlags.IFF_LOOPBACK : ifFlags.IFF_BROADCAST),
    },
    attributes: {
      ifname: link.name,
      address: link.address,
      mtu: link.mtu,
      group: link.group,
      operstate: link.up ? ifOper.IF_OPER_UP : ifOper.IF_OPER_DOWN,
      numTxQueues: link.queues,
      numRxQueues: link.queues,
      ...(link.alias === undefined ? {} : { ifalias: link.alias }),
      ...(link.master === undefined ? {} : { master: link.master.index }),
      ...(far === undefined ? {} : { link: far.index, ...(far.netns === link.netns ? {} : { linkNetnsid: 0 }) }),
    },
  });
  const conf = new Writer();
  conf.u32(conf.reserve(DEVCONFS * 4) + (ARP_NOTIFY - 1) * 4, link.arpNotify);
  const whole = joined(
    bytes,
    linkInfo(link),
    attribute(AF_SPEC, attribute(AF_INET, attribute(IFLA_INET_CONF, conf.finish()))),
  );
  new DataView(whole.buffer).setUint32(0, whole.length, true);
  return whole;
}

function create(kernel: FakeKernel, ns: FakeNamespace, { header, attributes: a }: LinkMessage): Uint8Array {
  const kind = a.linkinfo?.kind;
  if (kind === undefined) throw new Refusal("EOPNOTSUPP", "Unknown device type");
  const { data } = a.linkinfo ?? {};
  const there = a.netNsFd === undefined ? ns : kernel.namespaceOfDescriptor(a.netNsFd);
  const base = {
    name: a.ifname ?? "",
    kind,
    address: a.address,
    mtu: a.mtu,
    group: a.group,
    queues: a.numTxQueues,
    master: a.master === undefined ? undefined : kernel.links.at(ns, a.master),
    up: (header.change & header.flags & ifFlags.IFF_UP) !== 0 || (header.flags & ifFlags.IFF_UP) !== 0,
  };
  if (kind === "veth") {
    const peer = data !== undefined && "peer" in data ? data.peer : undefined;
    if (peer === undefined) throw new Refusal("EINVAL");
    const far = peer.attributes;
    const peerNs = far.netNsFd === undefined ? there : kernel.namespaceOfDescriptor(far.netNsFd);
    kernel.links.createVeth(there, base, peerNs, {
      name: far.ifname ?? "",
      kind,
      address: far.address,
      mtu: far.mtu,
      group: far.group,
      queues: far.numTxQueues,
    });
    return new Uint8Array();
  }
  if (kind === "macvlan" || kind === "ipvlan" || kind === "vlan" || kind === "dummy") {
    // The kernel up to 6.12 looks for the name in the sender's namespace as well.
    if (there !== ns && kernel.links.find(ns, base.name) !== undefined) throw new Refusal("EEXIST");
    const lower = a.link === undefined ? undefined : kernel.links.at(ns, a.link);
    const mode = data !== undefined && "mode" in data ? (data.mode as number) : undefined;
    const macvlanSources = data !== undefined && "macaddrData" in data ? data.macaddrData?.macaddrs : undefined;
    const vlanId = data !== undefined && "id" in data ? data.id : undefined;
    const ofKind =
      kind === "macvlan"
        ? { macvlanMode: mode, macvlanSources }
        : kind === "ipvlan"
          ? { ipvlanMode: mode }
          : kind === "vlan"
            ? { vlanId }
            : {};
    kernel.links.create(there, { ...base, lower, ...ofKind });
    return new Uint8Array();
  }
  if (kind !== "bridge") throw new Refusal("EOPNOTSUPP", "Unknown device type");
  const vlanFiltering = data !== undefined && "vlanFiltering" in data && data.vlanFiltering === 1;
  kernel.links.create(there, { ...base, vlanFiltering });
  return new Uint8Array();
}

/** do_setlink, net/core/rtnetlink.c: the address is first, the flags are last. */
function change(kernel: FakeKernel, ns: FakeNamespace, message: LinkMessage, bytes: Uint8Array): Uint8Array {
  const link = found(kernel, ns, message);
  const { header, attributes: a } = message;
  if (a.address !== undefined) kernel.links.setAddress(link, a.address);
  if (a.mtu !== undefined) link.mtu = a.mtu;
  if (a.group !== undefined) link.group = a.group;
  if (header.index !== 0 && a.ifname !== undefined) kernel.links.rename(link, a.ifname);
  if (a.ifalias !== undefined) link.alias = a.ifalias === "" ? undefined : a.ifalias;
  if (a.master !== undefined) kernel.links.enslave(link, a.master === 0 ? undefined : kernel.links.at(ns, a.master));
  const arpNotify = attributeAt(bytes, ATTRIBUTES, [AF_SPEC, AF_INET, IFLA_INET_CONF, ARP_NOTIFY]);
  if (arpNotify !== undefined) link.arpNotify = new Reader(arpNotify).u32(0);
  if ((header.change & ifFlags.IFF_UP) !== 0) kernel.links.setUp(link, (header.flags & ifFlags.IFF_UP) !== 0);
  return new Uint8Array();
}
