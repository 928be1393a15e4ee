import { ipvlanModeName, ipvlanModes } from "../netlink/link-ipvlan.js";
import { childBirth, recordStep } from "./birth-child.js";
import { type Kind, unsuitable } from "./kind.js";
import type { Memory } from "./memory.js";
import { checkParent, parentSteps, refuseClash } from "./parent.js";
import type { IpvlanMode } from "./request.js";
import type { LinkView } from "./view.js";
import type { AttachWish } from "./wish.js";

function modeOf({ mode }: AttachWish): IpvlanMode {
  return (mode ?? "l2") as IpvlanMode;
}

const hints = {
  EBUSY: "a macvlan, a bridge or a bond has that parent already",
  EADDRINUSE: "another ipvlan on that parent has that address",
};

/** An ipvlan on an Ethernet interface of the host, born in the guest: with the MAC of its parent. */
export const ipvlanKind: Kind = {
  infoKind: "ipvlan",
  hostEnd: false,
  check(wish, { host: { to, siblings } }) {
    const parent = checkParent(wish, to, "an ipvlan");
    if (wish.queues !== undefined) throw unsuitable("queues are for the ends of a veth, and an ipvlan has none");
    if (wish.sources.length > 0) throw unsuitable("a list of source MACs is for a macvlan of mode source");
    if (wish.mac !== undefined && wish.mac !== parent.address) {
      throw unsuitable(
        `an ipvlan has the MAC of its parent ${wish.to}, ${parent.address}`,
        "leave the MAC out, or use a macvlan",
      );
    }
    if (wish.tag !== undefined) throw unsuitable("a VLAN is not in this version yet");
    refuseClash(wish, "ipvlan", modeOf(wish), siblings);
  },
  birth(b, context, wish, view, displaced) {
    if (wish.hostIfname !== undefined) b.warn(`an ipvlan has no host end, so nothing is called ${wish.hostIfname}`);
    const to = view.host.to as LinkView;
    const memory: Memory = {
      guest: context.guestId,
      ifname: wish.ifname,
      netns: context.netns,
      displaced,
      type: "ipvlan",
      to: wish.to,
      parent: to.name,
      mode: modeOf(wish),
      ...(to.address === undefined ? {} : { mac: to.address }),
    };
    recordStep(b, context, memory);
    const parent = parentSteps(b, to);
    const linkinfo = { kind: "ipvlan", data: { mode: ipvlanModes[modeOf(wish)] } } as const;
    return {
      guest: childBirth(b, context, wish, view, { linkinfo, parent, hints }),
      marked: "guest",
      commit: () => {},
      fixedMac: true,
    };
  },
  differences(wish, view, link, differs) {
    if (link.link !== view.host.to?.index) differs("is not on", undefined, wish.to);
    differs("has mode", ipvlanModeName(link.ipvlanMode), wish.mode);
  },
  reborn: (old) => ({
    link: old.link ?? 0,
    linkinfo: { kind: "ipvlan", data: old.ipvlanMode === undefined ? {} : { mode: old.ipvlanMode } },
  }),
};
