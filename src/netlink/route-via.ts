import { formatIp, ipBytes } from "../values/ipaddress.js";
import { AF_INET, AF_INET6 } from "./family.js";
import { DecodeError, Reader, Writer } from "./wire.js";

/** struct rtvia, linux/rtnetlink.h: a family and an address of it. */
const RTVIA_ADDR = 2;

/** The payload of RTA_VIA: a gateway of another family than the route's. */
export function encodeVia(address: string): Uint8Array {
  const bytes = ipBytes(address);
  const writer = new Writer();
  writer.u16(writer.reserve(RTVIA_ADDR), bytes.length === 4 ? AF_INET : AF_INET6);
  writer.bytes(writer.reserve(bytes.length), bytes);
  return writer.finish();
}

/** Throws DecodeError for an address of no IP family. */
export function decodeVia(bytes: Uint8Array): { family: number; address: string } {
  const reader = new Reader(bytes);
  if (reader.length !== RTVIA_ADDR + 4 && reader.length !== RTVIA_ADDR + 16)
    throw new DecodeError(`a gateway of ${reader.length} bytes`);
  return { family: reader.u16(0), address: formatIp(bytes.subarray(RTVIA_ADDR)) };
}
