import { macvlanMacaddrMode, macvlanModeName, macvlanModes } from "../netlink/link-macvlan.js";
import { childBirth, recordStep } from "./birth-child.js";
import { checkHostAccess, hostAccessOf, hostAccessSteps } from "./host-access.js";
import { type Kind, macOf, unsuitable } from "./kind.js";
import type { LinkAttributes } from "./link-message.js";
import type { Memory } from "./memory.js";
import { refuseClash } from "./parent.js";
import type { MacvlanMode } from "./request.js";
import { carrierDifferences, carrierOf, carrierSteps, checkCarrier, vlanOf } from "./vlan-parent.js";
import type { AttachWish } from "./wish.js";

function modeOf({ mode }: AttachWish): MacvlanMode {
  return (mode ?? "bridge") as MacvlanMode;
}

function dataOf(wish: AttachWish): NonNullable<NonNullable<LinkAttributes["linkinfo"]>["data"]> {
  const mode = macvlanModes[modeOf(wish)];
  if (wish.sources.length === 0) return { mode };
  return {
    mode,
    macaddrMode: macvlanMacaddrMode.MACVLAN_MACADDR_SET,
    macaddrData: { macaddrs: [...wish.sources] },
  };
}

/** Why the kernel may refuse one that nothing seen forbids: what is in other namespaces cannot be looked at. */
const hints = {
  EBUSY: "an ipvlan, a bridge or a bond has that parent already",
  EINVAL:
    "a macvlan of mode passthru has its parent for itself: there is one on it, or this is to be one and there are others",
};

/** A macvlan on an Ethernet interface of the host, born in the guest. */
export const macvlanKind: Kind = {
  infoKind: "macvlan",
  hostEnd: false,
  check(wish, view) {
    const parent = checkCarrier(wish, view, "a macvlan");
    if (wish.queues !== undefined) throw unsuitable("queues are for the ends of a veth, and a macvlan has none");
    if (wish.sources.length > 0 && wish.mode !== "source")
      throw unsuitable("a list of source MACs is for a macvlan of mode source", "add the mode: source");
    if (wish.mode === "passthru" && wish.mac !== undefined && wish.mac !== parent.address) {
      throw unsuitable(
        `a macvlan of mode passthru has the MAC of its parent ${parent.name}, ${parent.address}`,
        "leave the MAC out, or use another mode",
      );
    }
    refuseClash(wish, "macvlan", modeOf(wish), parent.name, view.host.siblings);
    if (wish.hostAccess && modeOf(wish) !== "bridge")
      throw unsuitable(
        `a macvlan of mode ${wish.mode} talks to no other on its parent, the host's included`,
        "host access needs mode bridge",
      );
    checkHostAccess(wish, view.host.access);
  },
  birth(b, context, wish, view, displaced) {
    if (wish.hostIfname !== undefined) b.warn(`a macvlan has no host end, so nothing is called ${wish.hostIfname}`);
    const carrier = carrierOf(wish, view);
    // The kernel gives the parent's to one of mode passthru, whatever is asked for.
    const mac = wish.mode === "passthru" ? (carrier.address ?? "") : macOf(wish, context);
    const vlan = vlanOf(wish, wish.to);
    const hostAccess = hostAccessOf(wish, carrier.name, view.host.access);
    const memory: Memory = {
      guest: context.guestId,
      ifname: wish.ifname,
      netns: context.netns,
      displaced,
      type: "macvlan",
      to: wish.to,
      ...(vlan === undefined ? {} : { vlan }),
      parent: carrier.name,
      mode: modeOf(wish),
      mac,
      ...(hostAccess === undefined ? {} : { hostAccess }),
    };
    recordStep(b, context, memory);
    const parent = carrierSteps(b, context, wish, view);
    const linkinfo = { kind: "macvlan", data: dataOf(wish) } as const;
    return {
      guest: childBirth(b, context, wish, view, { linkinfo, parent, mac, hints }),
      marked: "guest",
      commit: () => {
        const { access } = view.host;
        if (wish.hostAccess && access !== undefined) hostAccessSteps(b, context, wish, parent, access);
      },
    };
  },
  differences(wish, view, link, differs) {
    carrierDifferences(wish, view, link, differs);
    if (wish.hostAccess && view.guest.memory?.hostAccess === undefined)
      differs("is out of the host's reach", "", "true");
    differs("has mode", macvlanModeName(link.macvlanMode), wish.mode);
    if (wish.sources.length > 0)
      differs("has source MACs", [...(link.macvlanSources ?? [])].sort().join(","), [...wish.sources].sort().join(","));
  },
  reborn: (old) => ({
    ...(old.address === undefined ? {} : { address: old.address }),
    link: old.link ?? 0,
    linkinfo: {
      kind: "macvlan",
      data: {
        ...(old.macvlanMode === undefined ? {} : { mode: old.macvlanMode }),
        ...(old.macvlanSources === undefined
          ? {}
          : {
              macaddrMode: macvlanMacaddrMode.MACVLAN_MACADDR_SET,
              macaddrData: { macaddrs: [...old.macvlanSources] },
            }),
      },
    },
  }),
};
