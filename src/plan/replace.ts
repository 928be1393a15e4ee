import { asideIfname } from "../values/host-ifname.js";
import { inverse, type PlanBuilder } from "./builder.js";
import type { PlanContext } from "./context.js";
import { clearDebris } from "./host-end.js";
import { kindOf, typeOfLink } from "./kinds.js";
import { deleteLink, setLink } from "./link-message.js";
import { recordName } from "./memory.js";
import { isPhys } from "./nic.js";
import { forgetNic, homeSteps } from "./nic-home.js";
import { madeAgain, movedAgain, rebirth } from "./rebirth.js";
import { type OwnLink, releaseDefaults, routesAfter } from "./release.js";
import type { AttachView, GuestView, LinkView } from "./view.js";

/** The end of an attachment by which it is deleted: the host's where there is one. */
function endOf({ link, peer }: OwnLink): readonly [LinkView, "host" | "guest"] {
  return peer === undefined ? [link, "guest"] : [peer, "host"];
}

function renameAside(b: PlanBuilder, context: PlanContext, id: string, link: LinkView, netns: "host" | "guest"): void {
  const aside = asideIfname(context.guestId, link.name);
  b.add({
    id,
    label: `${link.name} renamed aside to ${aside}`,
    netns,
    op: { op: "netlink", message: setLink(link.index, { ifname: aside }) },
    undo: inverse(netns, { op: "netlink", message: setLink(link.index, { ifname: link.name }) }),
  });
}

/**
 * The old link is renamed aside, the new one attached, the old one deleted: the guest is never without. Where the old
 * one cannot stay beside the new (same MAC on one parent) or be renamed while up, it goes first, and that step says so.
 * `old` may have been renamed already, by a run that was killed.
 */
export function replaceSteps(
  b: PlanBuilder,
  context: PlanContext,
  view: AttachView,
  ifname: string,
  old: OwnLink,
  detachFirst: boolean,
  attach: (rest: AttachView) => void,
): void {
  const { link, peer } = old;
  const [end, side] = endOf(old);
  const inTheWay = peer !== undefined && [...view.host.hostEnds.values()].some((there) => there.index === peer.index);
  if (!detachFirst) {
    if (link.name === ifname) renameAside(b, context, "replace.aside", link, "guest");
    if (inTheWay) renameAside(b, context, "replace.aside-host", peer, "host");
  }
  releaseDefaults(b, context, view.guest, old, "", detachFirst);
  const nic = isPhys(old.memory) ? view.guest.nic : undefined;
  if (nic !== undefined) {
    const again = movedAgain(link, nic.memory.nic, nic.name, ifname);
    homeSteps(b, nic, "replace.", { inverse: rebirth(link, again, view.guest, ifname) });
    forgetNic(b, context, nic.memory, "replace.forget", false);
  } else if (detachFirst) {
    const type = typeOfLink(link);
    const again = type === undefined || link.name !== ifname ? undefined : kindOf(type).reborn?.(link, old.memory);
    b.add({
      id: "replace.detach",
      label: `the old ${ifname} removed first: it cannot stay beside the new one`,
      netns: side,
      op: { op: "netlink", message: deleteLink(end.index), tolerate: ["ENODEV"] },
      undo:
        again !== undefined
          ? { inverse: rebirth(link, [madeAgain(link, again, ifname)], view.guest, ifname) }
          : { none: "a deleted link cannot be brought back" },
    });
    if (view.guest.record) {
      b.add({
        id: "replace.forget",
        label: `record of the old ${ifname} removed`,
        netns: "host",
        op: { op: "file", path: `${context.recordDir}/${recordName(context.guestId, ifname)}`, content: null },
        undo:
          again !== undefined
            ? { builtin: "what was there before is written back" }
            : { none: "the link that it describes is gone" },
      });
    }
  }
  const hostEnds = new Map([...view.host.hostEnds].filter(([, there]) => there.index !== peer?.index));
  const { link: _, peer: __, memory: ___, aside: ____, nic: _____, ...rest } = view.guest;
  attach({
    host: { ...view.host, hostEnds },
    guest: {
      ...rest,
      record: view.guest.record && !detachFirst,
      addresses: [],
      displacers: {},
      routes: routesAfter(view.guest, old, !detachFirst),
      ...(detachFirst ? {} : { leaving: link.index }),
    },
  });
  if (!detachFirst) {
    b.add({
      id: "replace.remove",
      label: `the old ${ifname} removed`,
      netns: side,
      op: { op: "reap", message: deleteLink(end.index), ifindex: end.index },
      undo: { none: "the last step" },
    });
  }
}

/** Removes what a killed replacement has renamed aside, where its successor is there; the view that remains. */
export function clearAside<V extends GuestView>(b: PlanBuilder, context: PlanContext, view: V): V {
  const { aside, ...rest } = view;
  if (aside === undefined) return view;
  releaseDefaults(b, context, view, aside, "aside.");
  const [end, side] = endOf(aside);
  clearDebris(b, "debris.aside", end, side, "left by a killed replacement");
  return { ...rest, routes: routesAfter(view, aside, false) } as unknown as V;
}
