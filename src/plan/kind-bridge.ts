import { type Tag, tagText } from "../values/tag.js";
import { vethBirth, vethCommit } from "./birth-veth.js";
import { bridgeSteps, isBridgeName, noSuchInterface } from "./bridge.js";
import { checkUplink, enslaveSteps, uplinkDifferences, uplinkSteps } from "./bridge-over-vlan.js";
import { chooseHostIfname } from "./host-end.js";
import { type Kind, macOf, unsuitable } from "./kind.js";
import type { Memory } from "./memory.js";
import { DEFAULT_PVID, portVlanSteps, tagOf, vlanText } from "./port-vlan.js";
import type { AttachWish } from "./wish.js";

/** What the port itself is tagged with; with an uplink, the VLAN is that of another port. */
function portTag({ tag, uplink }: AttachWish): Tag | undefined {
  return uplink === undefined ? tag : undefined;
}

/** A veth whose host end is a port of a Linux bridge. */
export const bridgeKind: Kind = {
  infoKind: "veth",
  hostEnd: true,
  check(wish, view) {
    const { to } = view.host;
    if (to === undefined) {
      if (!isBridgeName(wish.to)) throw noSuchInterface(wish.to);
    } else if (to.kind !== "bridge") {
      throw unsuitable(
        `${wish.to} is ${to.kind === undefined ? "no" : `a ${to.kind}, not a`} bridge`,
        "leave the type out, or use macvlan",
      );
    }
    if (wish.mode !== undefined)
      throw unsuitable(`mode ${wish.mode} is for a macvlan or an ipvlan, and ${wish.to} is a bridge`, "leave it out");
    if (wish.sources.length > 0) throw unsuitable("a list of source MACs is for a macvlan of mode source");
    if (wish.uplink !== undefined) return checkUplink(wish, view);
    if (wish.tag === undefined) return;
    if ("pkey" in wish.tag)
      throw unsuitable(`${wish.to} is a bridge, and a partition key is for InfiniBand`, "give a VLAN id");
    if (to !== undefined && to.vlanFiltering !== true) {
      throw unsuitable(
        `bridge ${wish.to} does not tell VLANs apart, and a plain bridge that is there is left as it is`,
        `use another bridge (one that pipework makes for a VLAN filters), or set it yourself: ip link set ${to.name} type bridge vlan_filtering 1`,
      );
    }
  },
  birth(b, context, wish, view, displaced) {
    const { to } = view.host;
    const tag = portTag(wish);
    const uplink = wish.uplink === undefined ? undefined : uplinkSteps(b, context, wish, view);
    const made = bridgeSteps(b, context, wish.to, to, tag !== undefined);
    const bridge = uplink === undefined ? made : enslaveSteps(b, wish, view, uplink, made);
    const hostIfname = chooseHostIfname(b, context, wish, view);
    const { guest, host } = vethBirth(b, context, wish, { hostIfname, guestMac: macOf(wish, context), bridge });
    if (tag !== undefined) portVlanSteps(b, host, guest.birth as string, tag, to?.vlanDefaultPvid ?? DEFAULT_PVID);
    const memory: Memory = { guest: context.guestId, ifname: wish.ifname, netns: context.netns, displaced };
    return {
      guest,
      hostEnd: host,
      marked: "host",
      commit: () =>
        vethCommit(
          b,
          context,
          host,
          guest.birth as string,
          memory,
          view.guest.record && view.guest.leaving === undefined,
        ),
      // With spanning tree a port listens and learns for 30 s first.
      ...(bridge.stp ? {} : { port: host }),
    };
  },
  differences(wish, view, link, differs) {
    const { to } = view.host;
    if (to === undefined || view.guest.peer?.master !== to.index) differs("is not on bridge", undefined, wish.to);
    if (wish.uplink !== undefined) uplinkDifferences(wish, view, differs);
    differs("has host end", view.guest.peer?.name, wish.hostIfname);
    differs("has queues", link.txQueues, wish.queues);
    const tag = portTag(wish);
    if (tag !== undefined) {
      const { portVlans } = view.guest;
      const is = portVlans === undefined ? undefined : tagOf(portVlans)?.toString();
      differs("is in VLAN", is ?? "none that a request makes", "trunk" in tag ? vlanText(tag.trunk) : tagText(tag));
    }
  },
};
