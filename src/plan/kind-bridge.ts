import { PipeworkError } from "../values/error.js";
import { vethBirth, vethCommit } from "./birth-veth.js";
import { bridgeSteps, isBridgeName, noSuchInterface } from "./bridge.js";
import { chooseHostIfname } from "./host-end.js";
import { type Kind, macOf, unsuitable } from "./kind.js";
import type { Memory } from "./memory.js";

/** A veth whose host end is a port of a Linux bridge. */
export const bridgeKind: Kind = {
  infoKind: "veth",
  hostEnd: true,
  check(wish, { host: { to } }) {
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
    if (wish.tag !== undefined)
      throw new PipeworkError({ code: "unsupported", message: "a VLAN on a bridge is not in this version yet" });
  },
  birth(b, context, wish, view, displaced) {
    const bridge = bridgeSteps(b, context, wish.to, view.host.to);
    const hostIfname = chooseHostIfname(b, context, wish, view);
    const { guest, host } = vethBirth(b, context, wish, { hostIfname, guestMac: macOf(wish, context), bridge });
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
    differs("has host end", view.guest.peer?.name, wish.hostIfname);
    differs("has queues", link.txQueues, wish.queues);
  },
};
