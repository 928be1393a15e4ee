import { childBirth, recordStep } from "./birth-child.js";
import { type Kind, macOf, unsuitable } from "./kind.js";
import type { Memory } from "./memory.js";

/** An interface that hangs on nothing: for an address that is there whatever happens to the others. */
export const dummyKind: Kind = {
  infoKind: "dummy",
  hostEnd: false,
  check(wish) {
    if (wish.tag !== undefined) throw unsuitable("a dummy interface has no VLAN", "leave the VLAN out");
    if (wish.queues !== undefined)
      throw unsuitable("queues are for the ends of a veth, and a dummy interface has none");
    if (wish.sources.length > 0) throw unsuitable("a list of source MACs is for a macvlan of mode source");
  },
  birth(b, context, wish, view, displaced) {
    if (wish.hostIfname !== undefined) b.warn(`a dummy has no host end, so nothing is called ${wish.hostIfname}`);
    const mac = macOf(wish, context);
    const memory: Memory = {
      guest: context.guestId,
      ifname: wish.ifname,
      netns: context.netns,
      displaced,
      type: "dummy",
      to: wish.to,
      mac,
    };
    recordStep(b, context, memory);
    return {
      guest: childBirth(b, context, wish, view, { linkinfo: { kind: "dummy" }, mac }),
      marked: "guest",
      commit: () => {},
    };
  },
  differences() {},
  reborn: (old) => ({
    ...(old.address === undefined ? {} : { address: old.address }),
    linkinfo: { kind: "dummy" },
  }),
};
