import { rtnType } from "../netlink/route.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { families } from "./configure.js";
import type { PlanContext } from "./context.js";
import {
  defaultsOf,
  describeRoute,
  memoryOf,
  ownDefault,
  rememberStep,
  restoreRoute,
  unrestoreRoute,
} from "./displaced.js";
import type { DisplacedRoute, Memory, MemoryHolder } from "./memory.js";
import type { GuestView, HeldLink, LinkView, RouteView } from "./view.js";

/** A link of ours: what it displaced is known. */
export type OwnLink = HeldLink & { readonly memory: Memory };
type Routes = Pick<GuestView, "routes" | "names">;

/** Whether a displaced route can have its place back: not while it is somebody else's by now, nor when its interface is gone. */
function placeOf(view: Routes, link: LinkView, displaced: DisplacedRoute): "free" | "taken" | "gone" {
  const [inPlace] = defaultsOf(view.routes, displaced.family, displaced.metric);
  if (inPlace !== undefined && inPlace.oif !== link.index) return "taken";
  return displaced.raw === undefined && !view.names.has(displaced.ifindex) ? "gone" : "free";
}

/**
 * Gives back what a link displaced, before the link goes. Displaced default routes form a chain: when another link of
 * ours took the place of this one, it inherits the memory; when this one holds the place, the old route takes it over.
 */
export function releaseDefaults(
  b: PlanBuilder,
  context: PlanContext,
  view: Routes,
  { link, memory, displacers }: OwnLink,
  prefix = "",
  goesFirst = false,
): void {
  // One attachment may have displaced both families; its memory is rewritten once.
  const heirs = new Map<string, { holder: MemoryHolder; displaced: DisplacedRoute[] }>();
  for (const family of families) {
    const displaced = memory.displaced.find((route) => route.family === family);
    const holder = displacers[family];
    if (holder !== undefined) {
      const heir = heirs.get(holder.memory.ifname) ?? { holder, displaced: [...holder.memory.displaced] };
      const others = heir.displaced.filter((route) => route.family !== family);
      heirs.set(holder.memory.ifname, { holder, displaced: displaced === undefined ? others : [...others, displaced] });
      continue;
    }
    if (displaced === undefined) continue;
    const place = placeOf(view, link, displaced);
    if (place !== "free") {
      const why = place === "gone" ? `${displaced.dev} is gone` : "another route that is not ours has its place";
      b.warn(`the ${describeRoute(family, displaced.via, displaced.dev)} is not put back: ${why}`);
      continue;
    }
    const own = ownDefault(view.routes, family, link.index, displaced.metric);
    b.add({
      id: `${prefix}release.${family}`,
      label: `${describeRoute(family, displaced.via, displaced.dev)} put back`,
      netns: "guest",
      op: { op: "netlink", message: restoreRoute(displaced) },
      undo: inverse("guest", {
        op: "netlink",
        message: own === undefined ? unrestoreRoute(displaced) : restoreRoute(memoryOf(own, view.names)),
        // Where the link had to go before its successor could come, its route is beyond recall.
        ...(own === undefined ? {} : { tolerate: goesFirst ? ["ENODEV", "ENETUNREACH", "EHOSTUNREACH"] : ["ENODEV"] }),
      }),
      // The gateway may have become unreachable: that must not keep a link from being detached.
      optional: true,
    });
  }
  for (const { holder, displaced } of heirs.values())
    rememberStep(b, context, `${prefix}release.${holder.memory.ifname}`, holder, displaced);
}

function routeView(displaced: DisplacedRoute): RouteView {
  const { family, ifindex, via, metric, protocol, scope, onlink, prefsrc, raw } = displaced;
  return {
    family,
    dstLen: 0,
    oif: ifindex,
    ...(via === undefined ? {} : { via }),
    metric,
    protocol,
    scope,
    type: rtnType.RTN_UNICAST,
    tos: 0,
    onlink: onlink === true,
    ...(prefsrc === undefined ? {} : { prefsrc }),
    ...(raw === undefined ? {} : { raw }),
  };
}

/** The routes as they will be once releaseDefaults has run; a link that stays for now keeps its own defaults where nothing is put back. */
export function routesAfter(view: Routes, { link, memory, displacers }: OwnLink, stays: boolean): RouteView[] {
  let routes = view.routes.filter((route) => route.oif !== link.index || (stays && route.dstLen === 0));
  for (const displaced of memory.displaced) {
    const { family, metric } = displaced;
    if (displacers[family] !== undefined || placeOf(view, link, displaced) !== "free") continue;
    const place = defaultsOf(routes, family, metric);
    routes = [...routes.filter((route) => !place.includes(route)), routeView(displaced)];
  }
  return routes;
}
