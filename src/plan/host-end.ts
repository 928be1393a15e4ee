import { PipeworkError } from "../values/error.js";
import { HOST_IFNAMES, hashedHostIfname, hostIfname } from "../values/host-ifname.js";
import type { PlanBuilder } from "./builder.js";
import { isMark, type PlanContext } from "./context.js";
import { deleteLink } from "./link-message.js";
import { parseAlias } from "./memory.js";
import type { AttachView, LinkView } from "./view.js";
import type { AttachWish } from "./wish.js";

/** Names the host end may get, best first. One name only where it was asked for or follows from the guest's PID. */
export function hostEndCandidates(wish: AttachWish, context: Pick<PlanContext, "guestId" | "pid">): string[] {
  if (wish.hostIfname !== undefined) return [wish.hostIfname];
  const legacy = context.pid === undefined ? undefined : hostIfname(wish.ifname, context.pid);
  if (legacy !== undefined) return [legacy];
  return Array.from({ length: HOST_IFNAMES }, (_, i) => hashedHostIfname(context.guestId, wish.ifname, i));
}

/** Deletes a link of ours that nothing uses any more; it is no loss that undo does not bring it back. */
export function clearDebris(b: PlanBuilder, id: string, link: LinkView, netns: "host" | "guest", why: string): void {
  b.add({
    id,
    label: `${link.name}, ${why}, removed`,
    netns,
    op: { op: "netlink", message: deleteLink(link.index), tolerate: ["ENODEV"] },
    undo: { none: why },
  });
}

function stale(link: LinkView, context: PlanContext): boolean {
  const parsed = parseAlias(link.alias);
  return (
    parsed !== undefined &&
    "memory" in parsed &&
    parsed.memory.guest === context.guestId &&
    parsed.memory.netns !== context.netns
  );
}

/** A host end of this very attachment, whole, while the guest has no link of that name. */
function renamedInside(link: LinkView, context: PlanContext, wish: AttachWish): boolean {
  const parsed = parseAlias(link.alias);
  if (parsed === undefined || !("memory" in parsed)) return false;
  return parsed.memory.netns === context.netns && parsed.memory.ifname === wish.ifname;
}

/** Picks the name of the host end; what has it is removed only when it is debris of ours, and never otherwise. */
export function chooseHostIfname(b: PlanBuilder, context: PlanContext, wish: AttachWish, view: AttachView): string {
  const candidates = hostEndCandidates(wish, context);
  for (const name of candidates) {
    const there = view.host.hostEnds.get(name);
    if (there === undefined) return name;
    if (isMark(there.group)) {
      clearDebris(b, "debris.host-end", there, "host", "left half built by a killed run");
      return name;
    }
    if (renamedInside(there, context, wish)) {
      throw new PipeworkError({
        code: "name-taken",
        message: `${wish.ifname} was attached to ${context.guest} before (host end ${there.name}) and was renamed or moved inside it`,
        hint: "detach it first, and attach it again",
        guest: context.guest,
        ifname: wish.ifname,
      });
    }
    if (stale(there, context)) {
      clearDebris(b, "debris.host-end", there, "host", "left by the guest's former namespace");
      return name;
    }
  }
  const name = candidates[0] as string;
  const there = view.host.hostEnds.get(name) as LinkView;
  const parsed = parseAlias(there.alias);
  const owner =
    parsed !== undefined && "memory" in parsed
      ? `belongs to ${parsed.memory.ifname} of ${parsed.memory.guest}`
      : "was not made by pipework";
  throw new PipeworkError({
    code: "name-taken",
    message: `the host-end name ${name} is taken by ${there.kind === undefined ? "an interface" : `a ${there.kind}`} that ${owner}`,
    hint: "choose another name with -l (--host-ifname), or remove that link yourself",
    guest: context.guest,
    ifname: wish.ifname,
  });
}
