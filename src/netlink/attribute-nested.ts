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
} from "./attribute.js";
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
