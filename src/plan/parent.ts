import { arphrd, ifFlags } from "../netlink/link.js";
import type { Slot } from "../netlink/wire.js";
import { PipeworkError } from "../values/error.js";
import { noSuchInterface } from "./bridge.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { unsuitable } from "./kind.js";
import { setLink } from "./link-message.js";
import type { LinkMode } from "./request.js";
import { clash, type Sibling } from "./sibling.js";
import type { LinkView } from "./view.js";
import type { AttachWish } from "./wish.js";

/** The host link on which a macvlan, ipvlan or VLAN is made: there already, or made by the same plan. */
export interface ParentEnd {
  readonly index: number | Slot;
  readonly name: string;
  readonly mtu: number;
}

/** An Ethernet interface that may carry links of its own: `what` ("a macvlan") is how the refusal calls those. */
export function checkParent(wish: AttachWish, to: LinkView | undefined, what: string, name = wish.to): LinkView {
  if (to === undefined) throw noSuchInterface(name);
  if ((to.flags & ifFlags.IFF_LOOPBACK) !== 0)
    throw unsuitable(`${name} is the loopback interface`, `${what} needs an Ethernet interface`);
  if (to.type === arphrd.ARPHRD_INFINIBAND)
    throw unsuitable(`${name} is InfiniBand, and ${what} needs an Ethernet interface`, "use the type ipoib");
  if (to.type !== arphrd.ARPHRD_ETHER)
    throw unsuitable(`${name} is no Ethernet interface (link-layer type ${to.type})`);
  if (to.kind === "openvswitch")
    throw new PipeworkError({
      code: "unsupported",
      message: `${name} is an Open vSwitch bridge, and those are not in this version yet`,
    });
  if (to.slaveKind !== undefined) {
    throw unsuitable(
      `${name} is enslaved to a ${to.slaveKind}, so it cannot be the parent of ${what}`,
      "attach to that bridge or bond instead",
    );
  }
  if (wish.mtu !== undefined && wish.mtu > to.mtu) {
    throw unsuitable(
      `MTU ${wish.mtu} is more than the ${to.mtu} of its parent ${name}`,
      `ask for ${to.mtu} or less, or raise the parent's first`,
    );
  }
  return to;
}

/** The parent as an attach finds it, brought up where it is down: it stays up after a detach. */
export function parentSteps(b: PlanBuilder, parent: LinkView): ParentEnd {
  if ((parent.flags & ifFlags.IFF_UP) === 0) {
    b.add({
      id: "parent.up",
      label: `parent ${parent.name} up`,
      netns: "host",
      op: { op: "netlink", message: setLink(parent.index, {}, true) },
      undo: inverse("host", { op: "netlink", message: setLink(parent.index, {}, false) }),
    });
  }
  return { index: parent.index, name: parent.name, mtu: parent.mtu };
}

/** Refuses a link that cannot be beside those that are seen on its parent; one that is replaced is none of them. */
export function refuseClash(
  wish: AttachWish,
  type: Sibling["type"],
  mode: LinkMode,
  parent: string,
  siblings: readonly Sibling[] | undefined,
): void {
  const why = siblings === undefined ? undefined : clash(type, mode, siblings);
  if (why === undefined || wish.force) return;
  throw unsuitable(
    `${type === "ipvlan" ? "an ipvlan" : "a macvlan"} of mode ${mode} cannot be on ${parent}: ${why}`,
    "choose the type and mode that fit, or detach that one first (`pipework list` shows ours); --force asks the kernel",
  );
}
