import { rtnType, rtProt, rtScope } from "../../src/netlink/route.js";
import { addAddress } from "./ip-stack.js";
import type { FakeLink, FakeNamespace, FakeRoute } from "./link.js";
import type { FakeMachine } from "./machine.js";
import { addRoute } from "./route-table.js";

/** What is on a machine before pipework comes. */
export class Scene {
  readonly machine: FakeMachine;

  constructor(machine: FakeMachine) {
    this.machine = machine;
  }

  guest(name: string, options: { ipv6?: boolean } = {}): FakeNamespace {
    return this.machine.kernel.addNamespace(`/run/netns/${name}`, options);
  }

  bridge(
    name: string,
    { up = true, mtu = 1500, vlanFiltering = false }: { up?: boolean; mtu?: number; vlanFiltering?: boolean } = {},
  ): FakeLink {
    const { links } = this.machine.kernel;
    return links.create(this.machine.host, { name, kind: "bridge", mtu, up, vlanFiltering });
  }

  /** A physical NIC of the host. */
  nic(name: string, { up = true, mtu = 1500 }: { up?: boolean; mtu?: number } = {}): FakeLink {
    const { links } = this.machine.kernel;
    return links.create(this.machine.host, { name, kind: undefined, mtu, up });
  }

  /** A VLAN of a NIC that somebody else made. */
  vlan(parent: string, name: string, id: number, { up = true }: { up?: boolean } = {}): FakeLink {
    const { links } = this.machine.kernel;
    const lower = links.find(this.machine.host, parent);
    return links.create(this.machine.host, { name, kind: "vlan", lower, vlanId: id, up });
  }

  /** A veth that somebody else made, as Docker does: eth0 with addresses in the guest, its other end on the host. */
  foreign(guest: FakeNamespace, name: string, addresses: readonly string[] = []): FakeLink {
    const { links } = this.machine.kernel;
    const near = links.createVeth(this.machine.host, { name: `f${guest.ino % 1000}${name}`, kind: "veth" }, guest, {
      name,
      kind: "veth",
    });
    const link = near.peer as FakeLink;
    if (addresses.some((text) => text.includes(":"))) link.ipv6.set("disable_ipv6", "0");
    links.setUp(near, true);
    links.setUp(link, true);
    for (const text of addresses) {
      const [address, length] = text.split("/") as [string, string];
      const family = address.includes(":") ? "inet6" : "inet";
      addAddress({ family, link, address, prefixlen: Number(length), broadcast: undefined });
    }
    return link;
  }

  route(link: FakeLink, more: Partial<FakeRoute> & Pick<FakeRoute, "family">): void {
    const route: FakeRoute = {
      dst: undefined,
      dstLen: 0,
      link,
      gateway: undefined,
      metric: more.family === "inet6" ? 1024 : 0,
      protocol: rtProt.RTPROT_BOOT,
      scope: more.gateway === undefined && more.family === "inet" ? rtScope.RT_SCOPE_LINK : rtScope.RT_SCOPE_UNIVERSE,
      type: rtnType.RTN_UNICAST,
      tos: 0,
      onlink: false,
      prefsrc: undefined,
      metrics: undefined,
      multipath: undefined,
      ...more,
    };
    addRoute(link.netns, route, { create: true, excl: false, replace: false, append: true });
  }

  /** The default gateway a container engine gives. */
  default4(link: FakeLink, gateway: string, more: Partial<FakeRoute> = {}): void {
    this.route(link, { family: "inet", gateway, ...more });
  }

  default6(link: FakeLink, gateway: string, more: Partial<FakeRoute> = {}): void {
    this.route(link, { family: "inet6", gateway, ...more });
  }
}
