import { EncodeError, isSlot, type Reader, type Slot, type Writer } from "./wire.js";

type FieldKind = "u8" | "u16" | "be16" | "u32" | "s32" | "reference";
const sizes: Record<FieldKind, number> = { u8: 1, u16: 2, be16: 2, u32: 4, s32: 4, reference: 4 };

export type Fields = Record<string, readonly [offset: number, kind: FieldKind]>;
export type StructIn<F extends Fields> = {
  readonly [K in keyof F]?: (F[K][1] extends "reference" ? number | Slot : number) | undefined;
};
export type StructOut<F extends Fields> = { [K in keyof F]: number };

/** A fixed header in front of attributes, such as struct ifinfomsg. Fields left out are zero. */
export interface Struct<F extends Fields> {
  /** The kernel's name, checked together with offsets and size by scripts/check-constants.mjs. */
  readonly name: string;
  readonly size: number;
  readonly fields: F;
  /** What the kernel's field names have in front: `dstLen` of struct rtmsg is rtm_dst_len. */
  readonly prefix: string;
}

export function defineStruct<const F extends Fields>(name: string, size: number, prefix: string, fields: F): Struct<F> {
  for (const [field, [offset, kind]] of Object.entries(fields)) {
    if (offset + sizes[kind] > size) throw new Error(`${name}.${field} lies outside its struct`);
  }
  return { name, size, fields, prefix };
}

/** Offset, size and kernel name of every field, for scripts/check-constants.mjs. */
export function structLayout(struct: Struct<Fields>): { member: string; offset: number; size: number }[] {
  return Object.entries(struct.fields).map(([field, [offset, kind]]) => ({
    member: struct.prefix + field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    offset,
    size: sizes[kind],
  }));
}

export function encodeStruct<F extends Fields>(writer: Writer, struct: Struct<F>, values: StructIn<F>): void {
  const start = writer.reserve(struct.size);
  for (const field in struct.fields) {
    const value = values[field] as number | Slot | undefined;
    if (value === undefined) continue;
    const [offset, kind] = struct.fields[field] as readonly [number, FieldKind];
    if (kind === "reference") writer.reference(start + offset, value);
    else writer[kind](start + offset, value as number);
  }
  for (const field in values) {
    if (!(field in struct.fields)) throw new EncodeError(`struct ${struct.name} has no field "${field}"`);
  }
}

export function decodeStruct<F extends Fields>(reader: Reader, struct: Struct<F>): StructOut<F> {
  const values: Record<string, number> = {};
  for (const field in struct.fields) {
    const [offset, kind] = struct.fields[field] as readonly [number, FieldKind];
    values[field] = reader[kind === "reference" ? "u32" : kind](offset);
  }
  return values as StructOut<F>;
}

export function printStruct<F extends Fields>(struct: Struct<F>, values: object): string {
  const parts: string[] = [];
  for (const field in struct.fields) {
    const value = (values as Record<string, unknown>)[field];
    if (value !== undefined && value !== 0) parts.push(`${field}=${isSlot(value) ? `<${value.slot}>` : value}`);
  }
  return parts.join(" ");
}
