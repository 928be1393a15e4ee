import type { Fields, Struct } from "./struct.js";
import { align, DecodeError, EncodeError, isSlot, type Reader, type Writer } from "./wire.js";

/** How one attribute's payload is written, read and printed. `In` is what may be encoded, `Out` what decoding gives. */
export interface AttributeType<In, Out = In> {
  /** `parent` holds the attribute's siblings: some decide what is inside, as IFLA_INFO_KIND does. */
  encode(writer: Writer, value: In, parent: object): void;
  /** Of nested attributes only those in `only` are decoded, when it is given. */
  decode(reader: Reader, parent: object, only?: Selection): Out;
  print(value: In | Out, parent: object): string;
  /** As the kernel itself writes the value in a reply, where that differs from how it is sent. */
  encodeReply?(writer: Writer, value: In): void;
  /** Flag in the attribute's number, such as NLA_F_NESTED where the kernel insists. */
  readonly typeFlag?: number;
  /** Nested types: the set inside, given the siblings, and what stands in front of it. */
  inner?(parent: object): AttributeSet<Rows> | undefined;
  readonly headerLength?: number;
  /** The same, where the siblings decide: only netem has a struct in front of its options. */
  headerLengthOf?(parent: object): number;
  /** Nested types: every set that may be inside, whatever the siblings. */
  readonly sets?: readonly AttributeSet<Rows>[];
  /** A struct that is the payload, or stands in front of it. */
  readonly struct?: Struct<Fields>;
  /** Where several may be. */
  readonly structs?: readonly Struct<Fields>[];
  /** Where a sibling names the whole type: the types by its values. */
  // biome-ignore lint/suspicious/noExplicitAny: as for rows
  readonly kinds?: Readonly<Record<string, AttributeType<any, any>>>;
}

/** Fields to decode, when the others are of no interest: a link has fifty attributes, and a plan looks at twelve. */
export interface Selection {
  readonly [field: string]: true | Selection;
}

export interface Row<In, Out> {
  /** Spelling of the kernel header, checked by scripts/check-constants.mjs. */
  readonly kernelName: string;
  readonly number: number;
  readonly type: AttributeType<In, Out>;
  /** The attribute may be there several times, and its value is an array. */
  readonly many?: true;
}

// biome-ignore lint/suspicious/noExplicitAny: the variance of rows makes `unknown` unusable here
export type Rows = Record<string, Row<any, any>>;

export function row<In, Out>(kernelName: string, number: number, type: AttributeType<In, Out>): Row<In, Out> {
  return { kernelName, number, type };
}

/** A row of an attribute that is repeated, one for each element. */
export function manyRow<In, Out>(
  kernelName: string,
  number: number,
  type: AttributeType<In, Out>,
): Row<readonly In[], Out[]> {
  // The type is that of one element; `many` tells the loops below.
  return { kernelName, number, type: type as unknown as AttributeType<readonly In[], Out[]>, many: true };
}

/** An attribute of a number no row has; kept, and written back as it was. */
export interface UnknownAttribute {
  readonly number: number;
  /** NLA_F_NESTED, NLA_F_NET_BYTEORDER, where set. */
  readonly flags?: number;
  readonly bytes: Uint8Array;
}

export type AttributesIn<R extends Rows> = {
  readonly [K in keyof R]?: (R[K] extends Row<infer In, infer _Out> ? In : never) | undefined;
} & { readonly unknown?: readonly UnknownAttribute[] | undefined };
export type AttributesOut<R extends Rows> = {
  [K in keyof R]?: R[K] extends Row<infer _In, infer Out> ? Out : never;
} & { unknown?: UnknownAttribute[] };

export interface AttributeSet<R extends Rows> {
  readonly name: string;
  readonly rows: R;
  readonly byNumber: ReadonlyMap<number, string>;
  /** Place of each field in the table. */
  readonly positions: ReadonlyMap<string, number>;
}

