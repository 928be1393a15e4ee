import { formatIp, ipBytes } from "../values/ipaddress.js";
import { formatMac, macBytes } from "../values/mac.js";
import { DecodeError, EncodeError, align, isSlot, type Reader, type Slot, type Writer } from "./wire.js";

/** How one attribute's payload is written, read and printed. `In` is what may be encoded, `Out` what decoding gives. */
export interface AttributeType<In, Out = In> {
  encode(writer: Writer, value: In, parent: object): void;
  decode(reader: Reader, parent: object): Out;
  print(value: In | Out): string;
  /** For nested types: the set inside, so that an offset can be told as a path. */
  inner?(parent: object): { set: AttributeSet<Rows>; headerLength: number } | undefined;
}

export interface Row<In, Out> {
  /** Spelling of the kernel header, checked by scripts/check-constants.mjs. */
  readonly kernelName: string;
  readonly number: number;
  readonly type: AttributeType<In, Out>;
}

// biome-ignore lint/suspicious/noExplicitAny: the variance of rows makes `unknown` unusable here
export type Rows = Record<string, Row<any, any>>;

export function row<In, Out>(kernelName: string, number: number, type: AttributeType<In, Out>): Row<In, Out> {
  return { kernelName, number, type };
}

/** An attribute of a number no row has; kept, never dropped. */
export interface UnknownAttribute {
  readonly number: number;
  readonly bytes: Uint8Array;
}

export type AttributesIn<R extends Rows> = {
  readonly [K in keyof R]?: (R[K] extends Row<infer In, infer _Out> ? In : never) | undefined;
};
export type AttributesOut<R extends Rows> = {
  [K in keyof R]?: R[K] extends Row<infer _In, infer Out> ? Out : never;
} & { unknown?: UnknownAttribute[] };

export interface AttributeSet<R extends Rows> {
  readonly name: string;
  readonly rows: R;
  readonly byNumber: ReadonlyMap<number, string>;
}

/** One literal per attribute set: encoder, decoder, static type, printer and offset-to-path look-up come from it. */
export function defineAttributes<R extends Rows>(name: string, rows: R): AttributeSet<R> {
  const byNumber = new Map<number, string>();
  for (const [field, { number, kernelName }] of Object.entries(rows)) {
    if (byNumber.has(number)) throw new Error(`${name}: ${kernelName} repeats number ${number}`);
    byNumber.set(number, field);
  }
  return { name, rows, byNumber };
}

const NLA_HEADER = 4;
/** NLA_F_NESTED | NLA_F_NET_BYTEORDER are flags in the type (linux/netlink.h). */
const NLA_TYPE_MASK = 0x3fff;

/** Writes the attributes in table order, so that the same values always give the same bytes. */
export function encodeAttributes<R extends Rows>(writer: Writer, set: AttributeSet<R>, values: AttributesIn<R>): void {
  for (const field in set.rows) {
    const value = values[field];
    if (value === undefined) continue;
    const { number, type, kernelName } = set.rows[field] as Row<unknown, unknown>;
    const start = writer.reserve(NLA_HEADER);
    try {
      type.encode(writer, value, values);
    } catch (error) {
      if (error instanceof EncodeError) throw new EncodeError(`${kernelName}: ${error.message}`);
      throw error;
    }
    writer.u16(start, writer.length - start);
    writer.u16(start + 2, number);
    writer.pad();
  }
  for (const field in values) {
    if (!(field in set.rows)) throw new EncodeError(`${set.name} has no attribute "${field}"`);
  }
}

export function decodeAttributes<R extends Rows>(reader: Reader, set: AttributeSet<R>): AttributesOut<R> {
  const values: Record<string, unknown> = {};
  let offset = 0;
  while (offset + NLA_HEADER <= reader.length) {
    const length = reader.u16(offset);
    if (length < NLA_HEADER || offset + length > reader.length) {
      throw new DecodeError(`${set.name}: attribute of ${length} bytes at offset ${offset} of ${reader.length}`);
    }
    const number = reader.u16(offset + 2) & NLA_TYPE_MASK;
    const payload = reader.slice(offset + NLA_HEADER, offset + length);
    const field = set.byNumber.get(number);
    if (field === undefined) {
      values["unknown"] ??= [];
      (values["unknown"] as UnknownAttribute[]).push({ number, bytes: payload.bytes.slice() });
    } else {
      const { type, kernelName } = set.rows[field] as Row<unknown, unknown>;
      try {
        values[field] = type.decode(payload, values);
      } catch (error) {
        if (error instanceof DecodeError || error instanceof RangeError) {
          throw new DecodeError(`${kernelName}: ${error.message}`);
        }
        throw error;
      }
    }
    offset += align(length);
  }
  return values as AttributesOut<R>;
}

