import { defineAttributes, row } from "./attribute.js";
import { u32 } from "./attribute-integer.js";

/** IFLA_VRF_*, linux/if_link.h: the routing table of a VRF. */
export const vrfAttributes = defineAttributes("IFLA_VRF", { table: row("IFLA_VRF_TABLE", 1, u32) });
