import { ifFlags, ifOper } from "../netlink/link.js";
import { unmake } from "./birth.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { isMark, type PlanContext, slots } from "./context.js";
import { dumpLinks, getLinkByIndex, getLinkByName, linkPaths, newLink, setLink } from "./link-message.js";
import { BRIDGE_ALIAS } from "./memory.js";
import type { Undo } from "./step.js";
import type { LinkEnd, Setting, UplinkView } from "./uplink-view.js";
import type { LinkView } from "./view.js";

export type BridgeContext = Pick<PlanContext, "mark" | "seed" | "recordDir">;

/** The bridge that takes a NIC's place. */
export interface UplinkBridge extends LinkEnd {
  /** Step that makes it; absent: it was there. */
  readonly birth?: string;
}

/** How long the kernel's link watch may take to find that a bridge has carrier, in milliseconds. */
const CARRIER_MS = 3000;

export const builtin = { builtin: "what was there before is written back" } as const;

/** The bridge with the NIC's address from its birth on: switches, DHCP servers and neighbours know the host by it. */
export function bornBridge(b: PlanBuilder, context: BridgeContext, name: string, mac: string): UplinkBridge {
  const index = { slot: slots.bridge };
  const birth = b.add({
    id: "bridge.create",
    label: `bridge ${name}`,
    netns: "host",
    op: {
      op: "netlink",
      message: newLink({ ifname: name, address: mac, group: context.mark, linkinfo: { kind: "bridge" } }),
    },
    undo: unmake(
      "host",
      { slot: slots.bridge, name, mark: context.mark },
      // Another program may have put a port into it by now; then it stays.
      { message: dumpLinks({ master: index }) },
    ),
  });
  b.add({
    id: "bridge.find",
    label: `bridge ${name} found`,
    netns: "host",
    op: { op: "netlink", message: getLinkByName(name), capture: { slot: slots.bridge } },
    undo: { none: "reads only" },
  });
  return { index, name, birth };
}

/** The NIC's settings. Those of a bridge that was there are in the record, and return with the release. */
export function settingSteps(b: PlanBuilder, settings: readonly Setting[], undo: Undo): void {
  for (const { key, wanted } of settings) {
    b.add({
      id: `setting.${key}`,
      label: `${key} = ${wanted}`,
      netns: "host",
      // The kernel was built or started without IPv6, or has no such setting.
      op: { op: "sysctl", key, value: wanted, tolerate: ["ENOENT"] },
      undo,
    });
  }
}

/** The alias of a new bridge, and IFF_UP: it forwards from the moment that it has a port. */
export function bridgeUp(b: PlanBuilder, bridge: UplinkBridge, existing: LinkView | undefined): void {
  if (existing === undefined) {
    b.add({
      id: "bridge.up",
      label: `bridge ${bridge.name} up and marked as ours`,
      netns: "host",
      op: { op: "netlink", message: setLink(bridge.index, { group: 0, ifalias: BRIDGE_ALIAS }, true) },
      undo: { ownedBy: bridge.birth as string },
    });
    return;
  }
  const up = (existing.flags & ifFlags.IFF_UP) !== 0;
  const half = isMark(existing.group);
  if (up && !half) return;
  const { group, alias = "" } = existing;
  b.add({
    id: "bridge.up",
    label: half ? `bridge ${bridge.name}, left half made by a killed run, finished` : `bridge ${bridge.name} up`,
    netns: "host",
    op: {
      op: "netlink",
      message: setLink(existing.index, half ? { group: 0, ifalias: BRIDGE_ALIAS } : {}, true),
    },
    undo: inverse("host", {
      op: "netlink",
      message: setLink(existing.index, half ? { group, ifalias: alias } : {}, up),
    }),
  });
}

/**
 * A bridge that was there gets another address. With `told`, those who have talked to its own addresses hear of it from
 * the kernel (arp_notify, ndisc_notify), and the two settings are then as `told` says.
 */
export function bridgeAddress(
  b: PlanBuilder,
  bridge: LinkView,
  mac: string,
  told: UplinkView["notify"] | undefined,
): void {
  if (bridge.address === mac) return;
  const notify = (id: string, values: UplinkView["notify"]) => {
    for (const [family, name, value] of [
      ["ipv4", "arp_notify", values.ipv4],
      ["ipv6", "ndisc_notify", values.ipv6],
    ] as const) {
      b.add({
        id: `bridge.${id}.${family}`,
        label: `${name} of ${bridge.name} = ${value}`,
        netns: "host",
        op: { op: "sysctl", key: `${family}/conf/${bridge.name}/${name}`, value, tolerate: ["ENOENT"] },
        undo: builtin,
      });
    }
  };
  if (told !== undefined) notify("tell", { ipv4: "1", ipv6: "1" });
  b.add({
    id: "bridge.address",
    label: `address ${mac} for bridge ${bridge.name}`,
    netns: "host",
    op: { op: "netlink", message: setLink(bridge.index, { address: mac }) },
    undo: inverse("host", { op: "netlink", message: setLink(bridge.index, { address: bridge.address }) }),
  });
  if (told !== undefined) notify("told", told);
}

/**
 * A bridge without carrier sends nothing: its queue is not begun before the kernel's link watch has seen that there is a
 * port with carrier now, which takes a moment of its own (net/core/link_watch.c). Without it, the host would be cut off,
 * so that this is awaited while the NIC still sends by itself, and the plan fails if it does not come.
 */
export function awaitCarrier(b: PlanBuilder, bridge: LinkEnd): void {
  const message = getLinkByIndex(bridge.index);
  b.add({
    id: "bridge.carrier",
    label: `bridge ${bridge.name} has carrier, or soon`,
    netns: "host",
    op: {
      op: "netlink",
      message,
      until: { path: linkPaths.operstate, value: ifOper.IF_OPER_UP, timeoutMs: CARRIER_MS },
    },
    undo: { none: "reads only" },
  });
  b.add({
    id: "bridge.ready",
    label: `bridge ${bridge.name} has carrier`,
    netns: "host",
    op: {
      op: "netlink",
      message,
      capture: { slot: "ready", where: [{ path: linkPaths.operstate, value: ifOper.IF_OPER_UP }] },
    },
    undo: { none: "reads only" },
    hints: { ENOENT: "the NIC has a carrier and the bridge has none: look with `ip link`, and repeat the command" },
  });
}
