import { type AttributeSet, type AttributesIn, type AttributesOut, type AttributeType, decodeAttributes, encodeAttributes, printAttributes, type Rows } from "./attribute.js";
import { decodeStruct, encodeStruct, type Fields, printStruct, type Struct, type StructIn, type StructOut } from "./struct.js";
import { align } from "./wire.js";

/** An attribute whose payload is a header and attributes of its own, as VETH_INFO_PEER holds a struct ifinfomsg. */
export function messageOf<F extends Fields, R extends Rows>(
  struct: Struct<F>,
  set: AttributeSet<R>,
): AttributeType<
  { header?: StructIn<F>; attributes: AttributesIn<R> },
  { header: StructOut<F>; attributes: AttributesOut<R> }
> {
  const headerLength = align(struct.size);
  return {
    encode: (w, v) => {
      encodeStruct(w, struct, v.header ?? {});
      w.pad();
      encodeAttributes(w, set, v.attributes);
    },
    decode: (r) => ({
      header: decodeStruct(r, struct),
      attributes: decodeAttributes(r.slice(headerLength, r.length), set),
    }),
    print: (v) => `{${[printStruct(struct, v.header ?? {}), printAttributes(set, v.attributes)].filter(Boolean).join(" ")}}`,
    inner: () => ({ set, headerLength }),
  };
}
