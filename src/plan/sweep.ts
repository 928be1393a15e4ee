import { isShimIfname, probeIfname } from "../values/host-ifname.js";
import { unmake } from "./birth.js";
import { isMark } from "./context.js";
import { deleteLink, getLinkByName, linkPaths } from "./link-message.js";
import { type Memory, parseAlias } from "./memory.js";
import { probeLink } from "./probe.js";
import type { Step } from "./step.js";
import type { AddressView, LinkView } from "./view.js";

/** A VLAN link of the host that we made, with what may keep it. */
export interface SweepView {
  readonly link: LinkView;
  readonly addresses: readonly AddressView[];
  /** Links of the host that lie on it. */
  readonly stacked: readonly LinkView[];
  /** Of those, what a killed sweep has left. */
  readonly probes: readonly LinkView[];
}

/** A VLAN that goes if nothing uses it; the others are the ids of the steps that tell. */
export interface Swept {
  readonly link: LinkView;
  readonly probe: string;
  readonly found: string;
  readonly remove: string;
}

/** The host's own macvlan on a parent, with the routes of the host that lead there. */
export interface ShimView {
  readonly link: LinkView;
  /** Routes to single hosts, those to guests among them. */
  readonly routes: number;
}

export interface SweepPlan {
  readonly steps: readonly Step[];
  readonly vlans: readonly Swept[];
}

/** Made by us, whole or half: a run that is at work holds the lock, so half made is by one that was killed. */
export function isOwnVlan(link: LinkView): boolean {
  if (link.kind !== "vlan") return false;
  const parsed = parseAlias(link.alias);
  return isMark(link.group) || (parsed !== undefined && "made" in parsed && parsed.made === "vlan");
}

/** The host's own macvlan on a parent, by its alias; half made by a run that was killed, by its mark and name. */
export function isOwnShim(link: LinkView): boolean {
  if (link.kind !== "macvlan") return false;
  const parsed = parseAlias(link.alias);
  return (
    (isMark(link.group) && isShimIfname(link.name)) ||
    (parsed !== undefined && "made" in parsed && parsed.made === "shim")
  );
}

/** Whether the host's own word keeps it: enslaved, with an address, or with links stacked on it. */
function isKept({ link, addresses, stacked, probes }: SweepView, records: readonly Memory[]): boolean {
  return (
    link.master !== undefined ||
    link.slaveKind !== undefined ||
    addresses.some((one) => !one.address.startsWith("fe80:")) ||
    stacked.some((one) => !probes.includes(one)) ||
    // A VLAN in a guest lies on it, which the probe does not see.
    records.some((one) => one.type === "vlan" && one.parent === link.name)
  );
}

/**
 * Removes the VLAN links of ours that nothing uses any more. No record decides that but the kernel, which is asked by a
 * probe that it makes exactly where no link in any namespace occupies the VLAN: a guest that merely cannot be found keeps
 * its network, and one that died is noticed. Pure; `last` is the id of the VLAN that most likely goes: deleting the last
 * one does not wait for its ack.
 */
export function planSweep(
  views: readonly SweepView[],
  records: readonly Memory[],
  mark: number,
  last?: number,
  shims: readonly ShimView[] = [],
): SweepPlan {
  const idle = shims.filter(({ routes }) => routes === 0).map(({ link }) => link);
  const without = (view: SweepView): SweepView => ({
    ...view,
    stacked: view.stacked.filter((one) => !idle.some(({ index }) => index === one.index)),
  });
  const free = views
    .map(without)
    .filter((view) => isOwnVlan(view.link) && !isKept(view, records))
    .sort((a, b) => Number(a.link.vlanId === last) - Number(b.link.vlanId === last));
  // Before the VLANs: one that a shim is on is in use by it.
  const steps: Step[] = idle.map((link) => ({
    id: `shim.${link.index}`,
    label: `${link.name}, the host's way to guests of its parent, removed: none has it any more`,
    netns: "host",
    op: { op: "netlink", message: deleteLink(link.index), tolerate: ["ENODEV"] },
    undo: { none: "no guest has it any more" },
    optional: true,
  }));
  const vlans = free.map(({ link, probes }, i): Swept => {
    const name = probeIfname(link.name);
    const slot = `probe${link.index}`;
    for (const left of probes) {
      steps.push({
        id: `debris.${left.index}`,
        label: `${left.name}, left by a killed run, removed`,
        netns: "host",
        op: { op: "netlink", message: deleteLink(left.index), tolerate: ["ENODEV"] },
        undo: { none: "left by a killed run" },
      });
    }
    const probe = `probe.${link.index}`;
    const found = `found.${link.index}`;
    const remove = `remove.${link.index}`;
    const message = deleteLink(link.index);
    steps.push(
      {
        id: probe,
        label: `${link.name} asked whether anything uses it`,
        netns: "host",
        op: { op: "netlink", message: probeLink(link.index, link.name, mark) },
        undo: unmake("host", { slot, name, mark }),
        optional: true,
      },
      {
        id: found,
        label: `nothing uses ${link.name}`,
        netns: "host",
        op: {
          op: "netlink",
          message: getLinkByName(name),
          capture: { slot, where: [{ path: linkPaths.group, value: mark }] },
          tolerate: ["ENODEV"],
        },
        undo: { none: "reads only" },
      },
      {
        id: remove,
        label: `${link.name} removed, and the probe with it`,
        netns: "host",
        op:
          i === free.length - 1
            ? { op: "reap", message, ifindex: link.index, ifSlot: slot }
            : { op: "netlink", message, tolerate: ["ENODEV"], ifSlot: slot },
        undo: { none: "nothing used it" },
      },
    );
    return { link, probe, found, remove };
  });
  return { steps, vlans };
}
