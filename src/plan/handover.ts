import { ifaFlags } from "../netlink/address.js";
import { AF_INET6 } from "../netlink/family.js";
import { rtTable } from "../netlink/route.js";
import { inverse, type PlanBuilder } from "./builder.js";
import {
  addressFlagsOn,
  addressKey,
  addressOff,
  addressOn,
  flagsOf,
  inAddingOrder,
  isInet6,
  isLinkLocal,
  losesDad,
  ownAddress,
} from "./handover-address.js";
import { neighbourOff, neighbourOn, neighbourText } from "./handover-neighbour.js";
import {
  hasGateway,
  isBroadcast,
  isConnected,
  isLinksOwn,
  linksOf,
  placeOf,
  routeBehind,
  routeInPlace,
  routeOff,
  routeText,
  sameThrough,
} from "./handover-route.js";
import { routeTo } from "./route-message.js";
import type { NetlinkOperation, Undo, UndoOperation } from "./step.js";
import type { KernelAddress, KernelNeighbour, KernelRoute, LinkEnd, UplinkView } from "./uplink-view.js";

/** How long the kernel may take to put an IPv6 address in force, in milliseconds. */
const LIVE_MS = 1000;

/** What is handed over, and between which links. */
export interface HandoverParts {
  /** The link that has it now. */
  readonly from: { readonly index: number; readonly name: string };
  readonly to: LinkEnd;
  /** Step that makes `to`: what is put on it goes with it. */
  readonly birth?: string;
  readonly addresses: readonly KernelAddress[];
  readonly routes: readonly KernelRoute[];
  readonly neighbours: readonly KernelNeighbour[];
}

/**
 * Hands addresses and routes from one link to another without a moment in which the host has neither: everything is on
 * the new link before anything leaves the old one. The steps come in parts, between which the caller moves the NIC
 * into the bridge or out of it:
 *
 * - `arrive`: addresses, routes to subnets and neighbours, behind what is there, so that nothing changes yet;
 * - `turn`: routes with a gateway, each in place of the old one. The gateway must be reachable on the new link (the
 *   kernel asks), and on the old one when this is undone: that is why they are neither the first nor the last;
 * - `leaveRoutes`, `leaveAddresses`: the old ones go, and what stands behind them is in force.
 *
 * A run that is killed in between leaves each address and route on at least one of the two, and the next one finds out
 * which.
 */
export class Handover {
  readonly #b: PlanBuilder;
  readonly #view: UplinkView;
  readonly #parts: HandoverParts;
  readonly #addresses: readonly KernelAddress[];
  readonly #linkLocal: readonly KernelAddress[];
  readonly #connected: readonly KernelRoute[];
  /** Those that would leave the place in front to another link's. */
  readonly #broadcasts: readonly KernelRoute[];
  readonly #links: readonly KernelRoute[];
  readonly #gateways: readonly KernelRoute[];
  #count = 0;

  constructor(b: PlanBuilder, view: UplinkView, parts: HandoverParts) {
    this.#b = b;
    this.#view = view;
    this.#parts = parts;
    this.#addresses = inAddingOrder(parts.addresses.filter((one) => !isLinkLocal(one)));
    this.#linkLocal = inAddingOrder(parts.addresses.filter(isLinkLocal));
    const own = parts.routes.filter((route) => !isLinksOwn(route));
    this.#connected = own.filter((route) => isConnected(route, parts.addresses));
    this.#broadcasts = view.routes.filter(
      (route) =>
        route.attributes.oif === parts.from.index && isBroadcast(route, this.#addresses) && this.#hasRivals(route),
    );
    this.#links = own.filter((route) => !hasGateway(route) && !this.#connected.includes(route));
    this.#gateways = own.filter(hasGateway);
  }

