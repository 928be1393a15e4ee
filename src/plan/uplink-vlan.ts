import { vlanProtocol } from "../netlink/link-vlan.js";
import { PipeworkError } from "../values/error.js";
import { vlanIfnames } from "../values/host-ifname.js";
import type { PlanBuilder } from "./builder.js";
import { isMark } from "./context.js";
import { parentSteps } from "./parent.js";
import type { BridgeContext } from "./uplink-bridge.js";
import type { UplinkView } from "./uplink-view.js";
import type { LinkView } from "./view.js";
import { describeVlan, type VlanEnd, vlanSteps } from "./vlan-parent.js";

type Links = Pick<UplinkView, "links">;

/** The link of a NIC's VLAN (802.1Q), whatever it is called. */
export function vlanLinkOf({ links }: Links, nic: LinkView, id: number): LinkView | undefined {
  return links.find(
    (link) =>
      link.kind === "vlan" &&
      link.link === nic.index &&
      link.linkNetnsid === undefined &&
      link.vlanId === id &&
      (link.vlanProtocol ?? vlanProtocol.ETH_P_8021Q) === vlanProtocol.ETH_P_8021Q,
  );
}

/** What it is called, or will be; refused where everything that it could be called is taken. */
export function vlanNameOf(view: Links, nic: LinkView, id: number): string {
  const there = vlanLinkOf(view, nic, id);
  if (there !== undefined) return there.name;
  const candidates = vlanIfnames(nic.name, id);
  const free = candidates.find((name) => !view.links.some((link) => link.name === name));
  if (free !== undefined) return free;
  throw new PipeworkError({
    code: "name-taken",
    message: `${describeVlan(nic.name, id)} has no link yet, and what it could be called (${candidates.join(", ")}) is taken by other interfaces`,
    hint: `make it yourself under another name: ip link add link ${nic.name} name NAME type vlan id ${id}`,
  });
}

/** The NIC up, and the VLAN's link up, made when it is missing; it goes again with the sweep once nothing uses it. */
export function uplinkVlanSteps(
  b: PlanBuilder,
  context: BridgeContext,
  view: Links,
  nic: LinkView,
  id: number,
): VlanEnd {
  const link = vlanLinkOf(view, nic, id);
  return vlanSteps(b, context, parentSteps(b, nic), id, {
    ...(link === undefined ? {} : { link }),
    names: new Map(view.links.map((one) => [one.name, one])),
    probes: view.links.filter(
      (one) => one.kind === "macvlan" && one.link === link?.index && one.linkNetnsid === undefined && isMark(one.group),
    ),
    addresses: [],
    ports: [],
  });
}
