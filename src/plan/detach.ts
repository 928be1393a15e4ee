import { PipeworkError } from "../values/error.js";
import { isHalfBuilt, isOurs } from "./attach.js";
import { PlanBuilder } from "./builder.js";
import { describeLink } from "./compare.js";
import type { PlanContext } from "./context.js";
import { deleteLink } from "./link-message.js";
import { parseAlias, recordName } from "./memory.js";
import { releaseDefaults } from "./release.js";
import type { Plan } from "./step.js";
import type { GuestView } from "./view.js";

/**
 * Takes an attachment back: displaced routes first, then the link, in whose wake everything on it goes. An interface
 * that is not there is success; one that is not ours is refused.
 */
export function planDetach(ifname: string, view: GuestView, context: PlanContext): Plan {
  const b = new PlanBuilder();
  const finish = (outcome: Plan["outcome"]) => b.finish({ action: "detach", guest: context.guest, guestId: context.guestId, ifname, outcome });
  const forget = (name: string) =>
    b.add({
      id: "forget",
      label: `record of ${ifname} removed`,
      netns: "host",
      op: { op: "file", path: `${context.recordDir}/${name}`, content: null },
      undo: { builtin: "what was there before is written back" },
    });
  const { link, peer } = view;
  if (link === undefined) {
    if (view.record) forget(recordName(context.guestId, ifname));
    return finish("absent");
  }
  const halfBuilt = isHalfBuilt(view, link);
  const memory = isOurs(view, context, ifname);
  if (!halfBuilt && memory === undefined) {
    throw new PipeworkError({
      code: "interface-unsuitable",
      message: `${ifname} of ${context.guest} was not made by pipework: it is ${describeLink(link, view.addresses, peer)}`,
      hint: "only what pipework attached is detached; `pipework list` shows that",
      guest: context.guest,
      ifname,
    });
  }
  if (memory !== undefined) releaseDefaults(b, context, view, link, memory);
  const parsed = parseAlias(peer?.alias);
  if (parsed !== undefined && "record" in parsed) forget(parsed.record);
  else if (view.record) forget(recordName(context.guestId, ifname));
  const [end, side] = peer === undefined ? ([link, "guest"] as const) : ([peer, "host"] as const);
  b.add({
    id: "link.delete",
    label: `${end.name} deleted${peer === undefined ? "" : `, and with it ${ifname} in the guest`}`,
    netns: side,
    op: { op: "reap", message: deleteLink(end.index), ifindex: end.index },
    undo: { none: "the last step" },
  });
  return finish("detached");
}