  #add(id: string, label: string, op: Omit<NetlinkOperation, "op">, undo: Undo): void {
    this.#b.add({ id, label, netns: "host", op: { op: "netlink", ...op }, undo });
  }

  /** What is put on the new link is taken off it again, or goes with it. */
  #undoOnNew(...operations: UndoOperation["op"][]): Undo {
    const { birth } = this.#parts;
    return birth === undefined ? inverse("host", ...operations) : { ownedBy: birth };
  }

  get #newIndex(): number | undefined {
    const { index } = this.#parts.to;
    return typeof index === "number" ? index : undefined;
  }

  /** The same route through the new link, when it is there already. */
  #there(route: KernelRoute): boolean {
    const index = this.#newIndex;
    if (index === undefined) return false;
    return this.#view.routes.some(
      (one) => linksOf(one).includes(index) && sameThrough(one, index, route, this.#parts.from.index),
    );
  }

  #alternatives(route: KernelRoute): KernelRoute[] {
    const place = placeOf(route);
    return this.#view.routes.filter((one) => placeOf(one) === place);
  }

  #isFirst(route: KernelRoute): boolean {
    return this.#alternatives(route)[0] === route;
  }

  /** Something else than the new link's would follow if the old route just went. */
  #hasRivals(route: KernelRoute): boolean {
    const { from } = this.#parts;
    const own = [from.index, this.#newIndex];
    const foreign = (links: readonly number[]) => links.length === 0 || links.some((index) => !own.includes(index));
    return this.#isFirst(route) && this.#alternatives(route).some((one) => foreign(linksOf(one)));
  }

  #addressThere(address: KernelAddress): KernelAddress | undefined {
    const key = addressKey(address);
    return this.#view.addresses.find((one) => one.header.index === this.#newIndex && addressKey(one) === key);
  }

  /**
   * IPv6's link-local addresses come along, and stay where they were: until the new link has one of its own, which takes
   * a second, it asks for no neighbours. Before the link is up, or the kernel makes the same one and looks for duplicates.
   */
  arriveLinkLocal(): void {
    for (const address of this.#linkLocal) this.#arriveAddress(address);
  }

  #arriveAddress(address: KernelAddress): void {
    const { from, to } = this.#parts;
    if (this.#addressThere(address) !== undefined) return;
    const key = addressKey(address);
    this.#add(
      `address.on.${key}`,
      `address ${key} on ${to.name}`,
      { message: addressOn(address, from.name, to) },
      this.#undoOnNew({ op: "netlink", message: addressOff(address, to), tolerate: ["EADDRNOTAVAIL"] }),
    );
  }

  /** An IPv6 address gets the flags it had, which say whether duplicates were looked for. */
  #settleAddress(address: KernelAddress): void {
    if (!losesDad(address)) return;
    const { from, to, birth } = this.#parts;
    const there = this.#addressThere(address);
    if (there !== undefined && (flagsOf(there) & ifaFlags.IFA_F_NODAD) === 0) return;
    const key = addressKey(address);
    const before = addressFlagsOn(address, from.name, to, ifaFlags.IFA_F_NODAD);
    this.#add(
      `address.flags.${key}`,
      `address ${key} on ${to.name} with the flags it had`,
      { message: addressFlagsOn(address, from.name, to) },
      there === undefined
        ? { ownedBy: birth ?? `address.on.${key}` }
        : inverse("host", { op: "netlink", message: before, tolerate: ["EADDRNOTAVAIL"] }),
    );
  }

  arrive(): void {
    const { to, neighbours } = this.#parts;
    for (const address of this.#linkLocal) this.#settleAddress(address);
    for (const route of this.#connected) if (this.#isOrphan(route)) this.#arriveRoute(route);
    for (const address of this.#addresses) {
      this.#arriveAddress(address);
      this.#settleAddress(address);
    }
    for (const route of this.#links) if (!this.#there(route)) this.#arriveRoute(route);
    for (const neighbour of neighbours) {
      const there = this.#view.neighbours.find(
        (one) => one.header.ifindex === this.#newIndex && neighbourText(one) === neighbourText(neighbour),
      );
      if (there !== undefined) continue;
      this.#add(
        `neighbour.on.${neighbourText(neighbour)}`,
        `${neighbourText(neighbour)} on ${to.name}`,
        { message: neighbourOn(neighbour, to) },
        this.#undoOnNew({ op: "netlink", message: neighbourOff(neighbour, to), tolerate: ["ENOENT"] }),
      );
    }
  }

  #arriveRoute(route: KernelRoute): void {
    const { from, to } = this.#parts;
    this.#add(
      `route.on.${this.#count++}`,
      `route ${routeText(route)} on ${to.name}`,
      { message: routeBehind(route, from.index, to.index) },
      this.#undoOnNew({ op: "netlink", message: routeOff(route, from.index, to.index), tolerate: ["ESRCH"] }),
    );
  }

  /** The route to a subnet is gone from the new link, which still has the address: a killed run was on the way back. */
  #isOrphan(route: KernelRoute): boolean {
    const there = this.#view.addresses.filter((one) => one.header.index === this.#newIndex);
    return isConnected(route, there) && !this.#there(route);
  }

  turn(): void {
    const { from, to } = this.#parts;
    for (const route of this.#gateways) {
      const label = `route ${routeText(route)} through ${to.name}`;
      if (this.#isFirst(route)) {
        this.#add(
          `route.turn.${this.#count++}`,
          label,
          { message: routeInPlace(route, from.index, to.index) },
          inverse("host", { op: "netlink", message: routeInPlace(route, from.index, from.index) }),
        );
        continue;
      }
      // Another route has the place in front, which replacing would take.
      if (!this.#there(route)) {
        this.#add(
          `route.turn.${this.#count++}`,
          label,
          { message: routeBehind(route, from.index, to.index) },
          this.#undoOnNew({ op: "netlink", message: routeOff(route, from.index, to.index), tolerate: ["ESRCH"] }),
        );
      }
      this.#leaveRoute(route);
    }
  }

  #leaveRoute(route: KernelRoute): void {
    const { from } = this.#parts;
    this.#add(
      `route.off.${this.#count++}`,
      `route ${routeText(route)} off ${from.name}`,
      { message: routeOff(route, from.index, from.index), tolerate: ["ESRCH"] },
      inverse("host", { op: "netlink", message: routeBehind(route, from.index, from.index) }),
    );
  }

  /** Moves the copy behind to the place in front, where another link's route stands between. */
  #takePlace(route: KernelRoute): void {
    const { from, to } = this.#parts;
    const text = routeText(route);
    this.#add(
      `route.from-behind.${this.#count++}`,
      `route ${text} on ${to.name}, behind another, removed`,
      { message: routeOff(route, from.index, to.index), tolerate: ["ESRCH"] },
      inverse("host", { op: "netlink", message: routeBehind(route, from.index, to.index) }),
    );
    this.#add(
      `route.in-front.${this.#count++}`,
      `route ${text} through ${to.name}, in its place`,
      { message: routeInPlace(route, from.index, to.index) },
      inverse("host", { op: "netlink", message: routeInPlace(route, from.index, from.index) }),
    );
  }

  /** Routes to subnets go, and the new link's are in force. */
  leaveRoutes(): void {
    for (const route of [...this.#connected, ...this.#broadcasts, ...this.#links]) {
      if (this.#hasRivals(route)) this.#takePlace(route);
      else this.#leaveRoute(route);
    }
  }

  /**
   * The kernel begins to take packets for a new IPv6 address in a work item of its own (addrconf_dad_work, net/ipv6/
   * addrconf.c), even where duplicates are not looked for: until then the old link's is the only one.
   */
  #awaitLive(): void {
    const { to } = this.#parts;
    for (const address of [...this.#linkLocal, ...this.#addresses].filter(isInet6)) {
      if (this.#addressThere(address) !== undefined) continue;
      const key = addressKey(address);
      this.#add(
        `address.live.${key}`,
        `address ${key} on ${to.name} in force`,
        {
          message: routeTo(AF_INET6, ownAddress(address), to.index),
          until: { path: ["RTA_TABLE"], value: rtTable.RT_TABLE_LOCAL, timeoutMs: LIVE_MS },
          tolerate: ["ENETUNREACH"],
        },
        { none: "reads only" },
      );
    }
  }

  /** Addresses and neighbours go. Secondary addresses before their primary, which would take them along. */
  leaveAddresses(): void {
    const { from, neighbours } = this.#parts;
    this.#awaitLive();
    for (const address of [...this.#addresses].reverse()) this.#leaveAddress(address);
    for (const neighbour of neighbours) {
      this.#add(
        `neighbour.off.${neighbourText(neighbour)}`,
        `${neighbourText(neighbour)} off ${from.name}`,
        { message: neighbourOff(neighbour, from), tolerate: ["ENOENT"] },
        inverse("host", { op: "netlink", message: neighbourOn(neighbour, from) }),
      );
    }
  }

  #leaveAddress(address: KernelAddress): void {
    const { from } = this.#parts;
    const key = addressKey(address);
    const flags = losesDad(address) ? addressFlagsOn(address, from.name, from) : undefined;
    this.#add(
      `address.off.${key}`,
      `address ${key} off ${from.name}`,
      { message: addressOff(address, from), tolerate: ["EADDRNOTAVAIL"] },
      inverse(
        "host",
        { op: "netlink", message: addressOn(address, from.name, from), tolerate: ["EEXIST"] },
        ...(flags === undefined ? [] : [{ op: "netlink", message: flags } as const]),
        ...this.#unasked(address),
      ),
    );
  }

  /** The kernel makes routes anew with the address, and makes them too early: they have their own undo. */
  #unasked(address: KernelAddress): UndoOperation["op"][] {
    const { from } = this.#parts;
    const index = this.#newIndex;
    // On the new link alone: a run that was killed has moved it.
    const moved = this.#view.routes.filter(
      (route) =>
        route.attributes.oif === index &&
        !this.#view.routes.some((one) => one.attributes.oif === from.index && placeOf(one) === placeOf(route)),
    );
    const of = (route: KernelRoute) => isConnected(route, [address]) || isBroadcast(route, [address]);
    return [...this.#connected, ...this.#broadcasts, ...moved].filter(of).map((route) => ({
      op: "netlink",
      message: routeOff(route, route.attributes.oif ?? from.index, from.index),
      tolerate: ["ESRCH"],
    }));
  }
}
