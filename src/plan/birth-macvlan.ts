import { ifFlags } from "../netlink/link.js";
import { macvlanModes } from "../netlink/link-macvlan.js";
import { type GuestLink, unmake } from "./birth.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { type PlanContext, slots } from "./context.js";
import { getLinkByName, newLink, setLink } from "./link-message.js";
import { type Memory, memoryRecord, recordName } from "./memory.js";
import type { LinkView } from "./view.js";
import type { AttachWish } from "./wish.js";

export interface MacvlanBirth {
  readonly parent: LinkView;
  readonly mac: string;
  readonly memory: Memory;
  /** Set when the host has a link of the wanted name: 6.1 and 6.12 answer EEXIST to a create in place then. */
  readonly temporary?: string;
}

/** Nothing stays on the host, so what belongs to whom is recorded in a file first. */
export function macvlanBirth(b: PlanBuilder, context: PlanContext, wish: AttachWish, birth: MacvlanBirth): GuestLink {
  const { parent, mac, memory, temporary } = birth;
  const index = { slot: slots.guestLink };
  b.add({
    id: "macvlan.record",
    label: `record of ${wish.ifname}`,
    netns: "host",
    op: {
      op: "file",
      path: `${context.recordDir}/${recordName(memory.guest, memory.ifname)}`,
      content: memoryRecord(memory),
    },
    undo: { builtin: "what was there before is written back" },
  });
  if ((parent.flags & ifFlags.IFF_UP) === 0) {
    b.add({
      id: "parent.up",
      label: `parent ${parent.name} up`,
      netns: "host",
      op: { op: "netlink", message: setLink(parent.index, {}, true) },
      undo: inverse("host", { op: "netlink", message: setLink(parent.index, {}, false) }),
    });
  }
  const bornAs = temporary ?? wish.ifname;
  const id = b.add({
    id: "macvlan.create",
    label: `macvlan ${bornAs} on ${parent.name}, born in the guest`,
    netns: "host",
    op: {
      op: "netlink",
      message: newLink({
        address: mac,
        ifname: bornAs,
        ...(wish.mtu === undefined ? {} : { mtu: wish.mtu }),
        link: parent.index,
        group: context.mark,
        netNsFd: { slot: slots.guestNetns },
        linkinfo: { kind: "macvlan", data: { mode: macvlanModes[wish.mode ?? "bridge"] } },
      }),
    },
    undo: unmake("guest", { slot: slots.guestLink, name: bornAs, mark: context.mark }),
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
  return { index, ifname: wish.ifname, mac, birth: id };
}
