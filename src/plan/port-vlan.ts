import { type bridgeVlan, bridgeVlanInfo } from "../netlink/bridge-vlan.js";
import { AF_BRIDGE } from "../netlink/family.js";
import { extMask } from "../netlink/link.js";
import type { Message } from "../netlink/message.js";
import type { Slot } from "../netlink/wire.js";
import type { Tag } from "../values/tag.js";
import type { HostEnd } from "./birth.js";
import type { PlanBuilder } from "./builder.js";

/** The VLANs of one bridge port. */
export interface PortVlans {
  /** The VLAN of what comes in untagged. */
  readonly pvid?: number;
  /** Ids whose frames leave untagged. */
  readonly untagged: readonly number[];
  /** All of them, in order. */
  readonly ids: readonly number[];
}

/** What a bridge gives each new port unless told otherwise: br_vlan_init, net/bridge/br_vlan.c. */
export const DEFAULT_PVID = 1;

interface VlanEntry {
  readonly flags: number;
  readonly vid: number;
}

function message(type: keyof (typeof bridgeVlan)["types"], index: number | Slot, vlans: readonly VlanEntry[]): Message {
  return {
    noun: "bridgeVlan",
    type,
    header: { family: AF_BRIDGE, index },
    attributes: { afSpec: { vlans: [...vlans] } },
  } as Message;
}

/** Ids in order, as the fewest ranges. */
export function ranges(ids: readonly number[]): [first: number, last: number][] {
  const found: [number, number][] = [];
  for (const id of ids) {
    const open = found.at(-1);
    if (open !== undefined && open[1] === id - 1) open[1] = id;
    else found.push([id, id]);
  }
  return found;
}

function entries(tag: Extract<Tag, { vlan: number } | { trunk: readonly number[] }>): VlanEntry[] {
  const { BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED, BRIDGE_VLAN_INFO_RANGE_BEGIN, BRIDGE_VLAN_INFO_RANGE_END } =
    bridgeVlanInfo;
  if ("vlan" in tag) return [{ flags: BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, vid: tag.vlan }];
  return ranges(tag.trunk).flatMap(([first, last]) =>
    first === last
      ? [{ flags: 0, vid: first }]
      : [
          { flags: BRIDGE_VLAN_INFO_RANGE_BEGIN, vid: first },
          { flags: BRIDGE_VLAN_INFO_RANGE_END, vid: last },
        ],
  );
}

export function vlanText(ids: readonly number[]): string {
  return ranges(ids)
    .map(([first, last]) => (first === last ? String(first) : `${first}-${last}`))
    .join(",");
}

/**
 * The VLANs of a port that was born enslaved and is still down: no frame goes through it before they are set, so there is
 * no moment in the bridge's default VLAN, which is taken away. Undone with the port.
 */
export function portVlanSteps(b: PlanBuilder, host: HostEnd, birth: string, tag: Tag, defaultPvid: number): void {
  if ("pkey" in tag) return;
  const access = "vlan" in tag;
  const ids = access ? [tag.vlan] : tag.trunk;
  b.add({
    id: "port.vlan",
    label: access
      ? `${host.ifname} in VLAN ${tag.vlan}, untagged`
      : `${host.ifname} a trunk of VLANs ${vlanText(ids)}, tagged`,
    netns: "host",
    op: { op: "netlink", message: message("RTM_SETLINK", host.index, entries(tag)) },
    undo: { ownedBy: birth },
  });
  // 0: the bridge gives its ports none.
  if (defaultPvid === 0 || (access && tag.vlan === defaultPvid)) return;
  // In a trunk the default's id may be wanted as well: it went in without its flags, which the kernel took for a change.
  if (ids.includes(defaultPvid)) return;
  b.add({
    id: "port.vlan-default",
    label: `${host.ifname} not in the bridge's default VLAN ${defaultPvid}`,
    netns: "host",
    op: { op: "netlink", message: message("RTM_DELLINK", host.index, [{ flags: 0, vid: defaultPvid }]) },
    undo: { ownedBy: birth },
  });
}

/** All bridge ports of a namespace with their VLANs; the kernel offers no smaller question. */
export function dumpPortVlans(): Message {
  return {
    noun: "bridgeVlan",
    type: "RTM_GETLINK",
    flags: ["NLM_F_DUMP"],
    header: { family: AF_BRIDGE },
    attributes: { extMask: extMask.RTEXT_FILTER_BRVLAN_COMPRESSED },
  } as Message;
}

/** How the VLANs of a port are written in a request: undefined for a port without any, or with a mix that no request makes. */
export function tagOf({ pvid, untagged, ids }: PortVlans): number | string | undefined {
  if (ids.length === 1 && pvid === ids[0] && untagged.length === 1) return pvid;
  return ids.length > 0 && pvid === undefined && untagged.length === 0 ? vlanText(ids) : undefined;
}
