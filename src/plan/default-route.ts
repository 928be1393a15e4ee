import type { Family } from "../netlink/family.js";
import type { GuestLink } from "./birth.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { gatewayHostRoute, offLink, undoOn } from "./configure.js";
import { defaultMetric, defaultsOf, describeRoute, memoryOf, ownDefault, restoreRoute } from "./displaced.js";
import type { DisplacedRoute } from "./memory.js";
import { deleteRoute, type RouteSpec, replaceRoute } from "./route-message.js";
import type { AttachView, RouteView } from "./view.js";
import type { AttachWish } from "./wish.js";

/** What will become of the default route of one family. */
export interface DefaultDecision {
  readonly family: Family;
  readonly via: string;
  readonly metric: number;
  /** Current holder of that place, when it is another route than the wished one. On undo it is put back. */
  readonly current?: RouteView;
  readonly holds: boolean;
}

/** Looks at one family; `index` is the ifindex of the guest's link when it exists already. */
export function decideDefault(
  wish: AttachWish,
  view: AttachView,
  family: Family,
  index?: number,
): DefaultDecision | undefined {
  const via = wish.gateways[family];
  if (via === undefined) return undefined;
  // Ours by whatever metric it was given: a learned default may have come or gone since.
  const own = index === undefined ? undefined : ownDefault(view.guest.routes, family, index);
  if (own !== undefined && own.via === via) return { family, via, metric: own.metric, holds: true };
  const metric = defaultMetric(family, wish.metric, view.guest.routes);
  const current = defaultsOf(view.guest.routes, family, metric)[0];
  return { family, via, metric, holds: false, ...(current === undefined ? {} : { current }) };
}

/** What taking the place displaces, as it must be remembered before; nothing where it goes with a link that is replaced. */
export function displacedBy({ current }: DefaultDecision, view: AttachView): DisplacedRoute | undefined {
  const { leaving, names } = view.guest;
  return current === undefined || (leaving !== undefined && current.oif === leaving)
    ? undefined
    : memoryOf(current, names);
}

/** A route to the gateway itself, where it lies in none of the interface's subnets. */
export function gatewayRouteSteps(
  b: PlanBuilder,
  wish: AttachWish,
  view: AttachView,
  link: GuestLink,
  decision: DefaultDecision,
): void {
  const { family, via } = decision;
  if (!offLink(via, family, wish.addresses)) return;
  const dstLen = family === "inet" ? 32 : 128;
  const there =
    link.observed !== undefined &&
    view.guest.routes.some(
      (r) =>
        r.family === family &&
        r.dst === via &&
        r.dstLen === dstLen &&
        r.oif === link.observed?.index &&
        r.via === undefined,
    );
  if (!there) gatewayHostRoute(b, link, family, via);
}

/** The default route takes the place of the one of its family and metric, without a moment between. */
export function defaultRouteStep(b: PlanBuilder, view: AttachView, link: GuestLink, decision: DefaultDecision): void {
  const { family, via, metric, current } = decision;
  const spec: RouteSpec = { family, oif: link.index, via, metric };
  const displaced = displacedBy(decision, view);
  b.add({
    id: `default.${family}`,
    label:
      describeRoute(family, via, link.ifname) +
      (displaced === undefined ? "" : `, displacing the one on ${displaced.dev}`),
    netns: "guest",
    op: { op: "netlink", message: replaceRoute(spec) },
    undo:
      current === undefined
        ? undoOn(link, { op: "netlink", message: deleteRoute(spec), tolerate: ["ESRCH"] })
        : inverse("guest", { op: "netlink", message: restoreRoute(memoryOf(current, view.guest.names)) }),
  });
}