/** One literal per attribute set: encoder, decoder, static type, printer and offset-to-path look-up come from it. */
export function defineAttributes<R extends Rows>(name: string, rows: R): AttributeSet<R> {
  const byNumber = new Map<number, string>();
  for (const [field, { number, kernelName }] of Object.entries(rows)) {
    if (byNumber.has(number)) throw new Error(`${name}: ${kernelName} repeats number ${number}`);
    if (field === "unknown") throw new Error(`${name}: a field cannot be called ${field}`);
    byNumber.set(number, field);
  }
  const positions = new Map(Object.keys(rows).map((field, position) => [field, position]));
  return { name, rows, byNumber, positions };
}

/** Size of struct nlattr, linux/netlink.h. */
export const NLA_HDRLEN = 4;
/** Flags in the number of an attribute, linux/netlink.h, and the mask of what remains. */
export const NLA_F_NESTED = 0x8000;
export const NLA_F_NET_BYTEORDER = 0x4000;
const NLA_TYPE_MASK = 0x3fff;

type AnyRow = Row<unknown, unknown>;

/** Says which attribute it was; other errors pass. */
function named(error: unknown, name: string): unknown {
  if (error instanceof EncodeError) return new EncodeError(`${name}: ${error.message}`);
  if (error instanceof DecodeError || error instanceof RangeError) return new DecodeError(`${name}: ${error.message}`);
  return error;
}

/** The fields that have a value, in table order. Walking the values is quicker than walking the table: most are absent. */
function fieldsInOrder<R extends Rows>(set: AttributeSet<R>, values: AttributesIn<R>): string[] {
  const fields: string[] = [];
  let last = -1;
  let sorted = true;
  for (const field in values) {
    if (values[field] === undefined || field === "unknown") continue;
    const position = set.positions.get(field);
    if (position === undefined) throw new EncodeError(`${set.name} has no attribute "${field}"`);
    if (position < last) sorted = false;
    last = position;
    fields.push(field);
  }
  return sorted ? fields : fields.sort((a, b) => (set.positions.get(a) ?? 0) - (set.positions.get(b) ?? 0));
}

/** Writes the attributes in table order, so that the same values always give the same bytes. */
export function encodeAttributes<R extends Rows>(writer: Writer, set: AttributeSet<R>, values: AttributesIn<R>): void {
  for (const field of fieldsInOrder(set, values)) {
    const value: unknown = values[field];
    const { number, type, kernelName, many } = set.rows[field] as AnyRow;
    try {
      for (const one of many === true ? (value as readonly unknown[]) : [value]) {
        const start = writer.reserve(NLA_HDRLEN);
        type.encode(writer, one, values);
        writer.u16(start, writer.length - start);
        writer.u16(start + 2, number | (type.typeFlag ?? 0));
        writer.pad();
      }
    } catch (error) {
      throw named(error, kernelName);
    }
  }
  for (const { number, flags, bytes } of values.unknown ?? []) {
    const start = writer.reserve(NLA_HDRLEN);
    writer.bytes(writer.reserve(bytes.length), bytes);
    writer.u16(start, writer.length - start);
    writer.u16(start + 2, number | (flags ?? 0));
    writer.pad();
  }
}

interface RawAttribute {
  readonly at: number;
  readonly end: number;
  readonly number: number;
  readonly flags: number;
}

function attributeLength(reader: Reader, at: number, name: string): number {
  const length = reader.u16(at);
  if (length < NLA_HDRLEN || at + length > reader.length) {
    throw new DecodeError(`${name}: attribute of ${length} bytes at offset ${at} of ${reader.length}`);
  }
  return length;
}

function* walk(reader: Reader, name: string): Generator<RawAttribute> {
  let at = 0;
  while (at + NLA_HDRLEN <= reader.length) {
    const length = attributeLength(reader, at, name);
    const type = reader.u16(at + 2);
    yield { at, end: at + length, number: type & NLA_TYPE_MASK, flags: type & ~NLA_TYPE_MASK };
    at += align(length);
  }
}

