import type { Family } from "../values/ipaddress.js";

export type { Family } from "../values/ipaddress.js";

/** Address families that netlink messages name, linux/socket.h. */
export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_BRIDGE = 7;
export const AF_INET6 = 10;

export const familyNumber: Readonly<Record<Family, number>> = { inet: AF_INET, inet6: AF_INET6 };
