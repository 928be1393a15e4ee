import type { Slot } from "../netlink/wire.js";
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