/**
 * Throws DecodeError where the bytes are not what the set says; attributes without a row are kept as `unknown`, unless
 * `only` names the fields that are wanted.
 */
export function decodeAttributes<R extends Rows>(
  reader: Reader,
  set: AttributeSet<R>,
  only?: Selection,
): AttributesOut<R> {
  const values: Record<string, unknown> = {};
  let at = 0;
  while (at + NLA_HDRLEN <= reader.length) {
    const length = attributeLength(reader, at, set.name);
    const number = reader.u16(at + 2);
    const field = set.byNumber.get(number & NLA_TYPE_MASK);
    const wanted = only === undefined ? true : field === undefined ? undefined : only[field];
    if (wanted !== undefined) {
      const payload = reader.slice(at + NLA_HDRLEN, at + length);
      if (field === undefined) keepUnknown(values, number, payload);
      else decodeField(values, set.rows[field] as AnyRow, field, payload, wanted === true ? undefined : wanted);
    }
    at += align(length);
  }
  return values as AttributesOut<R>;
}

function keepUnknown(values: Record<string, unknown>, type: number, payload: Reader): void {
  values["unknown"] ??= [];
  const flags = type & ~NLA_TYPE_MASK;
  const unknown = { number: type & NLA_TYPE_MASK, ...(flags === 0 ? {} : { flags }), bytes: payload.bytes.slice() };
  (values["unknown"] as UnknownAttribute[]).push(unknown);
}

function decodeField(
  values: Record<string, unknown>,
  row: AnyRow,
  field: string,
  payload: Reader,
  only: Selection | undefined,
): void {
  try {
    const value = row.type.decode(payload, values, only);
    if (row.many !== true) values[field] = value;
    else if (values[field] === undefined) values[field] = [value];
    else (values[field] as unknown[]).push(value);
  } catch (error) {
    throw named(error, row.kernelName);
  }
}

/** NAME=value NAME=value, in kernel spelling. */
export function printAttributes<R extends Rows>(set: AttributeSet<R>, values: object): string {
  const parts: string[] = [];
  for (const field in set.rows) {
    const value = (values as Record<string, unknown>)[field];
    if (value === undefined) continue;
    const { kernelName, type, many } = set.rows[field] as AnyRow;
    for (const one of many === true ? (value as readonly unknown[]) : [value]) {
      parts.push(`${kernelName}=${isSlot(one) ? `<${one.slot}>` : type.print(one, values)}`);
    }
  }
  for (const { number, bytes } of (values as AttributesIn<Rows>).unknown ?? []) {
    parts.push(`${set.name}(${number})=${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`);
  }
  return parts.join(" ");
}

/**
 * The path of the attribute that holds byte `offset` of an encoded attribute stream, as kernel names joined by dots;
 * undefined when the offset lies outside or the stream is damaged before it.
 */
export function attributePath<R extends Rows>(
  reader: Reader,
  set: AttributeSet<R>,
  offset: number,
): string | undefined {
  const siblings: Record<string, unknown> = {};
  try {
    for (const { at, end, number } of walk(reader, set.name)) {
      const field = set.byNumber.get(number);
      const found = field === undefined ? undefined : (set.rows[field] as AnyRow);
      if (offset >= at && offset < at + align(end - at)) {
        if (found === undefined) return `${set.name}(${number})`;
        const inner = found.type.inner?.(siblings);
        const start = at + NLA_HDRLEN + (found.type.headerLengthOf?.(siblings) ?? found.type.headerLength ?? 0);
        if (inner === undefined || offset < start || start > end) return found.kernelName;
        const rest = attributePath(reader.slice(start, end), inner, offset - start);
        return rest === undefined ? found.kernelName : `${found.kernelName}.${rest}`;
      }
      if (found !== undefined && field !== undefined)
        siblings[field] = found.type.decode(reader.slice(at + NLA_HDRLEN, end), siblings);
    }
  } catch (error) {
    if (!(error instanceof DecodeError || error instanceof RangeError)) throw error;
  }
  return undefined;
}
