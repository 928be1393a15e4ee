import { defineAttributes, manyRow, row } from "./attribute.js";
import { mac } from "./attribute-bytes.js";
import { u16, u32 } from "./attribute-integer.js";
import { nested } from "./attribute-nested.js";

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

/** The name of a mode, or its number where it has none here. */
export function macvlanModeName(mode: number | undefined): string {
  return Object.entries(macvlanModes).find(([, number]) => number === mode)?.[0] ?? `mode ${mode}`;
}

/** What is to be done to the list of a macvlan of mode source, linux/if_link.h. */
export const macvlanMacaddrMode = {
  MACVLAN_MACADDR_ADD: 0,
  MACVLAN_MACADDR_DEL: 1,
  MACVLAN_MACADDR_FLUSH: 2,
  MACVLAN_MACADDR_SET: 3,
} as const;

const macaddrData = defineAttributes("IFLA_MACVLAN", { macaddrs: manyRow("IFLA_MACVLAN_MACADDR", 4, mac) });

/** IFLA_MACVLAN_*, linux/if_link.h. */
export const macvlanAttributes = defineAttributes("IFLA_MACVLAN", {
  mode: row("IFLA_MACVLAN_MODE", 1, u32),
  flags: row("IFLA_MACVLAN_FLAGS", 2, u16),
  macaddrMode: row("IFLA_MACVLAN_MACADDR_MODE", 3, u32),
  macaddr: row("IFLA_MACVLAN_MACADDR", 4, mac),
  macaddrData: row("IFLA_MACVLAN_MACADDR_DATA", 5, nested(macaddrData)),
  macaddrCount: row("IFLA_MACVLAN_MACADDR_COUNT", 6, u32),
  bcQueueLen: row("IFLA_MACVLAN_BC_QUEUE_LEN", 7, u32),
  bcQueueLenUsed: row("IFLA_MACVLAN_BC_QUEUE_LEN_USED", 8, u32),
});
