import { defineAttributes, manyRow, row } from "./attribute.js";
import { cstring } from "./attribute-bytes.js";
import { reference, u16, u32 } from "./attribute-integer.js";
import { nested, structOf } from "./attribute-nested.js";
import { ifinfomsg } from "./link.js";
import type { Noun } from "./message.js";
import { defineStruct } from "./struct.js";

/** Flags of a VLAN of a bridge port, linux/if_bridge.h. A range is two entries: one that begins it, one that ends it. */
export const bridgeVlanInfo = {
  BRIDGE_VLAN_INFO_MASTER: 1,
  BRIDGE_VLAN_INFO_PVID: 2,
  BRIDGE_VLAN_INFO_UNTAGGED: 4,
  BRIDGE_VLAN_INFO_RANGE_BEGIN: 8,
  BRIDGE_VLAN_INFO_RANGE_END: 16,
} as const;

/** struct bridge_vlan_info, linux/if_bridge.h. */
const vlanInfo = defineStruct("bridge_vlan_info", 4, "", { flags: [0, "u16"], vid: [2, "u16"] });

/** What IFLA_AF_SPEC holds in messages of the family AF_BRIDGE, linux/if_bridge.h. */
const bridgeSpec = defineAttributes("IFLA_BRIDGE", {
  flags: row("IFLA_BRIDGE_FLAGS", 0, u16),
  mode: row("IFLA_BRIDGE_MODE", 1, u16),
  vlans: manyRow("IFLA_BRIDGE_VLAN_INFO", 2, structOf(vlanInfo)),
});

const bridgeVlanAttributes = defineAttributes("IFLA", {
  ifname: row("IFLA_IFNAME", 3, cstring(16)),
  master: row("IFLA_MASTER", 10, reference),
  afSpec: row("IFLA_AF_SPEC", 26, nested(bridgeSpec)),
  extMask: row("IFLA_EXT_MASK", 29, u32),
});

/**
 * VLANs of the ports of a bridge: RTM_SETLINK adds and RTM_DELLINK removes them, RTM_GETLINK dumps all ports with theirs.
 * The family in the header is AF_BRIDGE (net/bridge/br_netlink.c).
 */
export const bridgeVlan = {
  name: "bridgeVlan",
  types: { RTM_NEWLINK: 16, RTM_DELLINK: 17, RTM_GETLINK: 18, RTM_SETLINK: 19 },
  header: ifinfomsg,
  attributes: bridgeVlanAttributes,
} satisfies Noun<(typeof ifinfomsg)["fields"], (typeof bridgeVlanAttributes)["rows"]>;
