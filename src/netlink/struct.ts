import { EncodeError, isSlot, type Reader, type Slot, type Writer } from "./wire.js";

const sizes = { u8: 1, u16: 2, be16: 2, s16: 2, u32: 4, be32: 4, s32: 4, reference: 4, u64: 8, s64: 8 } as const;
type Scalar = keyof typeof sizes;

/** A number; that many bytes, such as `u8[16]`; or a struct inside the struct. */
type FieldKind = Scalar | `u8[${number}]` | Struct<Fields>;

/** Offset and kind of every field. An interface, because a struct may hold structs. */
export interface Fields {
  readonly [field: string]: readonly [offset: number, kind: FieldKind];
}
type ValueIn<K> = K extends "reference"
  ? number | Slot
  : K extends "u64" | "s64"
    ? bigint
    : K extends Scalar
      ? number
      : K extends Struct<infer F>
        ? StructIn<F>
        : readonly number[];
type ValueOut<K> = K extends "u64" | "s64"
  ? bigint
  : K extends Scalar
    ? number
    : K extends Struct<infer F>
      ? StructOut<F>
      : number[];
export type StructIn<F extends Fields> = { readonly [K in keyof F]?: ValueIn<F[K][1]> | undefined };
export type StructOut<F extends Fields> = { [K in keyof F]: ValueOut<F[K][1]> };

/** A fixed header in front of attributes, such as struct ifinfomsg. Fields left out are zero. */
export interface Struct<F extends Fields> {
  /** The kernel's name, checked together with offsets and size by scripts/check-constants.mjs. */
  readonly name: string;
  readonly size: number;
  readonly fields: F;
  /** What the kernel's field names have in front: `dstLen` of struct rtmsg is rtm_dst_len. */
  readonly prefix: string;
}

function sizeOf(kind: FieldKind): number {
  if (typeof kind === "object") return kind.size;
  return kind in sizes ? sizes[kind as Scalar] : Number(kind.slice("u8[".length, -1));
}

export function defineStruct<const F extends Fields>(name: string, size: number, prefix: string, fields: F): Struct<F> {
  for (const field in fields) {
    const [offset, kind] = fields[field] as Fields[string];
    if (offset + sizeOf(kind) > size) throw new Error(`${name}.${field} lies outside its struct`);
  }
  return { name, size, fields, prefix };
}

/** Offset, size and kernel name of every field, for scripts/check-constants.mjs. */
export function structLayout(struct: Struct<Fields>): { member: string; offset: number; size: number }[] {
  return Object.entries(struct.fields).flatMap(([field, [offset, kind]]) => {
    // Wlog and max_P are the kernel's own spelling.
    const own = /^[A-Z]|_/.test(field);
    const member = struct.prefix + (own ? field : field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
    const inner =
      typeof kind === "object"
        ? structLayout(kind).map((one) => ({ ...one, member: `${member}.${one.member}`, offset: offset + one.offset }))
        : [];
    return [{ member, offset, size: sizeOf(kind) }, ...inner];
  });
}

function encodeFields<F extends Fields>(writer: Writer, start: number, struct: Struct<F>, values: StructIn<F>): void {
  for (const field in struct.fields) {
    const value = values[field] as unknown;
    if (value === undefined) continue;
    const [offset, kind] = struct.fields[field] as Fields[string];
    const at = start + offset;
    if (kind === "reference") writer.reference(at, value as number | Slot);
    else if (kind === "u64" || kind === "s64") writer[kind](at, value as bigint);
    else if (typeof kind === "object") encodeFields(writer, at, kind, value as StructIn<Fields>);
    else if (kind in sizes) writer[kind as "u32"](at, value as number);
    else encodeBytes(writer, at, sizeOf(kind), value as readonly number[]);
  }
  for (const field in values) {
    if (!(field in struct.fields)) throw new EncodeError(`struct ${struct.name} has no field "${field}"`);
  }
}

function encodeBytes(writer: Writer, at: number, size: number, values: readonly number[]): void {
  if (values.length > size) throw new EncodeError(`${values.length} bytes where ${size} are possible`);
  for (const [i, value] of values.entries()) writer.u8(at + i, value);
}

export function encodeStruct<F extends Fields>(writer: Writer, struct: Struct<F>, values: StructIn<F>): void {
  encodeFields(writer, writer.reserve(struct.size), struct, values);
}

function decodeFields(reader: Reader, start: number, struct: Struct<Fields>): StructOut<Fields> {
  const values: Record<string, unknown> = {};
  for (const field in struct.fields) {
    const [offset, kind] = struct.fields[field] as Fields[string];
    const at = start + offset;
    if (typeof kind === "object") values[field] = decodeFields(reader, at, kind);
    else if (kind === "reference") values[field] = reader.u32(at);
    else if (kind in sizes) values[field] = reader[kind as "u32"](at);
    else values[field] = Array.from({ length: sizeOf(kind) }, (_, i) => reader.u8(at + i));
  }
  return values as StructOut<Fields>;
}

export function decodeStruct<F extends Fields>(reader: Reader, struct: Struct<F>): StructOut<F> {
  return decodeFields(reader, 0, struct as Struct<Fields>) as StructOut<F>;
}

export function printStruct<F extends Fields>(struct: Struct<F>, values: object): string {
  const parts: string[] = [];
  for (const field in struct.fields) {
    const value = (values as Record<string, unknown>)[field];
    if (value === undefined || value === 0) continue;
    const [, kind] = struct.fields[field] as Fields[string];
    const text = typeof kind === "object" ? `{${printStruct(kind, value as object)}}` : String(value);
    parts.push(`${field}=${isSlot(value) ? `<${value.slot}>` : text}`);
  }
  return parts.join(" ");
}
