import { ifFlags } from "../netlink/link.js";
import { PipeworkError } from "../values/error.js";
import { probeIfname, vlanIfnames } from "../values/host-ifname.js";
import { tagText } from "../values/tag.js";
import { refuseAdvertisements } from "./bridge.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { isMark, type PlanContext, slots } from "./context.js";
import { clearDebris } from "./host-end.js";
import { unsuitable } from "./kind.js";
import { deleteLink, dumpLinks, getLinkByName, linkPaths, newLink, setLink } from "./link-message.js";
import { VLAN_ALIAS } from "./memory.js";
import { checkParent, type ParentEnd, parentSteps } from "./parent.js";
import { probeLink } from "./probe.js";
import type { Undo } from "./step.js";
import type { AttachView, LinkView, VlanView } from "./view.js";
import type { AttachWish } from "./wish.js";

/** The link of a VLAN on the host. */
export interface VlanEnd extends ParentEnd {
  /** As it was found; absent where this plan makes it. */
  readonly there?: LinkView;
}

/** The id that is wished on a parent which can carry one VLAN and nothing else. */
export function vlanOf({ tag }: AttachWish, parent: string): number | undefined {
  if (tag === undefined) return undefined;
  if ("vlan" in tag) return tag.vlan;
  if ("trunk" in tag)
    throw unsuitable(`a trunk (${tagText(tag)}) is for a bridge, and ${parent} is none`, "name one VLAN, such as 10");
  throw unsuitable(
    `a partition key (${tagText(tag)}) is for InfiniBand, and ${parent} is an Ethernet interface`,
    "name a VLAN, such as 10",
  );
}

/** Why the kernel refuses a second link of a VLAN while the host has none: vlan_check_real_dev looks in all namespaces. */
export const VLAN_TAKEN =
  "a VLAN of a parent has one link, and a guest has it: `pipework list` shows those of type vlan; macvlans share one";

/** "VLAN 10 of eth0", and what its link is called when that is not the same. */
export function describeVlan(parent: string, id: number, link?: LinkView): string {
  return `VLAN ${id} of ${parent}${link === undefined || link.name === `${parent}.${id}` ? "" : ` (${link.name})`}`;
}

/** Refuses a parent that cannot have the VLAN, or a VLAN that cannot carry `what`, before anything is touched. */
export function checkVlan(
  wish: AttachWish,
  parent: LinkView,
  id: number,
  { link, names }: Pick<VlanView, "link" | "names">,
  what: string,
): void {
  const which = describeVlan(parent.name, id, link);
  if (link === undefined) {
    const candidates = vlanIfnames(parent.name, id);
    if (!candidates.every((name) => names.has(name))) return;
    throw new PipeworkError({
      code: "name-taken",
      message: `${which} has no link yet, and what it could be called (${candidates.join(", ")}) is taken by other interfaces`,
      hint: `make it yourself under another name: ip link add link ${parent.name} name NAME type vlan id ${id}`,
    });
  }
  if (wish.mtu !== undefined && wish.mtu > link.mtu)
    throw unsuitable(`MTU ${wish.mtu} is more than the ${link.mtu} of ${which}`, `ask for ${link.mtu} or less`);
  if (link.slaveKind !== undefined && what !== "a port") {
    throw unsuitable(
      `${which} is enslaved to a ${link.slaveKind}, so it cannot be the parent of ${what}`,
      `attach to that ${link.slaveKind} instead`,
    );
  }
}

/** What a macvlan or an ipvlan is made on: `to`, or the link of a VLAN of it, which may have to be made first. */
export interface Carrier {
  readonly name: string;
  /** A VLAN that is made has its parent's. */
  readonly address?: string;
}

/** Where it can be made. `what` ("a macvlan") is how refusals call what is wished. */
export function checkCarrier(wish: AttachWish, view: AttachView, what: string): Carrier {
  const to = checkParent(wish, view.host.to, what);
  const id = vlanOf(wish, wish.to);
  if (id !== undefined) checkVlan(wish, to, id, view.host.vlan as VlanView, what);
  return carrierOf(wish, view);
}

/** What it is called, or will be, and its MAC. */
export function carrierOf(wish: AttachWish, { host }: AttachView): Carrier {
  const to = host.to as LinkView;
  const id = vlanOf(wish, wish.to);
  const { link, names } = host.vlan ?? { names: new Map() };
  if (id === undefined || link !== undefined) return link ?? to;
  return { name: freeName(to.name, id, names), ...(to.address === undefined ? {} : { address: to.address }) };
}

function freeName(parent: string, id: number, taken: VlanView["names"]): string {
  return vlanIfnames(parent, id).find((one) => !taken.has(one)) as string;
}

/** The steps that make it ready: the parent is brought up, the VLAN's link is made when missing. */
export function carrierSteps(b: PlanBuilder, context: PlanContext, wish: AttachWish, view: AttachView): ParentEnd {
  const parent = parentSteps(b, view.host.to as LinkView);
  const id = vlanOf(wish, wish.to);
  return id === undefined ? parent : vlanSteps(b, context, parent, id, view.host.vlan as VlanView);
}

