import { ifFlags } from "../netlink/link.js";
import { PipeworkError } from "../values/error.js";
import type { PlanBuilder } from "./builder.js";
import { type PlanContext, slots } from "./context.js";
import { deleteLink, dumpLinks, getLinkByName, linkPaths, linkProperties, setLink } from "./link-message.js";
import { recordName } from "./memory.js";
import { type NicMemory, nicText, type PhysMemory, settableFlags } from "./nic.js";
import { restored, restoring } from "./nic-restore.js";
import type { Condition, Operation, Undo, UndoOperation } from "./step.js";
import type { LinkView } from "./view.js";

/** A NIC that a record of ours tells of, and where it is now. Neither `guest` nor `host`: it was not found. */
export interface NicReturn {
  readonly memory: PhysMemory;
  /** In the guest, with the links that were made on it there. */
  readonly guest?: { readonly link: LinkView; readonly children: readonly LinkView[] };
  /** On the host, with what it has there. */
  readonly host?: { readonly link: LinkView; readonly state: NicMemory };
  /** Its own name; or the one that it gets because another interface has that by now. */
  readonly name: string;
  /** Another link of the host has its ifindex by now. */
  readonly indexTaken: boolean;
  /** The device behind it is not there any more. */
  readonly unplugged: boolean;
  /** Seconds since its memory was written. */
  readonly elapsed: number;
  /** What holds the namespace that it is in, where it was not found. */
  readonly heldBy?: string;
}

/** By which attributes a NIC is told from others in a reply: the MAC of its hardware, or the ones that it may have. */
export function nicConditions(nic: NicMemory): Condition[][] {
  const kind = nic.kind === undefined ? [] : [{ path: linkPaths.kind, value: nic.kind }];
  if (nic.permAddress !== undefined) return [[...kind, { path: linkPaths.permAddress, value: nic.permAddress }]];
  const addresses = new Set([nic.address, nic.guestAddress].filter((address) => address !== undefined));
  return [...addresses].map((value) => [...kind, { path: linkPaths.address, value }]);
}

/** A virtual link goes with the namespace that it is in, and a device that is unplugged does not come back. */
export function isLost({ memory: { nic }, guest, host, unplugged }: NicReturn): boolean {
  return guest === undefined && host === undefined && (nic.kind !== undefined || unplugged);
}

/** Not to be found, and not lost: its namespace is just going, or something still holds it. */
export function isAway(back: NicReturn): boolean {
  return back.guest === undefined && back.host === undefined && !isLost(back);
}

export function awayError({ memory, heldBy }: NicReturn, context: Pick<PlanContext, "guest">): PipeworkError {
  return new PipeworkError({
    code: "interface-away",
    message:
      `${nicText(memory.nic)}, attached to ${context.guest} as ${memory.ifname}, is neither in the guest nor on the host` +
      (heldBy === undefined ? "" : `: ${heldBy} still holds the namespace that it is in`),
    hint: "it comes back when nothing holds the guest's former namespace any more: then detach it again",
    guest: context.guest,
    ifname: memory.ifname,
  });
}

/** What is said of a NIC that nothing can be given back to. */
export function lostWarning({ memory: { nic }, unplugged }: NicReturn): string {
  return unplugged
    ? `${nicText(nic)} was unplugged: nothing of it can be given back`
    : `${nicText(nic)}, a ${nic.kind ?? "NIC"}, went with the guest's namespace`;
}

export function forgetNic(
  b: PlanBuilder,
  context: PlanContext,
  memory: PhysMemory,
  id: string,
  optional: boolean,
): void {
  b.add({
    id,
    label: `record of ${memory.ifname} removed`,
    netns: "host",
    op: { op: "file", path: `${context.recordDir}/${recordName(memory.guest, memory.ifname)}`, content: null },
    undo: optional ? { none: "the NIC is home" } : { builtin: "what was there before is written back" },
    ...(optional ? { optional } : {}),
  });
}

/**
 * Brings a NIC home and gives it back what it had. One message moves it out of the guest and renames it, under the ifindex
 * that it had; all that follows is best effort, because nothing may keep the NIC itself from coming home.
 * `back`: how it gets into the guest again when a later step of the same plan fails.
 */
