import { formatIp, ipBytes } from "../values/ipaddress.js";
import { formatMac, macBytes } from "../values/mac.js";
import type { AttributeType } from "./attribute.js";
import { DecodeError, EncodeError, type Writer } from "./wire.js";

function writeText(writer: Writer, value: string, max: number): void {
  const length = writer.text(value);
  if (length > max) throw new EncodeError(`"${value}" is ${length} bytes, ${max} are possible`);
  if (value.includes("\0")) throw new EncodeError("a zero byte inside a string");
}

/** A string with its terminating zero; `size` is that of the kernel's field, zero included. */
export function cstring(size: number): AttributeType<string> {
  return {
    encode: (writer, value) => {
      writeText(writer, value, size - 1);
      writer.reserve(1);
    },
    decode: (reader) => reader.text(),
    print: (value) => JSON.stringify(value),
  };
}

/**
 * A string that is sent without a terminating zero: the kernel measures an alias with it and refuses the 256th byte
 * (ERANGE). In replies there is one. The empty string is sent as a zero, so that there is something to look at.
 */
export function bareString(max: number): AttributeType<string> {
  const whole = cstring(max + 1);
  return {
    ...whole,
    encode: (writer, value) => {
      writeText(writer, value, max);
      if (value === "") writer.reserve(1);
    },
    encodeReply: (writer, value) => whole.encode(writer, value, {}),
  };
}

/** Anything that nothing here looks into. */
export const bytes: AttributeType<Uint8Array> = {
  encode: (writer, value) => writer.bytes(writer.reserve(value.length), value),
  decode: (reader) => reader.bytes.slice(),
  print: (value) => Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join(""),
};

/**
 * An IPv4 or IPv6 address as canonical text; the length on the wire is the family. iproute2 sends "all" of a rule as no
 * bytes at all, which is the empty text here.
 */
export const ip: AttributeType<string> = {
  encode: (writer, value) => {
    if (value === "") return;
    const address = ipBytes(value);
    writer.bytes(writer.reserve(address.length), address);
  },
  decode: (reader) => {
    if (reader.length === 0) return "";
    if (reader.length !== 4 && reader.length !== 16) throw new DecodeError(`an address of ${reader.length} bytes`);
    return formatIp(reader.bytes);
  },
  print: (value) => value,
};

/** A link-layer address as aa:bb:...: six bytes for Ethernet, twenty for InfiniBand. */
export const mac: AttributeType<string> = {
  encode: (writer, value) => {
    const address = macBytes(value);
    writer.bytes(writer.reserve(address.length), address);
  },
  decode: (reader) => formatMac(reader.bytes),
  print: (value) => value,
};
