import { defineAttributes, row } from "./attribute.js";
import { u16 } from "./attribute-integer.js";

/** IFLA_IPOIB_*, linux/if_link.h. */
export const ipoibAttributes = defineAttributes("IFLA_IPOIB", {
  pkey: row("IFLA_IPOIB_PKEY", 1, u16),
  mode: row("IFLA_IPOIB_MODE", 2, u16),
  umcast: row("IFLA_IPOIB_UMCAST", 3, u16),
});
