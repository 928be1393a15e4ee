import { ifFlags } from "../netlink/link.js";
import { invalid, PipeworkError } from "../values/error.js";
import { announceAsItComesUp, announceEnd, announceSteps, wasAnnouncing } from "./announce.js";
import type { GuestLink } from "./birth.js";
import { inverse, PlanBuilder } from "./builder.js";
import { describeLink, differences, missingAddresses, missingRoutes } from "./compare.js";
import { addressSteps, families, furtherRoutes, ipv6Steps, upStep } from "./configure.js";
import { ANNOUNCING, isMark, type PlanContext } from "./context.js";
import {
  type DefaultDecision,
  decideDefault,
  defaultRouteStep,
  displacedBy,
  gatewayRouteSteps,
} from "./default-route.js";
import { inOrder, rememberStep } from "./displaced.js";
import { clearDebris } from "./host-end.js";
import type { Kind } from "./kind.js";
import { chooseKind, kindOf, typeOfLink } from "./kinds.js";
import { setLink } from "./link-message.js";
import type { DisplacedRoute, Memory, MemoryHolder } from "./memory.js";
import { isPhys } from "./nic.js";
import type { OwnLink } from "./release.js";
import { clearAside, replaceSteps } from "./replace.js";
import { checkNicBack, settle } from "./settle.js";
import type { Plan } from "./step.js";
import type { AttachView, LinkView } from "./view.js";
import type { AttachWish } from "./wish.js";

export interface AttachOptions {
  /** Detach what is to be replaced first: for kernels that refuse to rename a link that is up (EBUSY on 6.1). */
  readonly detachFirst?: boolean;
}

/** Whether a link of the guest is one that we made for this attachment, whole. */
export function isOurs(
  view: AttachView["guest"],
  context: Pick<PlanContext, "netns">,
  ifname: string,
): Memory | undefined {
  const { memory } = view;
  return memory !== undefined && memory.netns === context.netns && memory.ifname === ifname ? memory : undefined;
}

/** Half built by a killed run: the mark is on the host end of a veth, and on the link itself where there is none. */
export function isHalfBuilt(view: AttachView["guest"], link: LinkView): boolean {
  // A NIC bears no mark of ours, and is never to be deleted.
  if (isPhys(view.memory)) return false;
  return view.peer === undefined ? isMark(link.group) : isMark(view.peer.group);
}

/** Every default route that is wished. */
function decideAll(wish: AttachWish, view: AttachView, index?: number): DefaultDecision[] {
  return families.flatMap((family) => decideDefault(wish, view, family, index) ?? []);
}

/** Every default route that is wished and not there yet. */
function decideDefaults(wish: AttachWish, view: AttachView, index?: number): DefaultDecision[] {
  return decideAll(wish, view, index).filter((decision) => !decision.holds);
}

function wants(wish: AttachWish, family: "inet" | "inet6"): boolean {
  return wish.addresses.some((a) => a.family === family);
}

/**
 * From a request and what was observed to the steps that make it so. Pure and total: a plan, or a PipeworkError before
 * anything is touched.
 */
export function planAttach(
  wish: AttachWish,
  observed: AttachView,
  context: PlanContext,
  options: AttachOptions = {},
): Plan {
  const b = new PlanBuilder();
  checkNicBack(context, observed);
  const { type, kind } = chooseKind(wish, observed);
  const view = settle(b, context, observed);
  refuseNarrow(wish, view);
  const finish = (outcome: Plan["outcome"]) =>
    b.finish({ action: "attach", guest: context.guest, guestId: context.guestId, ifname: wish.ifname, outcome });
  const replace = (rest: AttachView, old: OwnLink) => {
    const there = old.memory.type ?? typeOfLink(old.link);
    const first = options.detachFirst === true || !kind.hostEnd || (there !== undefined && !kindOf(there).hostEnd);
    replaceSteps(b, context, rest, wish.ifname, old, first, (without) => fresh(b, kind, wish, without, context));
    return finish("replaced");
  };
  const { link, memory } = view.guest;
  if (link === undefined || isHalfBuilt(view.guest, link)) {
    const rest = link === undefined ? view : withoutHalfBuilt(b, view, link);
    const { aside } = rest.guest;
    // The run that began to replace it was killed: the old link waits under another name.
    if (aside !== undefined) return replace(rest, aside);
    fresh(b, kind, wish, rest, context);
    return finish("attached");
  }
  if (memory === undefined || isOurs(view.guest, context, wish.ifname) === undefined)
    throw taken(wish, view, context, link, []);
  const unlike = differences(wish, view, link, type);
  if (unlike.length > 0 && !wish.replace) throw taken(wish, view, context, link, unlike);
  const whole = { ...view, guest: clearAside(b, context, view.guest) };
  if (unlike.length > 0) return replace(whole, { ...whole.guest, link, memory });
  complete(b, wish, whole, context, link, memory);
  return finish(b.steps.length === 0 ? "unchanged" : "completed");
}

