import { families, offLink } from "../plan/configure.js";
import type { PlanContext } from "../plan/context.js";
import { hostEndCandidates } from "../plan/host-end.js";
import { kindOf, typeFor } from "../plan/kinds.js";
import { getLinkByName } from "../plan/link-message.js";
import { dumpPortVlans, type PortVlans } from "../plan/port-vlan.js";
import type { AttachView, LinkView } from "../plan/view.js";
import type { AttachWish } from "../plan/wish.js";
import { linkFrom, portVlansFrom } from "./observe.js";
import { guestAsks, readGuest } from "./read-guest.js";
import { hostAccessView } from "./read-host-access.js";
import { type PhysRead, readPhys, withReturning } from "./read-phys.js";
import { siblingsOf } from "./read-siblings.js";
import { readVlan } from "./read-vlan.js";
import { hostAsk, hostFrom } from "./select-host.js";
import type { Answer, Ask, Transaction } from "./transaction.js";

/** A question, and what it is about. */
export interface AttachAsk extends Ask {
  readonly about: "to" | "hostEnd" | "guest" | "routes";
}

/** The first reads of an attach, all in one hop. */
export interface AttachReads {
  readonly asks: readonly AttachAsk[];
  complete(transaction: Transaction, answers: readonly Answer[]): Promise<AttachView>;
}

function byName(about: AttachAsk["about"], name: string): AttachAsk {
  return { about, netns: "host", message: getLinkByName(name) };
}

/** Links under the names the host end could get; the later ones are asked for only when the earlier are taken. */
async function hostEndsOf(
  transaction: Transaction,
  candidates: readonly string[],
  first: Answer | undefined,
): Promise<Map<string, LinkView>> {
  const hostEnds = new Map<string, LinkView>();
  let answer = first;
  for (const [i, name] of candidates.entries()) {
    if (i > 0) [answer] = await transaction.ask([byName("hostEnd", name)]);
    const end = linkFrom(answer, "an interface of the host");
    if (end === undefined) break;
    hostEnds.set(name, end);
  }
  return hostEnds;
}

/** Prefix lengths of the routes that a request states, the ones to gateways outside its subnets included. */
function routeLengths(wish: AttachWish): number[] {
  const lengths = wish.routes.map(({ destination }) => destination.prefixlen);
  for (const family of families) {
    const via = wish.gateways[family];
    if (via !== undefined && offLink(via, family, wish.addresses)) lengths.push(family === "inet" ? 32 : 128);
  }
  return lengths;
}

/** Every read is for one object by name, or for the guest's routes when a default is to be displaced. */
export function attachReads(wish: AttachWish, context: PlanContext): AttachReads {
  const candidates = wish.type !== undefined && wish.type !== "bridge" ? [] : hostEndCandidates(wish, context);
  const wanted = families.filter((family) => wish.gateways[family] !== undefined);
  const host = [
    { about: "to", ...hostAsk(wish.selector) } as const,
    ...candidates.slice(0, 1).map((name) => byName("hostEnd", name)),
  ];
  const lengths = routeLengths(wish);
  const guest = guestAsks(context, wish.ifname, wanted, lengths).map(
    (one): AttachAsk => ({ ...one, about: one.message.noun === "route" ? "routes" : "guest" }),
  );
  return {
    asks: [...host, ...guest],
    async complete(transaction, answers) {
      const found = hostFrom(wish.selector, answers[0]);
      const hostEnds = await hostEndsOf(transaction, candidates, answers[1]);
      const view = await readGuest(transaction, context, wish.ifname, wanted, answers.slice(host.length), lengths);
      const { to, nic, heldBy }: PhysRead =
        wish.type === "phys"
          ? await readPhys(transaction, wish, context, view, found)
          : { ...withReturning(wish, view, found) };
      const type = typeFor(wish, to);
      const sameName = kindOf(type).hostEnd ? undefined : await sameNameOf(transaction, wish);
      const carried = await readVlan(transaction, wish, to);
      const carrier = carried.vlan === undefined ? to : carried.vlan.link;
      const siblings =
        carrier !== undefined && (type === "macvlan" || type === "ipvlan")
          ? await siblingsOf(transaction, carrier, context, wish.ifname)
          : undefined;
      const access =
        wish.hostAccess && type === "macvlan" ? await hostAccessView(transaction, wish, carrier) : undefined;
      const portVlans =
        wish.tag === undefined || view.peer === undefined ? undefined : await portVlansOf(transaction, view.peer);
      return {
        host: {
          ...(to === undefined ? {} : { to }),
          ...carried,
          hostEnds,
          ...(sameName === undefined ? {} : { sameName }),
          ...(siblings === undefined ? {} : { siblings }),
          ...(access === undefined ? {} : { access }),
          ...(nic === undefined ? {} : { nic }),
          ...(heldBy === undefined ? {} : { heldBy }),
        },
        guest: portVlans === undefined ? view : { ...view, portVlans },
      };
    },
  };
}

/** A host link of the wanted name, which matters to kinds that are born in the guest. */
async function sameNameOf(transaction: Transaction, wish: AttachWish): Promise<LinkView | undefined> {
  const [answer] = await transaction.ask([byName("to", wish.ifname)]);
  return linkFrom(answer, "an interface of the host");
}

async function portVlansOf(transaction: Transaction, port: LinkView): Promise<PortVlans | undefined> {
  const [answer] = await transaction.ask([{ netns: "host", message: dumpPortVlans() }]);
  return portVlansFrom(answer).get(port.index);
}
