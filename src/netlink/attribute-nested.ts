import {
  type AttributeSet,
  type AttributesIn,
  type AttributesOut,
  type AttributeType,
  decodeAttributes,
  defineAttributes,
  encodeAttributes,
  NLA_F_NESTED,
  printAttributes,
  type Rows,
  row,
} from "./attribute.js";
import { bytes } from "./attribute-bytes.js";
import {
  decodeStruct,
  encodeStruct,
  type Fields,
  printStruct,
  type Struct,
  type StructIn,
  type StructOut,
} from "./struct.js";
import { align, DecodeError, EncodeError } from "./wire.js";

/** Attributes inside an attribute. */
export function nested<R extends Rows>(set: AttributeSet<R>): AttributeType<AttributesIn<R>, AttributesOut<R>> {
  return {
    encode: (writer, value) => encodeAttributes(writer, set, value),
    decode: (reader, _parent, only) => decodeAttributes(reader, set, only),
    print: (value) => `{${printAttributes(set, value)}}`,
    inner: () => set,
    sets: [set],
  };
}

/** The same with NLA_F_NESTED, without which newer parts of the kernel answer EINVAL. */
export function nestedStrict<R extends Rows>(set: AttributeSet<R>): AttributeType<AttributesIn<R>, AttributesOut<R>> {
  return { ...nested(set), typeFlag: NLA_F_NESTED };
}

const nothingKnown = defineAttributes("attribute", {});

/** The set that describes a nested payload is named by a sibling: IFLA_INFO_DATA by IFLA_INFO_KIND. */
export function nestedByKind<S extends Record<string, AttributeSet<Rows>>>(
  kindField: string,
  sets: S,
): AttributeType<
  { [K in keyof S]: AttributesIn<S[K]["rows"]> }[keyof S],
  { [K in keyof S]: AttributesOut<S[K]["rows"]> }[keyof S]