export function homeSteps(b: PlanBuilder, nic: NicReturn, prefix: string, back?: Undo): void {
  const { memory, guest, host, name, indexTaken, elapsed } = nic;
  const own = memory.nic;
  if (name !== own.name)
    b.warn(`another interface of the host is called ${own.name} by now: ${nicText(own)} is called ${name}`);
  if (guest !== undefined) {
    const { link, children } = guest;
    for (const child of children) {
      // Left behind it would be a way onto the host's network: the kernel keeps what is on a NIC that moves.
      b.add({
        id: `${prefix}nic.child.${child.name}`,
        label: `${child.name} deleted, which the guest made on ${link.name}`,
        netns: "guest",
        op: { op: "netlink", message: deleteLink(child.index), tolerate: ["ENODEV"] },
        undo: { none: "it is on a NIC that leaves" },
      });
    }
    if ((link.altNames ?? []).length > 0) {
      b.add({
        id: `${prefix}nic.altnames`,
        label: `alternative names of ${link.name} removed`,
        netns: "guest",
        op: { op: "netlink", message: linkProperties("RTM_DELLINKPROP", link.index, link.altNames ?? []) },
        undo: { none: "best effort: they keep a NIC from moving where such a name is taken" },
        optional: true,
      });
    }
    b.add({
      id: `${prefix}nic.home`,
      label: `${link.name} moved back to the host as ${name}`,
      netns: "guest",
      op: {
        op: "netlink",
        message: setLink(link.index, {
          ifname: name,
          netNsFd: { slot: slots.hostNetns },
          ...(indexTaken ? {} : { newIfindex: own.index }),
        }),
      },
      undo: back ?? { none: "nothing that follows can fail" },
    });
    b.add({
      id: `${prefix}nic.at-home`,
      label: `${name} found on the host`,
      netns: "host",
      op: { op: "netlink", message: getLinkByName(name), capture: { slot: slots.nic } },
      undo: { none: "reads only" },
      optional: true,
    });
  }
  const to = host === undefined ? own : restored(own, host.state);
  const now = host?.state ?? arriving(own, guest?.link as LinkView, name);
  for (const { id, label, op } of restoring(to, host?.link.index ?? { slot: slots.nic }, name, now, elapsed)) {
    b.add({
      id: `${prefix}restore.${id}`,
      label,
      netns: "host",
      op,
      undo: { none: "as it was before the guest had it" },
      optional: true,
    });
  }
}

/**
 * The undo of a move into the guest: the NIC is looked for there, if its index was not learned yet, by what no name can
 * feign; moved home, and given back what it had. Where it never left, nothing of this is done.
 */
export function broughtHome(nic: NicMemory): UndoOperation[] {
  const guestLink = { slot: slots.guestLink };
  const all: UndoOperation[] = [];
  const guest = (op: Operation) => all.push({ netns: "guest", op });
  const conditions = nicConditions(nic);
  for (const where of conditions) {
    guest({
      op: "netlink",
      message: dumpLinks(),
      capture: { slot: slots.guestLink, where },
      unlessSlot: slots.guestLink,
    });
  }
  const home = { ifname: nic.name, netNsFd: { slot: slots.hostNetns } };
  const ifMoved = { ifSlot: slots.guestLink };
  // Somebody may have taken its ifindex on the host (EBUSY), which must not keep it away; then the second message is for it.
  guest({
    op: "netlink",
    message: setLink(guestLink, { ...home, newIfindex: nic.index }),
    tolerate: ["EBUSY"],
    ...ifMoved,
  });
  guest({ op: "netlink", message: setLink(guestLink, home), tolerate: ["ENODEV"], ...ifMoved });
  for (const where of conditions) {
    const op = { op: "netlink", message: getLinkByName(nic.name), capture: { slot: slots.nicBack, where } } as const;
    all.push({ netns: "host", op: { ...op, unlessSlot: slots.nicBack, ...ifMoved } });
  }
  // Whatever the plan may have changed is not what it was. Alternative names are another step's.
  const now = { ...nic, mtu: 0, flags: nic.flags & ~settableFlags, group: -1, addresses: [], routes: [], sysctls: {} };
  const changed = nic.guestAddress === undefined ? now : { ...now, address: nic.guestAddress };
  for (const { op } of restoring(nic, { slot: slots.nicBack }, nic.name, changed, 0)) {
    if (op.op === "netlink" || op.op === "sysctl") all.push({ netns: "host", op: { ...op, ifSlot: slots.nicBack } });
  }
  return all;
}

/** What a NIC has the moment it arrives: the move has taken its addresses, routes and sysctls, and it is down. */
export function arriving(nic: NicMemory, link: LinkView, name: string): Omit<NicMemory, "readAt"> {
  return {
    ...nic,
    name,
    mtu: link.mtu,
    ...(link.address === undefined ? {} : { address: link.address }),
    ...(link.txqlen === undefined ? {} : { txqlen: link.txqlen }),
    flags: link.flags & ~ifFlags.IFF_UP,
    group: link.group,
    alias: link.alias ?? "",
    altNames: [],
    addresses: [],
    routes: [],
    sysctls: {},
  };
}