/** RFC 8200, 5: no link narrower than this carries IPv6, and the kernel turns it off there. */
const IPV6_MIN_MTU = 1280;

function refuseNarrow(wish: AttachWish, view: AttachView): void {
  const { to, vlan } = view.host;
  const mtu = wish.mtu ?? (wish.uplink === undefined ? vlan?.link : undefined)?.mtu ?? to?.mtu;
  if (mtu === undefined || mtu >= IPV6_MIN_MTU || (!wants(wish, "inet6") && wish.gateways.inet6 === undefined)) return;
  const whose = wish.mtu === undefined ? `${wish.to} has MTU` : "MTU";
  throw invalid(`${whose} ${mtu}, and IPv6 needs at least ${IPV6_MIN_MTU}`, "ask for a larger MTU, or for IPv4 alone");
}

/** Removes what a killed run left of this very link; the view that remains. */
function withoutHalfBuilt(b: PlanBuilder, view: AttachView, half: LinkView): AttachView {
  const { peer } = view.guest;
  if (peer === undefined) clearDebris(b, "debris.link", half, "guest", "left half built by a killed run");
  else clearDebris(b, "debris.link", peer, "host", "left half built by a killed run");
  const hostEnds = new Map([...view.host.hostEnds].filter(([, there]) => there.index !== peer?.index));
  const { link: _, peer: __, memory: ___, ...guest } = view.guest;
  return { host: { ...view.host, hostEnds }, guest: { ...guest, addresses: [], displacers: {} } };
}

/** The refusal of a name that is taken: by what, and in what it differs when it is ours. */
function taken(
  wish: AttachWish,
  view: AttachView,
  context: PlanContext,
  link: LinkView,
  unlike: readonly string[],
): PipeworkError {
  const what = describeLink(link, view.guest.addresses, view.guest.peer);
  const foreign = unlike.length === 0;
  return new PipeworkError({
    code: "name-taken",
    message: foreign
      ? `${wish.ifname} of ${context.guest} is taken: ${what}, not made by pipework`
      : `${wish.ifname} of ${context.guest} is there with another configuration: ${what}; it ${unlike.join(", ")}`,
    hint: foreign
      ? "choose another name with -i (--ifname)"
      : "choose another name with -i (--ifname), or say --replace",
    guest: context.guest,
    ifname: wish.ifname,
  });
}

/** Makes the link and everything on it; what is displaced is recorded before, and whatever could fail comes before that. */
function fresh(b: PlanBuilder, kind: Kind, wish: AttachWish, view: AttachView, context: PlanContext): void {
  if (view.guest.temporary !== undefined && isMark(view.guest.temporary.group)) {
    clearDebris(b, "debris.temporary", view.guest.temporary, "guest", "left half built by a killed run");
  }
  const decisions = decideDefaults(wish, view);
  const displaced = decisions.flatMap((decision) => displacedBy(decision, view) ?? []);
  const born = kind.birth(b, context, wish, view, displaced);
  const link = born.guest;
  if (wants(wish, "inet6") || wish.gateways.inet6 !== undefined) ipv6Steps(b, link);
  addressSteps(b, link, wish.addresses);
  const told =
    wish.announce && wish.addresses.length > 0 ? { inet: wants(wish, "inet"), inet6: wants(wish, "inet6") } : undefined;
  const asItComesUp = told !== undefined && born.fixedMac === true;
  if (asItComesUp) announceAsItComesUp(b, link, told);
  if (born.marked === "guest") upStep(b, link, asItComesUp ? ANNOUNCING : 0);
  else upStep(b, link);
  born.commit();
  for (const decision of decisions) gatewayRouteSteps(b, wish, view, link, decision);
  furtherRoutes(b, link, wish.routes);
  for (const decision of decisions) defaultRouteStep(b, view, link, decision);
  aliveStep(b, context);
  if (asItComesUp) announceEnd(b, link, told);
  else if (told !== undefined) announceSteps(b, link, told, born.port);
}

