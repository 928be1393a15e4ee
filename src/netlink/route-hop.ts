import { type AttributesIn, type AttributesOut, decodeAttributes, encodeAttributes } from "./attribute.js";
import { rtnexthop } from "./nexthops.js";
import { routeAttributes } from "./route.js";
import { decodeStruct, encodeStruct } from "./struct.js";
import { align, DecodeError, Reader, Writer } from "./wire.js";

type HopRows = (typeof routeAttributes)["rows"];

/** `weight` is as people write it: the kernel's rtnh_hops is one less. */
export interface Hop<A> {
  readonly flags: number;
  readonly weight: number;
  readonly ifindex: number;
  readonly attributes: A;
}
export type HopIn = Hop<AttributesIn<HopRows>>;
export type HopOut = Hop<AttributesOut<HopRows>>;

/** The payload of RTA_MULTIPATH. Throws EncodeError for a value that does not fit. */
export function encodeHops(hops: readonly HopIn[]): Uint8Array {
  const writer = new Writer();
  for (const { flags, weight, ifindex, attributes } of hops) {
    const start = writer.length;
    encodeStruct(writer, rtnexthop, { flags, hops: weight - 1, ifindex });
    encodeAttributes(writer, routeAttributes, attributes);
    writer.u16(start, writer.length - start);
    writer.pad();
  }
  return writer.finish();
}

/** Throws DecodeError where the bytes are not a list of next hops. */
export function decodeHops(bytes: Uint8Array): HopOut[] {
  const reader = new Reader(bytes);
  const hops: HopOut[] = [];
  for (let at = 0; at + rtnexthop.size <= reader.length; ) {
    const { len, flags, hops: below, ifindex } = decodeStruct(reader.slice(at, at + rtnexthop.size), rtnexthop);
    if (len < rtnexthop.size || at + len > reader.length)
      throw new DecodeError(`a next hop of ${len} bytes at offset ${at} of ${reader.length}`);
    const attributes = decodeAttributes(reader.slice(at + rtnexthop.size, at + len), routeAttributes);
    hops.push({ flags, weight: below + 1, ifindex, attributes });
    at += align(len);
  }
  return hops;
}
