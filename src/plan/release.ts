import type { Family } from "../netlink/family.js";
import { rtnType, rtProt } from "../netlink/route.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { families } from "./configure.js";
import type { PlanContext } from "./context.js";
import { defaultsOf, describeRoute, memoryOf, rememberStep, restoreRoute } from "./displaced.js";
import type { DisplacedRoute, Memory } from "./memory.js";
import { deleteRoute } from "./route-message.js";
import type { GuestView, LinkView, RouteView } from "./view.js";

/** The default route through a link that a family has now, RA's left out. */
function ownDefault(routes: readonly RouteView[], family: Family, index: number): RouteView | undefined {
  return routes.find((r) => r.family === family && r.dstLen === 0 && r.oif === index && r.protocol !== rtProt.RTPROT_RA);
}

/**
 * Gives back what a link displaced, before the link goes. Displaced default routes form a chain: when another link of
 * ours took the place of this one, it inherits the memory; when this one holds the place, the old route takes it over.
 */
export function releaseDefaults(b: PlanBuilder, context: PlanContext, view: GuestView, link: LinkView, memory: Memory): void {
  for (const family of families) {
    const displaced = memory.displaced.find((route) => route.family === family);
    const holder = view.displacers[family];
    if (holder !== undefined) {
      const others = holder.memory.displaced.filter((route) => route.family !== family);
      rememberStep(b, context, `release.${family}`, holder, displaced === undefined ? others : [...others, displaced]);
      continue;
    }
    if (displaced === undefined) continue;
    const own = ownDefault(view.routes, family, link.index);
    const inPlace = defaultsOf(view.routes, family, displaced.metric);
    // Somebody else's route has the place by now: then it is theirs.
    if (inPlace.length > 0 && (own === undefined || inPlace[0] !== own)) continue;
    if (displaced.raw === undefined && !view.names.has(displaced.ifindex)) {
      b.warn(`the ${describeRoute(family, displaced.via, displaced.dev)} is not put back: ${displaced.dev} is gone`);
      continue;
    }
    b.add({
      id: `release.${family}`,
      label: `${describeRoute(family, displaced.via, displaced.dev)} put back`,
      netns: "guest",
      op: { op: "netlink", message: restoreRoute(displaced) },
      undo: inverse("guest", {
        op: "netlink",
        message:
          own === undefined
            ? deleteRoute({ family, oif: displaced.ifindex, metric: displaced.metric, ...(displaced.via === undefined ? {} : { via: displaced.via }) })
            : restoreRoute(memoryOf(own, view.names)),
      }),
      // The gateway may have become unreachable: that must not keep a link from being detached.
      optional: true,
    });
  }
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

/** The view as it will be once releaseDefaults has run and the link is gone. */
export function viewWithout<V extends GuestView>(view: V, link: LinkView, memory: Memory): V {
  const routes = view.routes.filter((route) => route.oif !== link.index);
  for (const displaced of memory.displaced) {
    const { family, metric, ifindex } = displaced;
    if (view.displacers[family] !== undefined || defaultsOf(routes, family, metric).length > 0) continue;
    if (view.names.has(ifindex)) routes.push(routeView(displaced));
  }
  const { link: _link, peer: _peer, memory: _memory, ...rest } = view;
  return { ...rest, routes, addresses: [], displacers: {} } as unknown as V;
}
