import { defineAttributes, row } from "./attribute.js";
import { u16, u32 } from "./attribute-integer.js";

/** enum macvlan_mode, linux/if_link.h. */
export const macvlanMode = {
  MACVLAN_MODE_PRIVATE: 1,
  MACVLAN_MODE_VEPA: 2,
  MACVLAN_MODE_BRIDGE: 4,
  MACVLAN_MODE_PASSTHRU: 8,
  MACVLAN_MODE_SOURCE: 16,
} as const;

/** Modes of a macvlan by the names people use. */
export const macvlanModes = {
  private: macvlanMode.MACVLAN_MODE_PRIVATE,
  vepa: macvlanMode.MACVLAN_MODE_VEPA,
  bridge: macvlanMode.MACVLAN_MODE_BRIDGE,
  passthru: macvlanMode.MACVLAN_MODE_PASSTHRU,
  source: macvlanMode.MACVLAN_MODE_SOURCE,
} as const;

/** IFLA_MACVLAN_*, linux/if_link.h. */
export const macvlanAttributes = defineAttributes("IFLA_MACVLAN", {
  mode: row("IFLA_MACVLAN_MODE", 1, u32),
  flags: row("IFLA_MACVLAN_FLAGS", 2, u16),
  macaddrCount: row("IFLA_MACVLAN_MACADDR_COUNT", 6, u32),
  bcQueueLen: row("IFLA_MACVLAN_BC_QUEUE_LEN", 7, u32),
  bcQueueLenUsed: row("IFLA_MACVLAN_BC_QUEUE_LEN_USED", 8, u32),
});
