import { ipvlanModeName, ipvlanModes } from "../netlink/link-ipvlan.js";
import { childBirth, recordStep } from "./birth-child.js";
import { type Kind, unsuitable } from "./kind.js";
import type { Memory } from "./memory.js";
import { refuseClash } from "./parent.js";
import type { IpvlanMode } from "./request.js";
import { carrierDifferences, carrierOf, carrierSteps, checkCarrier, vlanOf } from "./vlan-parent.js";
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
  check(wish, view) {
    const parent = checkCarrier(wish, view, "an ipvlan");
    if (wish.queues !== undefined) throw unsuitable("queues are for the ends of a veth, and an ipvlan has none");
    if (wish.sources.length > 0) throw unsuitable("a list of source MACs is for a macvlan of mode source");
    if (wish.mac !== undefined && wish.mac !== parent.address) {
      throw unsuitable(
        `an ipvlan has the MAC of its parent ${parent.name}, ${parent.address}`,
        "leave the MAC out, or use a macvlan",
      );
    }
    refuseClash(wish, "ipvlan", modeOf(wish), parent.name, view.host.siblings);
  },
  birth(b, context, wish, view, displaced) {
    if (wish.hostIfname !== undefined) b.warn(`an ipvlan has no host end, so nothing is called ${wish.hostIfname}`);
    const carrier = carrierOf(wish, view);
    const vlan = vlanOf(wish, wish.to);
    const memory: Memory = {
      guest: context.guestId,
      ifname: wish.ifname,
      netns: context.netns,
      displaced,
      type: "ipvlan",
      to: wish.to,
      ...(vlan === undefined ? {} : { vlan }),
      parent: carrier.name,
      mode: modeOf(wish),
      ...(carrier.address === undefined ? {} : { mac: carrier.address }),
    };
    recordStep(b, context, memory);
    const parent = carrierSteps(b, context, wish, view);
    const linkinfo = { kind: "ipvlan", data: { mode: ipvlanModes[modeOf(wish)] } } as const;
    return {
      guest: childBirth(b, context, wish, view, { linkinfo, parent, hints }),
      marked: "guest",
      commit: () => {},
      fixedMac: true,
    };
  },
  differences(wish, view, link, differs) {
    carrierDifferences(wish, view, link, differs);
    differs("has mode", ipvlanModeName(link.ipvlanMode), wish.mode);
  },
  reborn: (old) => ({
    link: old.link ?? 0,
    linkinfo: { kind: "ipvlan", data: old.ipvlanMode === undefined ? {} : { mode: old.ipvlanMode } },
  }),
};
