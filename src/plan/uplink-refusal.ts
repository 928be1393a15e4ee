import { ifaFlags } from "../netlink/address.js";
import { arphrd, ifFlags } from "../netlink/link.js";
import { PipeworkError } from "../values/error.js";
import { noSuchInterface } from "./bridge.js";
import type { UplinkWish } from "./bridge-wish.js";
import type { PlanBuilder } from "./builder.js";
import { addressKey, flagsOf, lifetimeOf } from "./handover-address.js";
import { routeText } from "./handover-route.js";
import { unsuitable } from "./kind.js";
import type { KernelAddress, KernelRoute, KernelRule, UplinkView } from "./uplink-view.js";
import type { LinkView } from "./view.js";

/** Kinds that take every frame of their parent, as a bridge does: the kernel lets only one have it (EBUSY). */
const siblings = ["macvlan", "macvtap", "ipvlan", "ipvtap"];

/** Kinds of port behind which there is a guest; any other leads out of the machine. */
const guestKinds = ["veth", "tun", "netkit", "dummy"];

function nameOf(view: UplinkView, index: number | undefined): string {
  return view.links.find((link) => link.index === index)?.name ?? `interface ${index}`;
}

/** The NIC by its name, if it can be a port of a bridge at all. */
export function checkNic(wish: UplinkWish, view: UplinkView, nic: LinkView | undefined): LinkView {
  if (nic === undefined) {
    const { code, message } = noSuchInterface(wish.uplink);
    throw new PipeworkError({ code, message, hint: "`ip link` lists what is there" });
  }
  const { name } = nic;
  if ((nic.flags & ifFlags.IFF_LOOPBACK) !== 0)
    throw unsuitable(`${name} is the loopback interface`, "an uplink is an Ethernet interface that leads outside");
  if (nic.type !== arphrd.ARPHRD_ETHER)
    throw unsuitable(
      `${name} is no Ethernet interface (link-layer type ${nic.type}), and a bridge takes nothing else`,
      "route to the guests instead",
    );
  if (nic.kind === "bridge" || nic.kind === "openvswitch")
    throw unsuitable(
      `${name} is a bridge itself, and no port of another`,
      `attach to ${name}, or join two bridges by a veth`,
    );
  const kin = view.links.filter(
    (link) => link.link === nic.index && link.linkNetnsid === undefined && siblings.includes(link.kind ?? ""),
  );
  if (kin.length > 0 && wish.vlan === undefined)
    throw unsuitable(
      `${name} carries ${kin.map((link) => `the ${link.kind} ${link.name}`).join(" and ")}, which take its frames before a bridge could`,
      `remove ${kin.length === 1 ? "it" : "them"} first, or attach everything by macvlan`,
    );
  return nic;
}

/** A port of something else already. */
export function checkMaster(view: UplinkView, port: LinkView, bridge: LinkView | undefined): void {
  if (port.master === undefined || port.master === bridge?.index) return;
  throw unsuitable(
    `${port.name} is a port of the ${port.slaveKind ?? "link"} ${nameOf(view, port.master)} already`,
    port.slaveKind === "bridge"
      ? `use that bridge, or take the port out: ip link set ${port.name} nomaster`
      : `give that ${port.slaveKind ?? "link"} as the uplink`,
  );
}

/** The port by which a bridge leads out of the machine. */
export function uplinkPort(view: UplinkView, bridge: LinkView, except?: string): LinkView | undefined {
  const { links, record } = view;
  return links.find(
    (link) =>
      link.master === bridge.index &&
      link.name !== except &&
      (link.name === record?.uplink || !guestKinds.includes(link.kind ?? "")),
  );
}

/** Another way out of the machine that the bridge has: with two of them frames may go round for ever. */
export function checkOtherUplink(view: UplinkView, bridge: LinkView, port: string): void {
  const other = uplinkPort(view, bridge, port);
  if (other === undefined) return;
  const recorded = view.record?.uplink === other.name;
  throw new PipeworkError({
    code: "name-taken",
    message: `${bridge.name} has ${other.kind === undefined ? "" : `the ${other.kind} `}${other.name} as its uplink already`,
    hint: recorded
      ? `take that back first: pipework bridge ${bridge.name} --release`
      : `choose another bridge, or take it out: ip link set ${other.name} nomaster`,
  });
}