> {
  const kindOf = (parent: object) => (parent as Record<string, string>)[kindField] ?? "";
  const setOf = (parent: object): AttributeSet<Rows> | undefined =>
    Object.hasOwn(sets, kindOf(parent)) ? sets[kindOf(parent)] : undefined;
  return {
    encode: (writer, value, parent) => {
      const set = setOf(parent) ?? nothingKnown;
      const known = Object.keys(value).find((field) => field !== "unknown");
      if (set === nothingKnown && known !== undefined)
        throw new EncodeError(`no attribute ${known} is known for ${kindField} "${kindOf(parent)}"`);
      encodeAttributes(writer, set, value as AttributesIn<Rows>);
    },
    decode: (reader, parent, only) => decodeAttributes(reader, setOf(parent) ?? nothingKnown, only) as never,
    print: (value, parent) => `{${printAttributes(setOf(parent) ?? nothingKnown, value)}}`,
    inner: setOf,
    sets: Object.values(sets),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the variance of types makes `unknown` unusable here
type Types = Record<string, AttributeType<any, any>>;
type Sent<T extends Types> = { [K in keyof T]: T[K] extends AttributeType<infer In, infer _Out> ? In : never }[keyof T];
type Got<T extends Types> = { [K in keyof T]: T[K] extends AttributeType<infer _In, infer Out> ? Out : never }[keyof T];

/** The whole type of a payload is named by a sibling, as TCA_OPTIONS by TCA_KIND. Of kinds not known: bytes. */
export function typedByKind<T extends Types>(
  kindField: string,
  types: T,
): AttributeType<Sent<T> | Uint8Array, Got<T> | Uint8Array> {
  const typeOf = (parent: object) => {
    const kind = (parent as Record<string, string>)[kindField] ?? "";
    return (Object.hasOwn(types, kind) ? types[kind] : bytes) as AttributeType<unknown>;
  };
  return {
    // Bytes as they came, whatever the kind: to write back what was only carried.
    encode: (writer, value, parent) =>
      (value instanceof Uint8Array ? bytes : typeOf(parent)).encode(writer, value as never, parent),
    decode: (reader, parent, only) => typeOf(parent).decode(reader, parent, only) as never,
    print: (value, parent) =>
      value instanceof Uint8Array ? bytes.print(value, parent) : typeOf(parent).print(value, parent),
    inner: (parent) => typeOf(parent).inner?.(parent),
    headerLengthOf: (parent) => typeOf(parent).headerLength ?? 0,
    kinds: types,
    sets: Object.values(types).flatMap((type) => type.sets ?? []),
    structs: Object.values(types).flatMap((type) => type.struct ?? type.structs ?? []),
  };
}

/** Elements numbered 1, 2, 3..., each a set of attributes: actions in the order in which they are done. */
export function nestedList<R extends Rows>(
  set: AttributeSet<R>,
  max: number,
): AttributeType<readonly AttributesIn<R>[], AttributesOut<R>[]> {
  const element = nested(set);
  const numbers = Array.from({ length: max }, (_, i) => i + 1);
  const rows = Object.fromEntries(numbers.map((number) => [String(number), row(String(number), number, element)]));
  // Their names are no constants of a header, so that the set is for paths only and not among `sets`.
  const positions = defineAttributes(set.name, rows);
  return {
    encode: (writer, value) => {
      if (value.length > max) throw new EncodeError(`${value.length} elements where ${max} are possible`);
      encodeAttributes(writer, positions, Object.fromEntries(value.map((one, i) => [String(i + 1), one])));
    },
    decode: (reader) => {
      const decoded = decodeAttributes(reader, positions) as Record<string, AttributesOut<R> | undefined>;
      return numbers.map((number) => decoded[String(number)]).filter((one) => one !== undefined);
    },
    print: (value) => `[${value.map((one) => printAttributes(set, one)).join(", ")}]`,
    inner: () => positions as AttributeSet<Rows>,
    sets: [set],
  };
}

/** A struct, and behind it structs of another sort up to the end, as many as fit: struct tc_u32_sel and its keys. */
export function structAndMore<F extends Fields, G extends Fields>(
  struct: Struct<F>,
  more: Struct<G>,
): AttributeType<{ head: StructIn<F>; more: readonly StructIn<G>[] }, { head: StructOut<F>; more: StructOut<G>[] }> {
  return {
    encode: (writer, { head, more: elements }) => {
      encodeStruct(writer, struct, head);
      for (const element of elements) encodeStruct(writer, more, element);
    },
    decode: (reader) => {
      if (reader.length < struct.size) throw new DecodeError(`${reader.length} bytes are no struct ${struct.name}`);
      const count = Math.floor((reader.length - struct.size) / more.size);
      return {
        head: decodeStruct(reader, struct),
        more: Array.from({ length: count }, (_, i) =>
          decodeStruct(reader.slice(struct.size + i * more.size, reader.length), more),
        ),
      };
    },
    print: ({ head, more: elements }) =>
      `{${[printStruct(struct, head), ...elements.map((one) => `{${printStruct(more, one)}}`)].join(" ")}}`,
    structs: [struct, more] as unknown as readonly Struct<Fields>[],
  };
}

/** A fixed struct as the whole payload, such as struct ifa_cacheinfo. */
export function structOf<F extends Fields>(struct: Struct<F>): AttributeType<StructIn<F>, StructOut<F>> {
  return {
    encode: (writer, value) => encodeStruct(writer, struct, value),
    decode: (reader) => {
      // The kernel only ever appends to such structs.
      if (reader.length < struct.size) throw new DecodeError(`${reader.length} bytes are no struct ${struct.name}`);
      return decodeStruct(reader, struct);
    },
    print: (value) => `{${printStruct(struct, value)}}`,
    struct,
  };
}

/** A header and attributes of its own, as VETH_INFO_PEER holds a struct ifinfomsg. */
export function messageOf<F extends Fields, R extends Rows>(
  struct: Struct<F>,
  set: AttributeSet<R>,
): AttributeType<
  { header?: StructIn<F>; attributes: AttributesIn<R> },
  { header: StructOut<F>; attributes: AttributesOut<R> }
> {
  const headerLength = align(struct.size);
  return {
    encode: (writer, { header, attributes }) => {
      encodeStruct(writer, struct, header ?? {});
      writer.pad();
      encodeAttributes(writer, set, attributes);
    },
    decode: (reader) => ({
      header: decodeStruct(reader, struct),
      attributes: decodeAttributes(reader.slice(headerLength, reader.length), set),
    }),
    print: ({ header, attributes }) =>
      `{${[printStruct(struct, header ?? {}), printAttributes(set, attributes)].filter(Boolean).join(" ")}}`,
    inner: () => set,
    headerLength,
    struct,
    sets: [set],
  };
}
