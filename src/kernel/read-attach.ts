import { families } from "../plan/configure.js";
import type { PlanContext } from "../plan/context.js";
import { hostEndCandidates } from "../plan/host-end.js";
import { getLinkByName } from "../plan/link-message.js";
import type { AttachView, LinkView } from "../plan/view.js";
import type { AttachWish } from "../plan/wish.js";
import { temporaryIfname } from "../values/host-ifname.js";
import { linkFrom } from "./observe.js";
import { guestAsks, readGuest } from "./read-guest.js";
import type { Answer, Ask, Transaction } from "./transaction.js";

/** The first reads of an attach, all in one hop. */
export interface AttachReads {
  readonly asks: readonly Ask[];
  complete(transaction: Transaction, answers: readonly Answer[]): Promise<AttachView>;
}

/** Every read is for one object by name, or for the guest's routes when a default is to be displaced. */
export function attachReads(wish: AttachWish, context: PlanContext): AttachReads {
  const candidates = wish.type === "macvlan" ? [] : hostEndCandidates(wish, context);
  const wanted = families.filter((family) => wish.gateways[family] !== undefined);
  const host: Ask[] = [wish.to, wish.ifname, ...candidates].map((name) => ({ netns: "host", message: getLinkByName(name) }));
  return {
    asks: [...host, ...guestAsks(wish.ifname, wanted)],
    async complete(transaction, answers) {
      const [to, sameName, ...ends] = answers.slice(0, host.length).map((answer) => linkFrom(answer, "an interface of the host"));
      const hostEnds = new Map<string, LinkView>();
      for (const [i, name] of candidates.entries()) {
        const end = ends[i];
        if (end !== undefined) hostEnds.set(name, end);
      }
      const guest = await readGuest(transaction, context, wish.ifname, wanted, answers.slice(host.length));
      const temporary = await temporaryOf(transaction, wish, context, to);
      return {
        host: { ...(to === undefined ? {} : { to }), hostEnds, ...(sameName === undefined ? {} : { sameName }) },
        guest: { ...guest, ...(temporary === undefined ? {} : { temporary }) },
      };
    },
  };
}

/** Debris under the temporary name, which only kinds born on a parent use. */
async function temporaryOf(transaction: Transaction, wish: AttachWish, context: PlanContext, to: LinkView | undefined): Promise<LinkView | undefined> {
  if (to === undefined || (to.kind === "bridge" && wish.type !== "macvlan")) return undefined;
  const name = temporaryIfname(context.guestId, wish.ifname);
  const [answer] = await transaction.ask([{ netns: "guest", message: getLinkByName(name) }]);
  return linkFrom(answer, `${name} in the guest`);
}
