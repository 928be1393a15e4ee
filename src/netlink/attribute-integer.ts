import type { AttributeType } from "./attribute.js";
import { DecodeError, isSlot, type Reader, type Slot } from "./wire.js";

/** The kernel pads nothing inside an attribute: a number of another size is another thing. */
function sized(reader: Reader, size: number): Reader {
  if (reader.length !== size) throw new DecodeError(`${reader.length} bytes where ${size} were expected`);
  return reader;
}

function integer(kind: "u8" | "u16" | "be16" | "u32" | "be32" | "s32", size: number): AttributeType<number> {
  return {
    encode: (writer, value) => writer[kind](writer.reserve(size), value),
    decode: (reader) => sized(reader, size)[kind](0),
    print: String,
  };
}

export const u8 = integer("u8", 1);
export const u16 = integer("u16", 2);
/** be: in network byte order, whatever the machine's. */
export const be16 = integer("be16", 2);
export const be32 = integer("be32", 4);
export const u32 = integer("u32", 4);
export const s32 = integer("s32", 4);

export const u64: AttributeType<bigint> = {
  encode: (writer, value) => writer.u64(writer.reserve(8), value),
  decode: (reader) => sized(reader, 8).u64(0),
  print: String,
};

export const s64: AttributeType<bigint> = {
  encode: (writer, value) => writer.s64(writer.reserve(8), value),
  decode: (reader) => sized(reader, 8).s64(0),
  print: String,
};

/** A u32 that may be a slot until the plan runs: ifindexes and descriptors. */
export const reference: AttributeType<number | Slot, number> = {
  encode: (writer, value) => writer.reference(writer.reserve(4), value),
  decode: (reader) => sized(reader, 4).u32(0),
  print: (value) => (isSlot(value) ? `<${value.slot}>` : String(value)),
};

/** Its presence is its value. */
export const flag: AttributeType<true> = {
  encode: () => {},
  decode: () => true,
  print: String,
};
