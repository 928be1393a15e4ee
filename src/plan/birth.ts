import type { Slot } from "../netlink/wire.js";
import { inverse } from "./builder.js";
import { deleteLink, dumpLinks, linkPaths } from "./link-message.js";
import type { NetlinkOperation, Side, Undo } from "./step.js";
import type { LinkView } from "./view.js";

/** A link of the guest on which the rest of a plan works: just born, or there already. */
export interface GuestLink {
  readonly index: number | Slot;
  readonly ifname: string;
  readonly mac: string;
  /** Id of the step that made it: what is done to it needs no undo of its own. Absent: it was there already. */
  readonly birth?: string;
  /** As observed, when it was there already. */
  readonly observed?: LinkView;
}

/** The host end of a veth. */
export interface HostEnd {
  readonly index: number | Slot;
  readonly ifname: string;
}

/**
 * The undo of a birth: the link is deleted by its index. Where that was never learned (the answer was lost) it is looked
 * for by the mark it was born with, and then by nothing else: a name may be somebody else's by now.
 */
export function unmake(
  netns: Side,
  born: { readonly slot: string; readonly name: string; readonly mark: number },
  unlessAny?: NetlinkOperation["unlessAny"],
): Undo {
  const { slot, name, mark } = born;
  const where = [
    { path: linkPaths.group, value: mark },
    { path: linkPaths.ifname, value: name },
  ];
  return inverse(
    netns,
    { op: "netlink", message: dumpLinks(), capture: { slot, where }, unlessSlot: slot },
    {
      op: "netlink",
      message: deleteLink({ slot }),
      tolerate: ["ENODEV"],
      ifSlot: slot,
      ...(unlessAny === undefined ? {} : { unlessAny }),
    },
  );
}
