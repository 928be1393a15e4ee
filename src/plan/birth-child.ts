import { temporaryIfname } from "../values/host-ifname.js";
import { type GuestLink, unmake } from "./birth.js";
import type { PlanBuilder } from "./builder.js";
import { type PlanContext, slots } from "./context.js";
import { getLinkByName, type LinkAttributes, newLink, setLink } from "./link-message.js";
import { type Memory, memoryRecord, recordName } from "./memory.js";
import type { ParentEnd } from "./parent.js";
import type { AttachView } from "./view.js";
import type { AttachWish } from "./wish.js";

export interface ChildBirth {
  readonly linkinfo: NonNullable<LinkAttributes["linkinfo"]> & { readonly kind: string };
  /** Undefined for a dummy, which hangs on nothing. */
  readonly parent?: ParentEnd;
  /** Undefined where the kernel gives the parent's, as to an ipvlan. */
  readonly mac?: string;
  /** What to do about a refusal, by errno. */
  readonly hints?: Readonly<Record<string, string>>;
}

/** Nothing stays on the host, so what belongs to whom is recorded in a file, before anything is made. */
export function recordStep(b: PlanBuilder, context: PlanContext, memory: Memory): void {
  b.add({
    id: "record",
    label: `record of ${memory.ifname}`,
    netns: "host",
    op: {
      op: "file",
      path: `${context.recordDir}/${recordName(memory.guest, memory.ifname)}`,
      content: memoryRecord(memory),
    },
    undo: { builtin: "what was there before is written back" },
  });
}

/** A link that is born in the guest, its parent looked up on the host: never moved. Its record comes before. */
export function childBirth(
  b: PlanBuilder,
  context: PlanContext,
  wish: AttachWish,
  view: AttachView,
  { linkinfo, parent, mac, hints }: ChildBirth,
): GuestLink {
  const { kind } = linkinfo;
  const index = { slot: slots.guestLink };
  // 6.1 and 6.12 answer EEXIST to a create in place when the host has a link of that name.
  const temporary = view.host.sameName === undefined ? undefined : temporaryIfname(context.guestId, wish.ifname);
  const bornAs = temporary ?? wish.ifname;
  const id = b.add({
    id: `${kind}.create`,
    label: `${kind} ${bornAs}${parent === undefined ? "" : ` on ${parent.name}`}, born in the guest`,
    netns: "host",
    op: {
      op: "netlink",
      message: newLink({
        ...(mac === undefined ? {} : { address: mac }),
        ifname: bornAs,
        ...(wish.mtu === undefined ? {} : { mtu: wish.mtu }),
        ...(parent === undefined ? {} : { link: parent.index }),
        group: context.mark,
        netNsFd: { slot: slots.guestNetns },
        linkinfo,
      }),
    },
    undo: unmake("guest", { slot: slots.guestLink, name: bornAs, mark: context.mark }),
    ...(hints === undefined ? {} : { hints }),
  });
  b.add({
    id: "link.find",
    label: `${bornAs} found in the guest`,
    netns: "guest",
    op: { op: "netlink", message: getLinkByName(bornAs), capture: { slot: slots.guestLink } },
    undo: { none: "reads only" },
  });
  if (temporary !== undefined) {
    b.add({
      id: "link.rename",
      label: `${temporary} renamed to ${wish.ifname}`,
      netns: "guest",
      op: { op: "netlink", message: setLink(index, { ifname: wish.ifname }) },
      undo: { ownedBy: id },
    });
  }
  return { index, ifname: wish.ifname, mac: mac ?? "", birth: id };
}