/** A guest that died meanwhile is no success, and nothing of the attempt stays. */
function aliveStep(b: PlanBuilder, context: PlanContext): void {
  if (context.alive === undefined) return;
  b.add({
    id: "guest.alive",
    label: `${context.guest} still runs`,
    netns: "host",
    op: { op: "identity", path: context.alive, ino: context.netns },
    undo: { none: "reads only" },
  });
}

/** Adds what is missing to a link of ours that is as stated otherwise: further addresses, a lost default, its up state. */
function complete(
  b: PlanBuilder,
  wish: AttachWish,
  view: AttachView,
  context: PlanContext,
  observed: LinkView,
  memory: Memory,
): void {
  const { peer } = view.guest;
  const link: GuestLink = { index: observed.index, ifname: observed.name, mac: observed.address ?? "", observed };
  const addresses = missingAddresses(wish, view.guest.addresses);
  const down = (observed.flags & ifFlags.IFF_UP) === 0;
  if (wish.gateways.inet6 !== undefined || addresses.some((a) => a.family === "inet6")) {
    // An address there already says that IPv6 is on.
    if (!view.guest.addresses.some((a) => a.family === "inet6")) ipv6Steps(b, link);
  }
  addressSteps(b, link, addresses);
  if (down) upStep(b, link);
  if (peer !== undefined && (peer.flags & ifFlags.IFF_UP) === 0) {
    b.add({
      id: "veth.up",
      label: `host end ${peer.name} up`,
      netns: "host",
      op: { op: "netlink", message: setLink(peer.index, {}, true) },
      undo: inverse("host", { op: "netlink", message: setLink(peer.index, {}, false) }),
    });
  }
  const all = decideAll(wish, view, observed.index);
  const decisions = all.filter((decision) => !decision.holds);
  retake(b, context, view, memory, decisions);
  // The route to the gateway may be lost while the default through it is still there.
  for (const decision of all) gatewayRouteSteps(b, wish, view, link, decision);
  furtherRoutes(b, link, missingRoutes(wish, observed.index, view.guest.routes));
  for (const decision of decisions) defaultRouteStep(b, view, link, decision);
  if (b.steps.length > 0) aliveStep(b, context);
  const told = wasAnnouncing(observed) ? wish.addresses : wish.announce ? addresses : [];
  if (told.length > 0 && observed.address !== undefined) {
    announceSteps(
      b,
      link,
      { inet: told.some((a) => a.family === "inet"), inet6: told.some((a) => a.family === "inet6") },
      peer,
    );
  }
}

/**
 * Remembers what a retaken default displaces. The attachment that had displaced ours leaves the chain below us: it
 * inherits what we remembered, and we remember it.
 */
function retake(
  b: PlanBuilder,
  context: PlanContext,
  view: AttachView,
  memory: Memory,
  decisions: readonly DefaultDecision[],
): void {
  let displaced: DisplacedRoute[] = [...memory.displaced];
  const heirs = new Map<string, { holder: MemoryHolder; displaced: DisplacedRoute[] }>();
  for (const decision of decisions) {
    const now = displacedBy(decision, view);
    if (now === undefined) continue;
    const { family } = decision;
    const before = displaced.find((route) => route.family === family);
    const holder = view.guest.displacers[family];
    if (holder !== undefined) {
      const heir = heirs.get(holder.memory.ifname) ?? { holder, displaced: [...holder.memory.displaced] };
      const others = heir.displaced.filter((route) => route.family !== family);
      heirs.set(holder.memory.ifname, { holder, displaced: before === undefined ? others : [...others, before] });
    }
    displaced = [...displaced.filter((route) => route.family !== family), now];
  }
  for (const { holder, displaced: inherited } of heirs.values())
    rememberStep(b, context, `chain.${holder.memory.ifname}`, holder, inherited);
  if (JSON.stringify(inOrder(displaced)) === JSON.stringify(inOrder(memory.displaced))) return;
  const { peer } = view.guest;
  rememberStep(b, context, "remember", { memory, ...(peer === undefined ? {} : { hostEnd: peer }) }, displaced);
}
