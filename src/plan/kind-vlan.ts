import { childBirth, recordStep } from "./birth-child.js";
import { type Kind, unsuitable } from "./kind.js";
import { checkParent, parentSteps } from "./parent.js";
import type { LinkView } from "./view.js";
import { describeVlan, VLAN_TAKEN, vlanOf } from "./vlan-parent.js";

/** The link of a VLAN of an Ethernet interface of the host, born in the guest, which has that VLAN to itself. */
export const vlanKind: Kind = {
  infoKind: "vlan",
  hostEnd: false,
  check(wish, { host: { to, vlan } }) {
    checkParent(wish, to, "a VLAN");
    if (wish.queues !== undefined) throw unsuitable("queues are for the ends of a veth, and a VLAN has none");
    if (wish.sources.length > 0) throw unsuitable("a list of source MACs is for a macvlan of mode source");
    if (wish.mode !== undefined)
      throw unsuitable(`mode ${wish.mode} is for a macvlan or an ipvlan, and a VLAN is asked for`, "leave it out");
    const id = vlanOf(wish, wish.to) as number;
    // A VLAN has one link per parent, wherever that is.
    if (vlan?.link !== undefined) {
      throw unsuitable(
        `${describeVlan(wish.to, id)} is there on the host already, as ${vlan.link.name}, and cannot be in the guest as well`,
        "leave the type out: macvlans share a VLAN",
      );
    }
  },
  birth(b, context, wish, view, displaced) {
    if (wish.hostIfname !== undefined) b.warn(`a VLAN has no host end, so nothing is called ${wish.hostIfname}`);
    const to = view.host.to as LinkView;
    const id = vlanOf(wish, wish.to) as number;
    recordStep(b, context, {
      guest: context.guestId,
      ifname: wish.ifname,
      netns: context.netns,
      displaced,
      type: "vlan",
      to: wish.to,
      vlan: id,
      parent: to.name,
      ...(wish.mac === undefined ? {} : { mac: wish.mac }),
    });
    const parent = parentSteps(b, to);
    const linkinfo = { kind: "vlan", data: { id } } as const;
    const guest = childBirth(b, context, wish, view, {
      linkinfo,
      parent,
      hints: { EEXIST: VLAN_TAKEN },
      ...(wish.mac === undefined ? {} : { mac: wish.mac }),
    });
    // The kernel gives it the parent's.
    return { guest: { ...guest, mac: wish.mac ?? to.address ?? "" }, marked: "guest", commit: () => {} };
  },
  differences(wish, view, link, differs) {
    if (link.link !== view.host.to?.index) differs("is not on", undefined, wish.to);
    differs("is VLAN", link.vlanId, vlanOf(wish, wish.to));
  },
  reborn: (old) => ({
    ...(old.address === undefined ? {} : { address: old.address }),
    link: old.link ?? 0,
    linkinfo: { kind: "vlan", data: old.vlanId === undefined ? {} : { id: old.vlanId } },
  }),
};
