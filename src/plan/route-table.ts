import { matches, type ResolvedFilter } from "../iproute/route-filter.js";
import type { RouteReply } from "../iproute/route-view.js";
import { AF_INET6 } from "../netlink/family.js";
import type { MessageOf } from "../netlink/nouns.js";
import { rtScope } from "../netlink/route.js";
import { groupOf, type KnownRoute, knownRoute, metricOf, type Place } from "./route-group.js";

type RouteMessage = MessageOf<"route">;

/** Whether a deletion means a route: undefined is "the kernel may see more than we do". */
type Fit = boolean | undefined;

function all(fits: readonly Fit[]): Fit {
  if (fits.includes(false)) return false;
  return fits.includes(undefined) ? undefined : true;
}

/** Whether the kernel takes the route for the one that the message is to delete (fib_table_delete, ip6_route_del). */
export function deletes({ header: h, attributes: a }: RouteMessage, known: KnownRoute): Fit {
  const { header: kh, attributes: ka, planned } = known;
  // What a planned route does not say, the kernel may have filled in.
  const same = (stated: unknown, actual: unknown): Fit =>
    stated === undefined || stated === 0 ? true : actual === undefined && planned ? undefined : stated === actual;
  const several = ka.multipath !== undefined || ka.nhId !== undefined;
  const statesHop = a.gateway !== undefined || a.oif !== undefined;
  const beyond = [a.multipath, a.via, a.encap, a.metrics, a.nhId].some((one) => one !== undefined);
  const inet = [
    same(h.type, kh.type),
    h.scope === rtScope.RT_SCOPE_NOWHERE || h.scope === kh.scope,
    same(a.prefsrc, ka.prefsrc),
    same(a.flow, ka.flow),
  ];
  return all([
    same(a.priority, metricOf(known)),
    same(h.protocol, kh.protocol),
    ...(h.family === AF_INET6 ? [] : inet),
    ...(statesHop && !several ? [same(a.gateway, ka.gateway), same(a.oif, ka.oif)] : []),
    (statesHop && several) || beyond ? undefined : true,
  ]);
}

/** The routes of a namespace, as they will be when the steps planned so far have been done; in the kernel's order. */
export class RouteTable {
  readonly #groups = new Map<string, readonly KnownRoute[]>();
  /** Groups of which is no longer known what is in them. */
  readonly #blurred = new Set<string>();

  constructor(replies: readonly RouteReply[]) {
    for (const reply of replies) {
      const known = knownRoute(reply);
      const key = groupOf(known);
      this.#groups.set(key, [...(this.#groups.get(key) ?? []), known]);
    }
  }

  /** Those among which a deletion chooses. */
  group(place: Place): readonly KnownRoute[] {
    return this.#groups.get(groupOf(place)) ?? [];
  }

  /** Those of them that have the metric of the place. */
  peers(place: Place): readonly KnownRoute[] {
    const metric = metricOf(place);
    return this.group(place).filter((one) => metricOf(one) === metric);
  }

  /** From now on these are the peers of the place. */
  setPeers(place: Place, peers: readonly KnownRoute[]): void {
    const metric = metricOf(place);
    const others = this.group(place).filter((one) => metricOf(one) !== metric);
    const before = others.filter((one) => metricOf(one) < metric);
    this.#groups.set(groupOf(place), [...before, ...peers, ...others.slice(before.length)]);
  }

  isBlurred(place: Place): boolean {
    return this.#blurred.has(groupOf(place));
  }

  blur(place: Place): void {
    this.#blurred.add(groupOf(place));
  }

  /** What a filter selects, in order; and whether it may select more than is known here. */
  select(filter: ResolvedFilter): { routes: KnownRoute[]; unsure: boolean } {
    const { oif, via, ...certain } = filter;
    const looksAtHops = oif !== undefined || via !== undefined;
    const routes: KnownRoute[] = [];
    let unsure = false;
    for (const [key, group] of this.#groups)
      for (const one of group) {
        const vague = this.#blurred.has(key) || (one.planned && looksAtHops);
        if (!matches(vague ? certain : filter, one as unknown as RouteReply)) continue;
        if (vague) unsure = true;
        else routes.push(one);
      }
    return { routes, unsure };
  }
}
