import { asideIfname } from "../values/host-ifname.js";
import { inverse, type PlanBuilder } from "./builder.js";
import type { PlanContext } from "./context.js";
import { deleteLink, setLink } from "./link-message.js";
import type { Memory } from "./memory.js";
import { releaseDefaults, viewWithout } from "./release.js";
import type { AttachView, LinkView } from "./view.js";

/**
 * The old link is renamed aside, the new one attached, the old one deleted: the guest is never without. Where the old
 * one cannot stay beside the new (same MAC on one parent) or be renamed while up, it goes first, and that step says so.
 */
export function replaceSteps(
  b: PlanBuilder,
  context: PlanContext,
  view: AttachView,
  old: LinkView,
  memory: Memory,
  detachFirst: boolean,
  attach: (rest: AttachView) => void,
): void {
  const { peer } = view.guest;
  const rename = (id: string, link: LinkView, netns: "host" | "guest") => {
    const aside = asideIfname(context.guestId, link.name);
    b.add({
      id,
      label: `${link.name} renamed aside to ${aside}`,
      netns,
      op: { op: "netlink", message: setLink(link.index, { ifname: aside }) },
      undo: inverse(netns, { op: "netlink", message: setLink(link.index, { ifname: link.name }) }),
    });
  };
  const [end, side] = peer === undefined ? ([old, "guest"] as const) : ([peer, "host"] as const);
  const remove = deleteLink(end.index);
  if (!detachFirst) {
    rename("replace.aside", old, "guest");
    if (peer !== undefined) rename("replace.aside-host", peer, "host");
  }
  releaseDefaults(b, context, view.guest, old, memory);
  if (detachFirst) {
    b.add({
      id: "replace.detach",
      label: `the old ${old.name} removed first: it cannot stay beside the new one`,
      netns: side,
      op: { op: "netlink", message: remove, tolerate: ["ENODEV"] },
      undo: { none: "a deleted link cannot be brought back" },
    });
  }
  const hostEnds = new Map([...view.host.hostEnds].filter(([, there]) => there.index !== peer?.index));
  attach({ host: { ...view.host, hostEnds }, guest: viewWithout(view.guest, old, memory) });
  if (!detachFirst) {
    b.add({
      id: "replace.remove",
      label: `the old ${old.name} removed`,
      netns: side,
      op: { op: "reap", message: remove, ifindex: end.index },
      undo: { none: "the last step" },
    });
  }
}