/** `name value, name value` in kernel spelling without the set's prefix; for --dry-run --verbose and debugging. */
export function printAttributes<R extends Rows>(set: AttributeSet<R>, values: object): string {
  const parts: string[] = [];
  for (const field in set.rows) {
    const value = (values as Record<string, unknown>)[field];
    if (value === undefined) continue;
    const { kernelName, type } = set.rows[field] as Row<unknown, unknown>;
    parts.push(`${kernelName}=${isSlot(value) ? `<${value.slot}>` : type.print(value)}`);
  }
  return parts.join(" ");
}

/**
 * The path of the attribute that holds byte `offset` of an encoded attribute stream, as kernel names joined by dots;
 * undefined when the offset lies outside.
 */
export function attributePath<R extends Rows>(reader: Reader, set: AttributeSet<R>, offset: number): string | undefined {
  let at = 0;
  const siblings: Record<string, unknown> = {};
  while (at + NLA_HEADER <= reader.length) {
    const length = reader.u16(at);
    if (length < NLA_HEADER || at + length > reader.length) return undefined;
    const field = set.byNumber.get(reader.u16(at + 2) & NLA_TYPE_MASK);
    const found = field === undefined ? undefined : (set.rows[field] as Row<unknown, unknown>);
    if (offset >= at && offset < at + align(length)) {
      if (found === undefined) return `${set.name} attribute ${reader.u16(at + 2) & NLA_TYPE_MASK}`;
      const inner = found.type.inner?.(siblings);
      if (inner === undefined) return found.kernelName;
      const start = at + NLA_HEADER + inner.headerLength;
      if (offset < start) return found.kernelName;
      const rest = attributePath(reader.slice(start, at + length), inner.set, offset - start);
      return rest === undefined ? found.kernelName : `${found.kernelName}.${rest}`;
    }
    if (found !== undefined && field !== undefined) {
      try {
        siblings[field] = found.type.decode(reader.slice(at + NLA_HEADER, at + length), siblings);
      } catch {
        // Only the kind strings among siblings matter here; an undecodable one just shortens the path.
      }
    }
    at += align(length);
  }
  return undefined;
}

function integer(name: string, size: number, max: number, min = 0) {
  return (value: number): number => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new EncodeError(`${value} does not fit ${name} (${size} byte${size === 1 ? "" : "s"})`);
    }
    return value;
  };
}

const checkU8 = integer("u8", 1, 0xff);
const checkU16 = integer("u16", 2, 0xffff);
const checkU32 = integer("u32", 4, 0xffffffff);
const checkS32 = integer("s32", 4, 0x7fffffff, -0x80000000);

const decimal = (value: number | bigint): string => String(value);

export const u8: AttributeType<number> = {
  encode: (w, v) => w.u8(w.reserve(1), checkU8(v)),
  decode: (r) => r.u8(0),
  print: decimal,
};
export const u16: AttributeType<number> = {
  encode: (w, v) => w.u16(w.reserve(2), checkU16(v)),
  decode: (r) => r.u16(0),
  print: decimal,
};
export const be16: AttributeType<number> = {
  encode: (w, v) => w.be16(w.reserve(2), checkU16(v)),
  decode: (r) => r.be16(0),
  print: decimal,
};
export const u32: AttributeType<number> = {
  encode: (w, v) => w.u32(w.reserve(4), checkU32(v)),
  decode: (r) => r.u32(0),
  print: decimal,
};
export const s32: AttributeType<number> = {
  encode: (w, v) => w.s32(w.reserve(4), checkS32(v)),
  decode: (r) => r.s32(0),
  print: decimal,
};
export const u64: AttributeType<bigint> = {
  encode: (w, v) => w.u64(w.reserve(8), v),
  decode: (r) => r.u64(0),
  print: decimal,
};

