import { defineStruct } from "./struct.js";

/**
 * struct tcmsg, linux/rtnetlink.h. Handles are 16 bits of a qdisc's number (major) and 16 of a class's (minor); of a
 * filter, `info` is its priority (upper 16 bits) and its protocol in network byte order, `handle` the classifier's own.
 */
export const tcmsg = defineStruct("tcmsg", 20, "tcm_", {
  family: [0, "u8"],
  ifindex: [4, "reference"],
  handle: [8, "reference"],
  parent: [12, "u32"],
  info: [16, "reference"],
});

/** struct tcamsg, linux/rtnetlink.h. */
export const tcamsg = defineStruct("tcamsg", 4, "tca_", { family: [0, "u8"] });

/** Places of a qdisc, linux/pkt_sched.h. ingress and clsact take the same one. */
export const tcHandles = {
  TC_H_UNSPEC: 0,
  TC_H_ROOT: 0xffff_ffff,
  TC_H_INGRESS: 0xffff_fff1,
  TC_H_CLSACT: 0xffff_fff1,
  TC_H_MIN_PRIORITY: 0xffe0,
  TC_H_MIN_INGRESS: 0xfff2,
  TC_H_MIN_EGRESS: 0xfff3,
} as const;

/** In the place of an ifindex: `parent` is the number of a shared block, linux/rtnetlink.h. */
export const TCM_IFINDEX_MAGIC_BLOCK = 0xffff_ffff;

/** Upper and lower half of a handle. */
export function major(handle: number): number {
  return handle >>> 16;
}
export function minor(handle: number): number {
  return handle & 0xffff;
}
export function handleOf(upper: number, lower: number): number {
  return ((upper << 16) | lower) >>> 0;
}
