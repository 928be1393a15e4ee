import { defineAttributes, row } from "./attribute.js";
import { bytes, mac } from "./attribute-bytes.js";
import { be16, u8, u16, u32 } from "./attribute-integer.js";

/** IFLA_BR_*: a bridge's own settings, linux/if_link.h. Times are in 1/100 s (USER_HZ). */
export const bridgeAttributes = defineAttributes("IFLA_BR", {
  forwardDelay: row("IFLA_BR_FORWARD_DELAY", 1, u32),
  helloTime: row("IFLA_BR_HELLO_TIME", 2, u32),
  maxAge: row("IFLA_BR_MAX_AGE", 3, u32),
  ageingTime: row("IFLA_BR_AGEING_TIME", 4, u32),
  stpState: row("IFLA_BR_STP_STATE", 5, u32),
  priority: row("IFLA_BR_PRIORITY", 6, u16),
  vlanFiltering: row("IFLA_BR_VLAN_FILTERING", 7, u8),
  vlanProtocol: row("IFLA_BR_VLAN_PROTOCOL", 8, be16),
  groupFwdMask: row("IFLA_BR_GROUP_FWD_MASK", 9, u16),
  rootId: row("IFLA_BR_ROOT_ID", 10, bytes),
  bridgeId: row("IFLA_BR_BRIDGE_ID", 11, bytes),
  groupAddr: row("IFLA_BR_GROUP_ADDR", 20, mac),
  mcastSnooping: row("IFLA_BR_MCAST_SNOOPING", 23, u8),
  nfCallIptables: row("IFLA_BR_NF_CALL_IPTABLES", 36, u8),
  nfCallIp6tables: row("IFLA_BR_NF_CALL_IP6TABLES", 37, u8),
  vlanDefaultPvid: row("IFLA_BR_VLAN_DEFAULT_PVID", 39, u16),
});

/** Spanning tree states of a port, linux/if_bridge.h. */
export const brState = {
  BR_STATE_DISABLED: 0,
  BR_STATE_LISTENING: 1,
  BR_STATE_LEARNING: 2,
  BR_STATE_FORWARDING: 3,
  BR_STATE_BLOCKING: 4,
} as const;

/** Their names, by number. */
export const bridgePortStates: readonly string[] = Object.keys(brState).map((name) =>
  name.slice("BR_STATE_".length).toLowerCase(),
);

/** IFLA_BRPORT_*: settings of one port, linux/if_link.h. */
export const bridgePortAttributes = defineAttributes("IFLA_BRPORT", {
  state: row("IFLA_BRPORT_STATE", 1, u8),
  priority: row("IFLA_BRPORT_PRIORITY", 2, u16),
  cost: row("IFLA_BRPORT_COST", 3, u32),
  mode: row("IFLA_BRPORT_MODE", 4, u8),
  guard: row("IFLA_BRPORT_GUARD", 5, u8),
  protect: row("IFLA_BRPORT_PROTECT", 6, u8),
  fastLeave: row("IFLA_BRPORT_FAST_LEAVE", 7, u8),
  learning: row("IFLA_BRPORT_LEARNING", 8, u8),
  unicastFlood: row("IFLA_BRPORT_UNICAST_FLOOD", 9, u8),
  mcastFlood: row("IFLA_BRPORT_MCAST_FLOOD", 27, u8),
  bcastFlood: row("IFLA_BRPORT_BCAST_FLOOD", 30, u8),
  isolated: row("IFLA_BRPORT_ISOLATED", 33, u8),
});
