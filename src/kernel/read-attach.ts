import { families } from "../plan/configure.js";
import type { PlanContext } from "../plan/context.js";
import { hostEndCandidates } from "../plan/host-end.js";
import { getLinkByName } from "../plan/link-message.js";
import type { AttachView, LinkView } from "../plan/view.js";
import type { AttachWish } from "../plan/wish.js";
import { linkFrom } from "./observe.js";
import { guestAsks, readGuest } from "./read-guest.js";
import type { Answer, Ask, Transaction } from "./transaction.js";

/** A question, and what it is about. */
export interface AttachAsk extends Ask {
  readonly about: "to" | "sameName" | "hostEnd" | "guest" | "routes";
}

/** The first reads of an attach, all in one hop. */
export interface AttachReads {
  readonly asks: readonly AttachAsk[];
  complete(transaction: Transaction, answers: readonly Answer[]): Promise<AttachView>;
}

/** Every read is for one object by name, or for the guest's routes when a default is to be displaced. */
export function attachReads(wish: AttachWish, context: PlanContext): AttachReads {
  const candidates = wish.type === "macvlan" ? [] : hostEndCandidates(wish, context);
  const wanted = families.filter((family) => wish.gateways[family] !== undefined);
  const ask = (about: AttachAsk["about"], name: string): AttachAsk => ({ about, netns: "host", message: getLinkByName(name) });
  const host = [ask("to", wish.to), ask("sameName", wish.ifname), ...candidates.map((name) => ask("hostEnd", name))];
  const guest = guestAsks(context, wish.ifname, wanted).map(
    (one): AttachAsk => ({ ...one, about: one.message.noun === "route" ? "routes" : "guest" }),
  );
  return {
    asks: [...host, ...guest],
    async complete(transaction, answers) {
      const [to, sameName, ...ends] = answers.slice(0, host.length).map((answer) => linkFrom(answer, "an interface of the host"));
      const hostEnds = new Map<string, LinkView>();
      for (const [i, name] of candidates.entries()) {
        const end = ends[i];
        if (end !== undefined) hostEnds.set(name, end);
      }
      const guest = await readGuest(transaction, context, wish.ifname, wanted, answers.slice(host.length));
      return {
        host: { ...(to === undefined ? {} : { to }), hostEnds, ...(sameName === undefined ? {} : { sameName }) },
        guest,
      };
    },
  };
}
