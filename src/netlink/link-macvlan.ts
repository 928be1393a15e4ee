import { defineAttributes, row, u32 } from "./attribute.js";

/** Modes of a macvlan, linux/if_link.h (enum macvlan_mode). */
export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const;

/** IFLA_MACVLAN_*, linux/if_link.h. */
export const macvlanAttributes = defineAttributes("IFLA_MACVLAN", {
  mode: row("IFLA_MACVLAN_MODE", 1, u32),
});
