import { defineAttributes, row } from "./attribute.js";
import { u16 } from "./attribute-integer.js";

/** enum ipvlan_mode, linux/if_link.h. */
export const ipvlanMode = { IPVLAN_MODE_L2: 0, IPVLAN_MODE_L3: 1, IPVLAN_MODE_L3S: 2 } as const;

/** Modes of an ipvlan by the names people use. All ipvlans of one parent have the same: the newest decides for all. */
export const ipvlanModes = {
  l2: ipvlanMode.IPVLAN_MODE_L2,
  l3: ipvlanMode.IPVLAN_MODE_L3,
  l3s: ipvlanMode.IPVLAN_MODE_L3S,
} as const;

/** The name of a mode, or its number where it has none here. */
export function ipvlanModeName(mode: number | undefined): string {
  return Object.entries(ipvlanModes).find(([, number]) => number === mode)?.[0] ?? `mode ${mode}`;
}

/** IFLA_IPVLAN_*, linux/if_link.h. */
export const ipvlanAttributes = defineAttributes("IFLA_IPVLAN", {
  mode: row("IFLA_IPVLAN_MODE", 1, u16),
  flags: row("IFLA_IPVLAN_FLAGS", 2, u16),
});
