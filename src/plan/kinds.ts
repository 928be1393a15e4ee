import { arphrd, ifFlags } from "../netlink/link.js";
import { PipeworkError } from "../values/error.js";
import { temporaryIfname } from "../values/host-ifname.js";
import { attachmentMac, randomMac } from "../values/mac.js";
import type { GuestLink, HostEnd } from "./birth.js";
import { macvlanBirth } from "./birth-macvlan.js";
import { vethBirth, vethCommit } from "./birth-veth.js";
import { bridgeSteps, isBridgeName, noSuchInterface } from "./bridge.js";
import type { PlanBuilder } from "./builder.js";
import type { PlanContext } from "./context.js";
import { chooseHostIfname } from "./host-end.js";
import type { DisplacedRoute, Memory } from "./memory.js";
import type { AttachView, LinkView } from "./view.js";
import type { AttachWish } from "./wish.js";

export type KindName = "bridge" | "macvlan";

export interface Born {
  readonly guest: GuestLink;
  readonly hostEnd?: HostEnd;
  /** Where the mark of a half-built link is: cleared by the commit on the host, or when the guest's link comes up. */
  readonly marked: "host" | "guest";
  /** After the guest's link is up and before anything is displaced. */
  commit(): void;
  /** The bridge port that must forward before neighbours can be told; none where there is no port or it will not forward soon. */
  readonly port?: HostEnd;
}

/** One row per kind of link: whether a host interface suits it, and the steps of its birth. */
export interface Kind {
  /** Refuses a host interface that cannot carry this kind. */
  check(wish: AttachWish, to: LinkView | undefined): void;
  birth(
    b: PlanBuilder,
    context: PlanContext,
    wish: AttachWish,
    view: AttachView,
    displaced: readonly DisplacedRoute[],
  ): Born;
}

function unsuitable(message: string, hint?: string): PipeworkError {
  return new PipeworkError({ code: "interface-unsuitable", message, hint });
}

/** A MAC that outlives the container's restarts where its identity does; else drawn at random. */
function macOf(wish: AttachWish, context: PlanContext): string {
  return wish.mac ?? (context.lasting ? attachmentMac(context.guestId, wish.ifname) : randomMac(context.seed));
}

export const kinds: Readonly<Record<KindName, Kind>> = {
  bridge: {
    check(wish, to) {
      if (to === undefined) {
        if (!isBridgeName(wish.to)) throw noSuchInterface(wish.to);
      } else if (to.kind !== "bridge") {
        throw unsuitable(
          `${wish.to} is ${to.kind === undefined ? "no" : `a ${to.kind}, not a`} bridge`,
          "leave the type out, or use macvlan",
        );
      }
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
  },
  macvlan: {
    check(wish, to) {
      if (to === undefined) throw noSuchInterface(wish.to);
      if ((to.flags & ifFlags.IFF_LOOPBACK) !== 0)
        throw unsuitable(`${wish.to} is the loopback interface`, "a macvlan needs an Ethernet interface");
      if (to.type === arphrd.ARPHRD_INFINIBAND) {
        throw new PipeworkError({
          code: "unsupported",
          message: `${wish.to} is InfiniBand, and IPoIB links are not in this version yet`,
        });
      }
      if (to.type !== arphrd.ARPHRD_ETHER)
        throw unsuitable(`${wish.to} is no Ethernet interface (link-layer type ${to.type})`);
      if (to.kind === "openvswitch")
        throw new PipeworkError({
          code: "unsupported",
          message: `${wish.to} is an Open vSwitch bridge, and those are not in this version yet`,
        });
      if (to.slaveKind !== undefined) {
        throw unsuitable(
          `${wish.to} is enslaved to a ${to.slaveKind}, so it cannot be the parent of a macvlan`,
          "attach to that bridge or bond instead",
        );
      }
      if (wish.queues !== undefined) throw unsuitable("queues are for the ends of a veth, and a macvlan has none");
      if (wish.mtu !== undefined && wish.mtu > to.mtu) {
        throw unsuitable(
          `MTU ${wish.mtu} is more than the ${to.mtu} of its parent ${wish.to}`,
          `ask for ${to.mtu} or less, or raise the parent's first`,
        );
      }
    },
    birth(b, context, wish, view, displaced) {
      if (wish.hostIfname !== undefined) b.warn(`a macvlan has no host end, so nothing is called ${wish.hostIfname}`);
      const parent = view.host.to as LinkView;
      const mac = macOf(wish, context);
      const memory: Memory = {
        guest: context.guestId,
        ifname: wish.ifname,
        netns: context.netns,
        displaced,
        type: "macvlan",
        to: wish.to,
        mac,
      };
      const temporary = view.host.sameName === undefined ? undefined : temporaryIfname(context.guestId, wish.ifname);
      const guest = macvlanBirth(b, context, wish, {
        parent,
        mac,
        memory,
        ...(temporary === undefined ? {} : { temporary }),
      });
      return { guest, marked: "guest", commit: () => {} };
    },
  },
};

/** The kind that was asked for, or the one that suits the host interface. */
export function chooseKind(wish: AttachWish, view: AttachView): KindName {
  const { to } = view.host;
  const kind =
    wish.type ??
    ((to === undefined ? isBridgeName(wish.to) && wish.mode === undefined : to.kind === "bridge")
      ? "bridge"
      : "macvlan");
  kinds[kind].check(wish, to);
  return kind;
}