/** What is there under the bridge's name, if a NIC may become a port of it without cutting the host off. */
export function checkBridge(name: string, bridge: LinkView): void {
  if (bridge.kind !== "bridge")
    throw new PipeworkError({
      code: "name-taken",
      message: `${name} is ${bridge.kind === undefined ? "no bridge" : `a ${bridge.kind}`}`,
      hint: "choose another name for the bridge, such as br0",
    });
  if (bridge.stp === true)
    throw unsuitable(
      `${name} runs the spanning tree protocol: a new port forwards nothing for 30 seconds, and the host would be cut off`,
      `choose another bridge, or turn it off: ip link set ${name} type bridge stp_state 0`,
    );
  if (bridge.vlanFiltering === true && bridge.vlanDefaultPvid === 0)
    throw unsuitable(
      `${name} filters VLANs and makes a new port a member of none, so the host would be cut off`,
      `choose another bridge, or give it one: ip link set ${name} type bridge vlan_default_pvid 1`,
    );
}

function lifetimeText(seconds: number): string {
  return seconds >= 7200 ? `${Math.floor(seconds / 3600)} hours` : `${seconds} seconds`;
}

/** Addresses that somebody looks after, and that would end with the lease. */
export function checkLifetimes(
  b: PlanBuilder,
  link: string,
  to: string,
  addresses: readonly KernelAddress[],
  force: boolean,
): void {
  const failed = addresses.find((one) => (flagsOf(one) & ifaFlags.IFA_F_DADFAILED) !== 0);
  if (failed !== undefined)
    throw unsuitable(
      `${link} has ${addressKey(failed)}, which another station of that network has as well (duplicate)`,
      `remove it first: ip address del ${addressKey(failed)} dev ${link}`,
    );
  const limited = addresses.flatMap((one) => {
    const left = lifetimeOf(one);
    return left === undefined ? [] : [`${addressKey(one)} (${lifetimeText(left)})`];
  });
  if (limited.length === 0) return;
  const what = `${limited.join(" and ")} of ${link} ${limited.length === 1 ? "has a lifetime" : "have lifetimes"}`;
  if (force) {
    b.warn(`${what}: a DHCP client or router that renewed it on ${link} must do so on ${to} from now on`);
    return;
  }
  throw unsuitable(
    `${what}: a DHCP client or a router looks after it on ${link}, and would lose sight of it`,
    `configure that client for ${to}, or give the host a fixed address; --force hands it over with the time that is left`,
  );
}

/** Next hop objects are shared by routes, and name their link themselves. */
export function checkNextHops(link: string, routes: readonly KernelRoute[]): void {
  const object = routes.find((route) => route.attributes.nhId !== undefined);
  if (object === undefined) return;
  throw new PipeworkError({
    code: "unsupported",
    message: `the route ${routeText(object)} on ${link} uses the next hop object ${object.attributes.nhId}, and those are not handed over in this version`,
    hint: "give the route its next hop itself (via and dev), and repeat the command",
  });
}

/** Rules see the bridge from now on where they saw the NIC. */
export function checkRules(
  b: PlanBuilder,
  link: string,
  to: string,
  rules: readonly KernelRule[],
  force: boolean,
): void {
  const naming = rules.filter(({ attributes }) => attributes.iifname === link || attributes.oifname === link);
  if (naming.length === 0) return;
  const which = naming.map(({ attributes }) => `priority ${attributes.priority ?? 0}`).join(", ");
  const what = `routing rules name ${link} (${which}), and packets go through ${to} from now on`;
  if (force) {
    b.warn(what);
    return;
  }
  throw unsuitable(what, `make the same rules for ${to} first, and repeat with --force`);
}
