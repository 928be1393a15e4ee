import { ifFlags } from "../netlink/link.js";
import { attributeNumbers, encodeAttributeValue, headerLength } from "../netlink/nouns.js";
import { isMark } from "../plan/context.js";
import { linkPaths } from "../plan/link-message.js";
import type { Plan } from "../plan/step.js";
import type { AttachView, LinkView } from "../plan/view.js";
import type { AttachWish } from "../plan/wish.js";
import { errnoNumber } from "./errno.js";
import type { NativeExpect, NativeMatch } from "./native.js";
import type { AttachReads } from "./read-attach.js";

/** Offsets into a link reply (struct nlmsghdr, struct ifinfomsg) and a route reply (struct rtmsg). */
const IFI_INDEX = 16 + 4;
const IFI_FLAGS = 16 + 8;
const RTM_DST_LEN = 16 + 1;
const WHOLE_WORD = 0xffffffff;

/**
 * What most attaches find: a bridge as it was the last time, and in the guest nothing of that name and no default route.
 * The plan for that view is made before anything is asked; the runner compares every answer with the guess under the lock
 * and runs the plan at once if all hold: one hop to the namespace thread instead of two. If one does not, nothing was done
 * and the answers make the real view.
 */
export interface AttachGuess {
  readonly view: AttachView;
  /** One per question of the reads, in their order; undefined where any answer will do. */
  readonly expects: readonly (NativeExpect | undefined)[];
}

function attribute(path: readonly string[], value: number | string): NativeMatch {
  return {
    header: headerLength("link"),
    path: attributeNumbers("link", path),
    value: encodeAttributeValue("link", path, value),
  };
}

const absent: NativeExpect = { errno: errnoNumber("ENODEV") };

/** Everything a plan looks at in a bridge. */
function bridgeAsBefore(bridge: LinkView): NativeExpect {
  return {
    words: [IFI_INDEX, WHOLE_WORD, bridge.index, IFI_FLAGS, ifFlags.IFF_UP, ifFlags.IFF_UP],
    where: [
      attribute(linkPaths.kind, "bridge"),
      attribute(linkPaths.stpState, bridge.stp === true ? 1 : 0),
      attribute(linkPaths.mtu, bridge.mtu),
      attribute(linkPaths.group, bridge.group),
    ],
  };
}

export function guessAttach(wish: AttachWish, reads: AttachReads, bridge: LinkView): AttachGuess | undefined {
  if ((wish.type !== undefined && wish.type !== "bridge") || wish.to !== bridge.name || wish.tag !== undefined)
    return undefined;
  return {
    view: {
      host: { to: bridge, hostEnds: new Map() },
      guest: { record: false, addresses: [], routes: [], names: new Map(), displacers: {} },
    },
    expects: reads.asks.map(({ about }) => {
      switch (about) {
        case "to":
          return bridgeAsBefore(bridge);
        case "routes":
          return { none: [RTM_DST_LEN, 0] };
        default:
          return absent;
      }
    }),
  };
}

/** The bridge to guess with the next time, when this time was what most attaches are. */
export function guessable(view: AttachView, plan: Plan): LinkView | undefined {
  const { to } = view.host;
  const ordinary =
    to?.kind === "bridge" &&
    (to.flags & ifFlags.IFF_UP) !== 0 &&
    !isMark(to.group) &&
    plan.outcome === "attached" &&
    view.guest.routes.every((route) => route.dstLen > 0);
  return ordinary ? to : undefined;
}