/** What a link that is there has otherwise than wished: another parent, another VLAN of it. */
export function carrierDifferences(
  wish: AttachWish,
  { host, guest }: AttachView,
  link: LinkView,
  differs: (what: string, is: unknown, wished: unknown) => void,
): void {
  const wished = vlanOf(wish, wish.to);
  const parent = wished === undefined ? host.to : host.vlan?.link;
  if (parent !== undefined && link.link === parent.index) return;
  const { to: isTo = wish.to, vlan: is } = guest.memory ?? {};
  const words = (id: number | undefined) => (id === undefined ? "no VLAN" : `VLAN ${id}`);
  differs("is on", isTo, wish.to);
  differs("is on", words(is), words(wished));
  // Both as recorded, and yet on another link: the one that it was made on has been replaced.
  if (isTo === wish.to && is === wished)
    differs("is not on", undefined, wished === undefined ? wish.to : describeVlan(wish.to, wished));
}

/**
 * The link of a VLAN on the host: found by parent and id and never by its name, made when missing, finished where a
 * killed run left it half made. One that is there is used whoever made it. It is up behind these steps, and accepts
 * no router advertisements where we made it.
 */
export function vlanSteps(
  b: PlanBuilder,
  context: Pick<PlanContext, "mark">,
  parent: ParentEnd,
  id: number,
  { link, names, probes }: VlanView,
): VlanEnd {
  if (link === undefined) return makeVlan(b, context, parent, id, names);
  for (const [i, probe] of probes.entries())
    clearDebris(b, `debris.probe${i === 0 ? "" : i}`, probe, "host", "left by a killed run");
  const end = { index: link.index, name: link.name, mtu: link.mtu, there: link };
  const isUp = (link.flags & ifFlags.IFF_UP) !== 0;
  if (isMark(link.group)) {
    refuseAdvertisements(b, "vlan-link", link.name, { builtin: "what was there before is written back" });
    b.add({
      id: "vlan-link.up",
      label: `${describeVlan(parent.name, id, link)}, left half made by a killed run, finished`,
      netns: "host",
      op: { op: "netlink", message: setLink(link.index, { group: 0, ifalias: VLAN_ALIAS }, true) },
      undo: inverse("host", {
        op: "netlink",
        message: setLink(link.index, { group: link.group, ifalias: link.alias ?? "" }, isUp),
      }),
    });
  } else if (!isUp) {
    b.add({
      id: "vlan-link.up",
      label: `${describeVlan(parent.name, id, link)} up`,
      netns: "host",
      op: { op: "netlink", message: setLink(link.index, {}, true) },
      undo: inverse("host", { op: "netlink", message: setLink(link.index, {}, false) }),
    });
  }
  return end;
}

function makeVlan(
  b: PlanBuilder,
  context: Pick<PlanContext, "mark">,
  parent: ParentEnd,
  id: number,
  names: VlanView["names"],
): VlanEnd {
  const name = freeName(parent.name, id, names);
  const index = { slot: slots.vlanLink };
  const birth = b.add({
    id: "vlan-link.create",
    label: `${describeVlan(parent.name, id)}, the link ${name}`,
    netns: "host",
    op: {
      op: "netlink",
      // Without an MTU it has its parent's, less where that cannot carry a tag beside it.
      message: newLink({
        ifname: name,
        link: parent.index,
        group: context.mark,
        linkinfo: { kind: "vlan", data: { id } },
      }),
    },
    undo: unmakeVlan(name, context.mark),
    hints: { EEXIST: VLAN_TAKEN },
  });
  b.add({
    id: "vlan-link.find",
    label: `${name} found`,
    netns: "host",
    op: { op: "netlink", message: getLinkByName(name), capture: { slot: slots.vlanLink } },
    undo: { none: "reads only" },
  });
  refuseAdvertisements(b, "vlan-link", name, { ownedBy: birth });
  b.add({
    id: "vlan-link.up",
    label: `${name} up and marked as ours`,
    netns: "host",
    op: { op: "netlink", message: setLink(index, { group: 0, ifalias: VLAN_ALIAS }, true) },
    undo: { ownedBy: birth },
  });
  return { index, name, mtu: parent.mtu };
}

/** Deletes it again, unless another program has put something on it meanwhile: only then can the probe not be made. */
function unmakeVlan(name: string, mark: number): Undo {
  const index = { slot: slots.vlanLink };
  const probe = { slot: slots.probe };
  const marked = (ifname: string) => [
    { path: linkPaths.group, value: mark },
    { path: linkPaths.ifname, value: ifname },
  ];
  return inverse(
    "host",
    {
      op: "netlink",
      message: dumpLinks(),
      capture: { slot: slots.vlanLink, where: marked(name) },
      unlessSlot: slots.vlanLink,
    },
    {
      op: "netlink",
      message: probeLink(index, name, mark),
      tolerate: ["EBUSY", "EINVAL"],
      ifSlot: slots.vlanLink,
    },
    {
      op: "netlink",
      message: getLinkByName(probeIfname(name)),
      capture: { slot: slots.probe, where: marked(probeIfname(name)) },
    },
    { op: "netlink", message: deleteLink(index), tolerate: ["ENODEV"], ifSlot: probe.slot },
  );
}
