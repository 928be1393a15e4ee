import { rtProt, rtScope } from "../../src/netlink/route.js";
import { contains, parseNetwork } from "../../src/values/prefix.js";
import type { FakeNamespace, FakeRoute } from "./link.js";
import { Refusal } from "./refusal.js";

export interface RouteFlags {
  readonly create: boolean;
  readonly excl: boolean;
  readonly replace: boolean;
  readonly append: boolean;
}

/** IP6_RT_PRIO_USER: what IPv6 makes of "no metric". */
export const IP6_RT_PRIO_USER = 1024;

function covering(ns: FakeNamespace, route: FakeRoute, gateway: string): FakeRoute | undefined {
  const { family, link } = route;
  return ns.routes
    .filter((one) => one.family === family && one.link === link && one.dst !== undefined)
    .filter((one) => contains(parseNetwork(`${one.dst}/${one.dstLen}`), gateway))
    .sort((a, b) => b.dstLen - a.dstLen)[0];
}

/** fib_check_nh (net/ipv4/fib_semantics.c) and ip6_validate_gw (net/ipv6/route.c). */
function checkNextHop(ns: FakeNamespace, route: FakeRoute): void {
  const { family, link, gateway } = route;
  if (link === undefined) return;
  if (!link.up) throw new Refusal("ENETDOWN", "Device for nexthop is not up");
  if (family === "inet6" && link.ipv6.get("disable_ipv6") === "1")
    throw new Refusal("EACCES", "IPv6 is disabled on nexthop device");
  if (gateway === undefined) return;
  if (ns.addresses.some((one) => one.address === gateway)) throw new Refusal("EINVAL", "Nexthop has invalid gateway");
  if (family === "inet") {
    if (route.onlink) return;
    if (route.scope >= rtScope.RT_SCOPE_LINK) throw new Refusal("EINVAL", "Nexthop has invalid scope");
    const found = covering(ns, route, gateway);
    if (found === undefined || found.gateway !== undefined)
      throw new Refusal("ENETUNREACH", "Nexthop has invalid gateway");
    return;
  }
  if (route.onlink || gateway.startsWith("fe80:")) return;
  const found = covering(ns, route, gateway);
  if (found === undefined || found.gateway !== undefined)
    throw new Refusal("EHOSTUNREACH", "Gateway can not be reached");
}

function samePlace(a: FakeRoute, b: FakeRoute): boolean {
  return (
    a.family === b.family &&
    (a.dst ?? "") === (b.dst ?? "") &&
    a.dstLen === b.dstLen &&
    a.tos === b.tos &&
    a.metric === b.metric
  );
}

function identical(a: FakeRoute, b: FakeRoute): boolean {
  if (!samePlace(a, b) || a.link !== b.link || a.gateway !== b.gateway) return false;
  if (String(a.multipath) !== String(b.multipath)) return false;
  // IPv6 looks at device, gateway and nothing else (rt6_duplicate_nexthop).
  if (a.family === "inet6") return true;
  return (
    a.type === b.type &&
    a.scope === b.scope &&
    a.protocol === b.protocol &&
    a.prefsrc === b.prefsrc &&
    JSON.stringify(a.metrics) === JSON.stringify(b.metrics)
  );
}

export function addRoute(ns: FakeNamespace, route: FakeRoute, flags: RouteFlags): void {
  checkNextHop(ns, route);
  if (route.prefsrc !== undefined && !ns.addresses.some((one) => one.address === route.prefsrc))
    throw new Refusal("EINVAL", "Invalid prefsrc address");
  const equals = ns.routes.filter((one) => samePlace(one, route));
  const first = equals[0];
  if (first !== undefined) {
    if (flags.excl) throw new Refusal("EEXIST");
    const same = equals.find((one) => identical(one, route));
    if (flags.replace) {
      if (same !== undefined && same !== first && route.family === "inet") throw new Refusal("EEXIST");
      ns.routes = ns.routes.map((one) => (one === first ? route : one));
      return;
    }
    if (same !== undefined) throw new Refusal("EEXIST");
  } else if (!flags.create) {
    throw new Refusal("ENOENT");
  }
  if (first !== undefined && !flags.append) ns.routes.splice(ns.routes.indexOf(first), 0, route);
  else ns.routes.push(route);
}

/** A delete names what it knows; a zero is "any" (fib_table_delete, ip6_route_del). Protocol and scope count as well. */
export function removeRoute(ns: FakeNamespace, key: FakeRoute): void {
  const found = ns.routes.find(
    (one) =>
      one.family === key.family &&
      (one.dst ?? "") === (key.dst ?? "") &&
      one.dstLen === key.dstLen &&
      one.tos === key.tos &&
      (key.metric === 0 || one.metric === key.metric) &&
      (key.link === undefined || one.link === key.link) &&
      (key.gateway === undefined || one.gateway === key.gateway) &&
      (key.protocol === rtProt.RTPROT_UNSPEC || one.protocol === key.protocol) &&
      (key.family === "inet6" || key.scope === rtScope.RT_SCOPE_NOWHERE || one.scope === key.scope) &&
      (key.prefsrc === undefined || one.prefsrc === key.prefsrc),
  );
  if (found === undefined) throw new Refusal("ESRCH");
  ns.routes = ns.routes.filter((one) => one !== found);
}
