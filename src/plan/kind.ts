import { PipeworkError } from "../values/error.js";
import { attachmentMac, randomMac } from "../values/mac.js";
import type { GuestLink, HostEnd } from "./birth.js";
import type { PlanBuilder } from "./builder.js";
import type { PlanContext } from "./context.js";
import type { LinkAttributes } from "./link-message.js";
import type { DisplacedRoute, Memory } from "./memory.js";
import type { LinkType } from "./request.js";
import type { AttachView, LinkView } from "./view.js";
import type { AttachWish } from "./wish.js";

/** Kinds of link that have a row in the table of kinds.ts. */
export type KindName = Exclude<LinkType, "ovs">;

export interface Born {
  readonly guest: GuestLink;
  readonly hostEnd?: HostEnd;
  /** Where the mark of a half-built link is: cleared by the commit on the host, or when the guest's link comes up. */
  readonly marked: "host" | "guest";
  /** The kernel takes no live change of its MAC, so it tells its neighbours as it comes up. */
  readonly fixedMac?: boolean;
  /** After the guest's link is up and before anything is displaced. */
  commit(): void;
  /** The bridge port that must forward before neighbours can be told; none where there is no port or it will not forward soon. */
  readonly port?: HostEnd;
}

/** One row per kind of link: what suits it, how it is born, in what it can differ, and how it comes back. */
export interface Kind {
  /** IFLA_INFO_KIND of the guest's link; undefined for a NIC, which may be of any. */
  readonly infoKind: string | undefined;
  /**
   * It leaves an end on the host, whose alias remembers it. All others are remembered by a record alone, of one link of
   * that name: they cannot wait under another name while their successor is made, so a replacement detaches them first.
   * (Two macvlans of one MAC, or two ipvlans of one address, could not be on one parent anyway.)
   */
  readonly hostEnd: boolean;
  /** Refuses, before anything is touched, a request or a host interface that cannot carry this kind. */
  check(wish: AttachWish, view: AttachView): void;
  birth(
    b: PlanBuilder,
    context: PlanContext,
    wish: AttachWish,
    view: AttachView,
    displaced: readonly DisplacedRoute[],
  ): Born;
  /** What an existing link has otherwise than stated, by this kind's own words; `differs` ignores what is not stated. */
  differences(
    wish: AttachWish,
    view: AttachView,
    link: LinkView,
    differs: (what: string, is: unknown, wished: unknown) => void,
  ): void;
  /** What makes a deleted link of this kind again, as it was observed; undefined where it cannot be. */
  reborn?(old: LinkView, memory: Memory | undefined): LinkAttributes | undefined;
}

export function unsuitable(message: string, hint?: string): PipeworkError {
  return new PipeworkError({ code: "interface-unsuitable", message, hint });
}

/** A MAC that outlives the container's restarts where its identity does; else drawn at random. */
export function macOf(wish: AttachWish, context: PlanContext): string {
  return wish.mac ?? (context.lasting ? attachmentMac(context.guestId, wish.ifname) : randomMac(context.seed));
}