/** A u32 that may be a slot until the plan runs: ifindexes and descriptors. */
export const reference: AttributeType<number | Slot, number> = {
  encode: (w, v) => w.reference(w.reserve(4), isSlot(v) ? v : checkU32(v)),
  decode: (r) => r.u32(0),
  print: (v) => (isSlot(v) ? `<${v.slot}>` : String(v)),
};

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** A string with its terminating zero; `size` is that of the kernel's field, zero included. */
export function cstring(size: number): AttributeType<string> {
  return {
    encode: (w, v) => {
      const bytes = utf8.encode(v);
      if (bytes.length >= size) throw new EncodeError(`"${v}" is ${bytes.length} bytes, ${size - 1} are possible`);
      if (bytes.includes(0)) throw new EncodeError("a zero byte inside a string");
      w.bytes(w.reserve(bytes.length + 1), bytes);
    },
    decode: (r) => {
      const zero = r.bytes.indexOf(0);
      return fromUtf8.decode(zero < 0 ? r.bytes : r.bytes.subarray(0, zero));
    },
    print: (v) => JSON.stringify(v),
  };
}

export const flag: AttributeType<boolean> = {
  encode: () => {},
  decode: () => true,
  print: String,
};

export const bytes: AttributeType<Uint8Array> = {
  encode: (w, v) => w.bytes(w.reserve(v.length), v),
  decode: (r) => r.bytes.slice(),
  print: (v) => Array.from(v, (b) => b.toString(16).padStart(2, "0")).join(""),
};

/** An IPv4 or IPv6 address as canonical text; the length on the wire is the family. */
export const ip: AttributeType<string> = {
  encode: (w, v) => {
    const b = ipBytes(v);
    w.bytes(w.reserve(b.length), b);
  },
  decode: (r) => {
    if (r.length !== 4 && r.length !== 16) throw new DecodeError(`an address of ${r.length} bytes`);
    return formatIp(r.bytes);
  },
  print: (v) => v,
};

/** A link-layer address as aa:bb:...; six bytes for Ethernet, twenty for InfiniBand. */
export const mac: AttributeType<string> = {
  encode: (w, v) => {
    const b = macBytes(v);
    w.bytes(w.reserve(b.length), b);
  },
  decode: (r) => formatMac(r.bytes),
  print: (v) => v,
};

export function nested<R extends Rows>(set: AttributeSet<R>): AttributeType<AttributesIn<R>, AttributesOut<R>> {
  return {
    encode: (w, v) => encodeAttributes(w, set, v),
    decode: (r) => decodeAttributes(r, set),
    print: (v) => `{${printAttributes(set, v)}}`,
    inner: () => ({ set, headerLength: 0 }),
  };
}

/** The set that describes a nested payload is named by a sibling: IFLA_INFO_DATA by IFLA_INFO_KIND. */
export function nestedByKind<S extends Record<string, AttributeSet<Rows>>>(
  kindField: string,
  sets: S,
): AttributeType<
  { [K in keyof S]: AttributesIn<S[K]["rows"]> }[keyof S],
  { [K in keyof S]: AttributesOut<S[K]["rows"]> }[keyof S]
> {
  const setOf = (parent: object) => sets[(parent as Record<string, string>)[kindField] ?? ""];
  const none = defineAttributes("unknown kind", {});
  return {
    encode: (w, v, parent) => {
      const set = setOf(parent);
      if (set === undefined) throw new EncodeError(`no attributes are known for this ${kindField}`);
      encodeAttributes(w, set, v as AttributesIn<Rows>);
    },
    decode: (r, parent) => decodeAttributes(r, setOf(parent) ?? none) as never,
    print: (v) => {
      // The kind is not at hand here; the set that knows every field of the value is the one.
      const set = Object.values(sets).find((s) => Object.keys(v).every((f) => f === "unknown" || f in s.rows));
      return `{${set === undefined ? "" : printAttributes(set, v)}}`;
    },
    inner: (parent) => {
      const set = setOf(parent);
      return set === undefined ? undefined : { set, headerLength: 0 };
    },
  };
}
