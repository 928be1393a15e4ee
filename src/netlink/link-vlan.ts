import { defineAttributes, row } from "./attribute.js";
import { be16, u16 } from "./attribute-integer.js";
import { structOf } from "./attribute-nested.js";
import { defineStruct } from "./struct.js";

/** struct ifla_vlan_flags, linux/if_link.h: `mask` says which bits of `flags` are meant. */
const vlanFlagsStruct = defineStruct("ifla_vlan_flags", 8, "", { flags: [0, "u32"], mask: [4, "u32"] });

/** Protocols of a tag, linux/if_ether.h. */
export const vlanProtocol = { ETH_P_8021Q: 0x8100, ETH_P_8021AD: 0x88a8 } as const;

/** IFLA_VLAN_*, linux/if_link.h. */
export const vlanAttributes = defineAttributes("IFLA_VLAN", {
  id: row("IFLA_VLAN_ID", 1, u16),
  flags: row("IFLA_VLAN_FLAGS", 2, structOf(vlanFlagsStruct)),
  protocol: row("IFLA_VLAN_PROTOCOL", 5, be16),
});
