import { arphrd, ifFlags } from "../netlink/link.js";
import { PipeworkError } from "../values/error.js";
import { selectorText } from "../values/host-selector.js";
import { recordStep } from "./birth-child.js";
import { noSuchInterface } from "./bridge.js";
import type { PlanBuilder } from "./builder.js";
import { slots } from "./context.js";
import { type Born, type Kind, unsuitable } from "./kind.js";
import { getLinkByIndex, getLinkByName, linkProperties, moveLink } from "./link-message.js";
import { isPhys, nicText, type PhysMemory } from "./nic.js";
import { broughtHome } from "./nic-home.js";
import type { UndoOperation } from "./step.js";
import type { LinkView, NicView } from "./view.js";
import type { AttachWish } from "./wish.js";

/** Kinds that the kernel never lets out of their namespace (netns_immutable, linux/netdevice.h). */
const immovable: Readonly<Record<string, string>> = {
  bridge: "a bridge",
  openvswitch: "an Open vSwitch bridge",
  bond: "a bond",
  team: "a team",
};

function held(memory: PhysMemory): PipeworkError {
  return new PipeworkError({
    code: "interface-unsuitable",
    message: `${nicText(memory.nic)} is ${memory.ifname} of ${memory.guest} already`,
    hint: `give it back first: pipework detach ${memory.guest} -i ${memory.ifname}`,
  });
}

function checkWords(wish: AttachWish): void {
  if (wish.queues !== undefined) throw unsuitable("queues are for the ends of a veth, and a NIC has its own");
  if (wish.sources.length > 0) throw unsuitable("a list of source MACs is for a macvlan of mode source");
  if (wish.tag !== undefined)
    throw new PipeworkError({ code: "unsupported", message: "a VLAN of a NIC that moves is not in this version yet" });
}

function checkNic(wish: AttachWish, to: LinkView, nic: NicView): void {
  const { name } = to;
  if ((to.flags & ifFlags.IFF_LOOPBACK) !== 0)
    throw unsuitable(`${name} is the loopback interface, and every namespace has its own`);
  const what = immovable[to.kind ?? ""];
  if (what !== undefined)
    throw unsuitable(
      `${name} is ${what}, and the kernel lets none of those into another namespace`,
      to.kind === "bridge" ? "leave --direct-phys out, or name a NIC" : "name a NIC",
    );
  if (nic.master !== undefined)
    throw unsuitable(
      `${name} is a port of ${nic.master}, which would lose it`,
      `take it out first: ip link set ${name} nomaster`,
    );
  if (nic.uppers.length > 0)
    throw unsuitable(
      `${name} carries ${nic.uppers.join(", ")}, which would be cut off`,
      "remove those first, or attach to what is on it",
    );
  if (nic.defaults.length > 0 && !wish.force)
    throw unsuitable(
      `${name} carries the ${nic.defaults.map((family) => (family === "inet" ? "IPv4" : "IPv6")).join(" and ")} default route of the host, which would be cut off`,
      "say --force if that is meant; the route comes back with a detach",
    );
  if (wish.mac !== undefined && to.type !== arphrd.ARPHRD_ETHER)
    throw unsuitable(`${name} is no Ethernet interface, so it is given no MAC`, "leave the MAC out");
}

/** The NIC itself: renamed and moved in one message; what it had on the host is remembered before, and comes back. */
export const physKind: Kind = {
  infoKind: undefined,
  hostEnd: false,
  check(wish, { host: { to, nic, heldBy } }) {
    checkWords(wish);
    if (heldBy !== undefined) throw held(heldBy);
    if (to === undefined || nic === undefined) throw noSuchInterface(wish.to);
    if (nic.inGuest !== true) checkNic(wish, to, nic);
  },
  birth(b, context, wish, view, displaced) {
    const { memory: nic, index, lost } = view.host.nic as NicView;
    if (wish.hostIfname !== undefined)
      b.warn(`a NIC that moves has no host end, so nothing is called ${wish.hostIfname}`);
    if (nic.kind !== undefined)
      b.warn(`${nic.name} is a ${nic.kind}: it goes with the guest's namespace, unless it is detached before`);
    for (const what of lost) b.warn(`${what} of ${nic.name} is not given back`);
    const asked = selectorText(wish.selector);
    const memory: PhysMemory = {
      guest: context.guestId,
      ifname: wish.ifname,
      netns: context.netns,
      displaced,
      type: "phys",
      to: nic.name,
      ...(asked === nic.name ? {} : { asked }),
      ...(nic.address === undefined ? {} : { mac: wish.mac ?? nic.address }),
      nic: { ...nic, ...(wish.mac === undefined ? {} : { guestAddress: wish.mac }) },
    };
    recordStep(b, context, memory);
    return moved(b, wish, memory, index);
  },
  differences(wish, view, _link, differs) {
    const { memory } = view.guest;
    if (isPhys(memory) && view.host.nic?.inGuest !== true) differs("is", memory.nic.name, wish.to);
  },
};

/** Whether it was moved and brought home again, perhaps under another ifindex, or never left. */
function altNameBack(name: string, index: NicView["index"]): UndoOperation[] {
  const named = (at: NicView["index"]) =>
    ({ op: "netlink", message: linkProperties("RTM_NEWLINKPROP", at, [name]), tolerate: ["EEXIST"] }) as const;
  return [
    { netns: "host", op: { ...named(index), unlessSlot: slots.nicBack } },
    { netns: "host", op: { ...named({ slot: slots.nicBack }), ifSlot: slots.nicBack } },
  ];
}

function moved(b: PlanBuilder, wish: AttachWish, { nic }: PhysMemory, index: NicView["index"]): Born {
  if (nic.altNames.length > 0) {
    // They would come along, and collide with names of the guest; its own name may be among them.
    b.add({
      id: "nic.altnames",
      label: `alternative names of ${nic.name} put by`,
      netns: "host",
      op: { op: "netlink", message: linkProperties("RTM_DELLINKPROP", index, nic.altNames) },
      undo: { inverse: nic.altNames.flatMap((name) => altNameBack(name, index)) },
    });
  }
  // Its undo is that of the move, which may have been done by halves: moved, but not renamed.
  const id = b.add({
    id: "nic.find",
    label: `${nic.name} there to be moved`,
    netns: "host",
    op: { op: "netlink", message: getLinkByIndex(index) },
    undo: { inverse: broughtHome(nic) },
  });
  const mac = wish.mac ?? nic.address;
  b.add({
    id: "nic.move",
    label: `${nic.name} moved into the guest as ${wish.ifname}`,
    netns: "host",
    op: {
      op: "netlink",
      message: moveLink(index, {
        ...(wish.mac === undefined ? {} : { address: wish.mac }),
        ifname: wish.ifname,
        ...(wish.mtu === undefined ? {} : { mtu: wish.mtu }),
        // The host's group says nothing in a guest, and comes back.
        group: 0,
        netNsFd: { slot: slots.guestNetns },
      }),
    },
    undo: { ownedBy: id },
    hints: { EINVAL: "this kind of link may not leave its namespace, or does not take that MAC or MTU" },
  });
  b.add({
    id: "link.find",
    label: `${wish.ifname} found in the guest`,
    netns: "guest",
    op: { op: "netlink", message: getLinkByName(wish.ifname), capture: { slot: slots.guestLink } },
    undo: { none: "reads only" },
  });
  return {
    guest: { index: { slot: slots.guestLink }, ifname: wish.ifname, mac: mac ?? "", birth: id },
    marked: "guest",
    commit: () => {},
    fixedMac: true,
  };
}
