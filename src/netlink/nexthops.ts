import type { AttributeType } from "./attribute.js";
import { bytes } from "./attribute-bytes.js";
import { defineStruct } from "./struct.js";
import { align, Reader, type Slot } from "./wire.js";

/** struct rtnexthop, linux/rtnetlink.h: one next hop of a multipath route; attributes (gateway, via, encap) follow it. */
export const rtnexthop = defineStruct("rtnexthop", 8, "rtnh_", {
  len: [0, "u16"],
  flags: [2, "u8"],
  hops: [3, "u8"],
  ifindex: [4, "reference"],
});

/** The payload of RTA_MULTIPATH, some of whose links are other ones, perhaps not known yet. */
export interface OpenHops {
  readonly bytes: Uint8Array;
  readonly references: readonly { readonly offset: number; readonly link: number | Slot }[];
}

function isOpen(value: Uint8Array | OpenHops): value is OpenHops {
  return "references" in value;
}

/** RTA_MULTIPATH as the kernel writes it; a link that is a slot is filled in like that of a header. */
export const nexthops: AttributeType<Uint8Array | OpenHops, Uint8Array> = {
  decode: bytes.decode,
  encode: (writer, value) => {
    const whole = isOpen(value) ? value.bytes : value;
    const start = writer.reserve(whole.length);
    writer.bytes(start, whole);
    if (isOpen(value)) for (const { offset, link } of value.references) writer.reference(start + offset, link);
  },
  print: (value) => bytes.print(isOpen(value) ? value.bytes : value, {}),
  struct: rtnexthop,
};

const IFINDEX = rtnexthop.fields.ifindex[0];

/** Byte offsets of the next hops. */
function* hopsIn(reader: Reader): Generator<number> {
  for (let at = 0; at + rtnexthop.size <= reader.length; ) {
    yield at;
    const length = reader.u16(at);
    if (length < rtnexthop.size) return;
    at += align(length);
  }
}

/** The links of the next hops, in their order, and where their ifindexes lie. */
export function hopsOf(multipath: Uint8Array): { offset: number; link: number }[] {
  const reader = new Reader(multipath);
  return [...hopsIn(reader)].map((at) => ({ offset: at + IFINDEX, link: reader.u32(at + IFINDEX) }));
}

/** Ifindexes of the next hops. */
export function hopLinks(multipath: Uint8Array): number[] {
  return hopsOf(multipath).map(({ link }) => link);
}

/** The same next hops with one link in the place of another, and of their flags those in `flags` alone. */
export function hopsThrough(multipath: Uint8Array, from: number, to: number | Slot, flags: number): OpenHops {
  const whole = multipath.slice();
  const reader = new Reader(whole);
  const references: { offset: number; link: number | Slot }[] = [];
  for (const at of hopsIn(reader)) {
    const flagsAt = at + rtnexthop.fields.flags[0];
    whole[flagsAt] = reader.u8(flagsAt) & flags;
    if (reader.u32(at + IFINDEX) === from) references.push({ offset: at + IFINDEX, link: to });
  }
  return { bytes: whole, references };
}
