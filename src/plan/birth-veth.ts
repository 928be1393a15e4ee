import { hostEndMac } from "../values/mac.js";
import { type GuestLink, type HostEnd, unmake } from "./birth.js";
import type { BridgeEnd } from "./bridge.js";
import type { PlanBuilder } from "./builder.js";
import { type PlanContext, slots } from "./context.js";
import { getLinkByName, newLink, setLink } from "./link-message.js";
import { type Memory, memoryAlias, recordName } from "./memory.js";
import type { AttachWish } from "./wish.js";

export interface VethBirth {
  readonly hostIfname: string;
  readonly guestMac: string;
  readonly bridge: BridgeEnd;
}

/**
 * One message makes both ends: the guest's in its namespace under its final name with its MAC and MTU, the host's
 * enslaved. Nothing is ever moved or renamed: a move costs 19 ms under the RTNL lock.
 */
export function vethBirth(
  b: PlanBuilder,
  context: PlanContext,
  wish: AttachWish,
  birth: VethBirth,
): { guest: GuestLink; host: HostEnd } {
  const { hostIfname, guestMac, bridge } = birth;
  const mtu = wish.mtu ?? bridge.mtu;
  // The kernel uses one queue by default anyway, and makes one per CPU: asking for one halves the cost of the link.
  const queues = { numTxQueues: wish.queues ?? 1, numRxQueues: wish.queues ?? 1 };
  const hostEnd = { slot: slots.hostEnd };
  const id = b.add({
    id: "veth.create",
    label: `veth ${hostIfname} on ${wish.to}, its peer ${wish.ifname} in the guest`,
    netns: "host",
    op: {
      op: "netlink",
      message: newLink({
        address: hostEndMac(context.seed),
        ifname: hostIfname,
        mtu,
        master: bridge.index,
        // Half built and ours until the group is cleared by the message that sets the alias.
        group: context.mark,
        ...queues,
        linkinfo: {
          kind: "veth",
          data: {
            peer: {
              attributes: {
                address: guestMac,
                ifname: wish.ifname,
                mtu,
                netNsFd: { slot: slots.guestNetns },
                ...queues,
              },
            },
          },
        },
      }),
    },
    undo: unmake("host", { slot: slots.hostEnd, name: hostIfname, mark: context.mark }),
  });
  b.add({
    id: "veth.find-host",
    label: `host end ${hostIfname} found`,
    netns: "host",
    op: { op: "netlink", message: getLinkByName(hostIfname), capture: { slot: slots.hostEnd } },
    undo: { none: "reads only" },
  });
  b.add({
    id: "link.find",
    label: `${wish.ifname} found in the guest`,
    netns: "guest",
    op: { op: "netlink", message: getLinkByName(wish.ifname), capture: { slot: slots.guestLink } },
    undo: { none: "reads only" },
  });
  return {
    guest: { index: { slot: slots.guestLink }, ifname: wish.ifname, mac: guestMac, birth: id },
    host: { index: hostEnd, ifname: hostIfname },
  };
}

/**
 * The visible commit: who it belongs to and what it is about to displace goes into the alias, the mark is cleared and
 * the host end comes up, in one message. `stale`: there is a record, and no link any more that it describes.
 */
export function vethCommit(
  b: PlanBuilder,
  context: PlanContext,
  host: HostEnd,
  birth: string,
  memory: Memory,
  stale: boolean,
): void {
  const { alias, record } = memoryAlias(memory);
  if (record === undefined && stale) {
    b.add({
      id: "veth.forget",
      label: `record of a former ${memory.ifname} removed`,
      netns: "host",
      op: { op: "file", path: `${context.recordDir}/${recordName(memory.guest, memory.ifname)}`, content: null },
      undo: { builtin: "what was there before is written back" },
    });
  }
  if (record !== undefined) {
    b.add({
      id: "veth.record",
      label: `record of what ${memory.ifname} displaces`,
      netns: "host",
      op: { op: "file", path: `${context.recordDir}/${record.name}`, content: record.content },
      undo: { builtin: "what was there before is written back" },
    });
  }
  b.add({
    id: "veth.commit",
    label: `host end ${host.ifname} up and marked as ours`,
    netns: "host",
    op: { op: "netlink", message: setLink(host.index, { ifalias: alias, group: 0 }, true) },
    undo: { ownedBy: birth },
  });
}
