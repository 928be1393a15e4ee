import { arphrd } from "../netlink/link.js";
import { childBirth, recordStep } from "./birth-child.js";
import { noSuchInterface } from "./bridge.js";
import { type Kind, unsuitable } from "./kind.js";
import type { Memory } from "./memory.js";
import { parentSteps } from "./parent.js";
import type { LinkView } from "./view.js";
import type { AttachWish } from "./wish.js";

function pkeyOf({ tag }: AttachWish): number | undefined {
  return tag !== undefined && "pkey" in tag ? tag.pkey : undefined;
}

/** A partition of an InfiniBand interface, born in the guest; without a key, its parent's. */
export const ipoibKind: Kind = {
  infoKind: "ipoib",
  hostEnd: false,
  check(wish, { host: { to } }) {
    if (to === undefined) throw noSuchInterface(wish.to);
    if (to.type !== arphrd.ARPHRD_INFINIBAND)
      throw unsuitable(`${wish.to} is no InfiniBand interface (link-layer type ${to.type})`, "leave the type out");
    if (wish.mac !== undefined)
      throw unsuitable("an IPoIB interface takes no MAC address: its hardware has one", "leave the MAC out");
    if (wish.tag !== undefined && pkeyOf(wish) === undefined)
      throw unsuitable("on InfiniBand the part behind the @ is a partition key in hex", "such as 0x8001");
    if (wish.queues !== undefined) throw unsuitable("queues are for the ends of a veth");
    if (wish.sources.length > 0) throw unsuitable("a list of source MACs is for a macvlan of mode source");
  },
  birth(b, context, wish, view, displaced) {
    if (wish.hostIfname !== undefined) b.warn(`an IPoIB has no host end, so nothing is called ${wish.hostIfname}`);
    const to = view.host.to as LinkView;
    const memory: Memory = {
      guest: context.guestId,
      ifname: wish.ifname,
      netns: context.netns,
      displaced,
      type: "ipoib",
      to: wish.to,
      parent: to.name,
    };
    recordStep(b, context, memory);
    const parent = parentSteps(b, to);
    const pkey = pkeyOf(wish);
    const linkinfo = { kind: "ipoib", data: pkey === undefined ? {} : { pkey } } as const;
    return {
      guest: childBirth(b, context, wish, view, { linkinfo, parent }),
      marked: "guest",
      commit: () => {},
      fixedMac: true,
    };
  },
  differences(wish, view, link, differs) {
    if (link.link !== view.host.to?.index) differs("is not on", undefined, wish.to);
    const pkey = pkeyOf(wish);
    // ipoib_new_child_link: the membership bit is set in whatever is asked for.
    if (pkey !== undefined) differs("has partition key", link.pkey, pkey | 0x8000);
  },
  reborn: (old) => ({
    link: old.link ?? 0,
    linkinfo: { kind: "ipoib", data: old.pkey === undefined ? {} : { pkey: old.pkey } },
  }),
};
