import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AttributeSet, AttributeType, Rows } from "../../../src/netlink/attribute.js";
import { attributePath, decodeAttributes, encodeAttributes, printAttributes } from "../../../src/netlink/attribute.js";
import { bareString, bytes, cstring, ip, mac } from "../../../src/netlink/attribute-bytes.js";
import { be16, be32, flag, reference, s32, s64, u8, u16, u32, u64 } from "../../../src/netlink/attribute-integer.js";
import { decodeReplies, type Noun, splitMessages } from "../../../src/netlink/message.js";
import { nexthops } from "../../../src/netlink/nexthops.js";
import { encode, type NounName, nouns, path, print } from "../../../src/netlink/nouns.js";
import type { Fields, Struct } from "../../../src/netlink/struct.js";
import { DecodeError, Reader, Writer } from "../../../src/netlink/wire.js";
import { formatIp } from "../../../src/values/ipaddress.js";
import { formatMac } from "../../../src/values/mac.js";

const number = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const scalars = new Map<AttributeType<never, unknown>, fc.Arbitrary<unknown>>(
  (
    [
      [u8, number(8)],
      [u16, number(16)],
      [be16, number(16)],
      [u32, number(32)],
      [be32, number(32)],
      [s32, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
      [u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
      [s64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
      [reference, number(32)],
      [flag, fc.constant(true)],
      [bytes, fc.uint8Array({ maxLength: 40 })],
      [nexthops, fc.uint8Array({ maxLength: 40 })],
      [ip, fc.oneof(octets(4), octets(16)).map(formatIp)],
      [mac, fc.oneof(octets(6), octets(20)).map(formatMac)],
    ] as const
  ).map(([type, arbitrary]) => [type as unknown as AttributeType<never, unknown>, arbitrary]),
);

/** Up to 15 bytes of text without zeros, beyond ASCII too: every string of the tables holds as many. */
const text = fc
  .string({ unit: "grapheme", maxLength: 3 })
  .filter((t) => !t.includes("\0") && new TextEncoder().encode(t).length <= 15);

/** Whatever may stand in an attribute of this type, in the form that decoding gives back. */
function valueIn(type: AttributeType<unknown, unknown>, kernelName: string): fc.Arbitrary<unknown> {
  const scalar = scalars.get(type as never);
  if (scalar !== undefined) return scalar;
  // Sent nested and answered as an array: has golden bytes instead.
  if (kernelName === "IFLA_INET_CONF") return fc.constant(undefined);
  if (type.structs !== undefined) {
    const [head, more] = type.structs as [Struct<Fields>, Struct<Fields>];
    return fc.record({ head: structValue(head), more: fc.array(structValue(more), { maxLength: 3 }) });
  }
  if (type.sets === undefined) return type.struct === undefined ? text : structValue(type.struct);
  const attributes = valuesOf(type.sets[0] as AttributeSet<Rows>);
  if (type.struct !== undefined) return fc.record({ header: structValue(type.struct), attributes });
  const isList = Array.isArray(type.decode(new Reader(new Uint8Array()), {}));
  return isList ? fc.array(attributes, { maxLength: 3 }) : attributes;
}

const bits: Readonly<Record<string, number>> = { u8: 8, u16: 16, be16: 16, u32: 32, be32: 32, reference: 32 };

/** Whatever a struct may hold. */
function structValue(struct: Struct<Fields>): fc.Arbitrary<object> {
  const field = (kind: Fields[string][1]): fc.Arbitrary<unknown> => {
    if (typeof kind === "object") return structValue(kind);
    const many = /^u8\[(\d+)\]$/.exec(kind);
    if (many !== null) return fc.array(number(8), { minLength: Number(many[1]), maxLength: Number(many[1]) });
    if (kind === "s16") return fc.integer({ min: -0x8000, max: 0x7fff });
    if (kind === "s32") return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    if (kind === "u64") return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    if (kind === "s64") return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    return number(bits[kind] as number);
  };
  return fc.record(Object.fromEntries(Object.entries(struct.fields).map(([name, [, kind]]) => [name, field(kind)])));
}

function valuesOf(set: AttributeSet<Rows>): fc.Arbitrary<Record<string, unknown>> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [field, { type, kernelName, many }] of Object.entries(set.rows)) {
    // Kind and what depends on it go together, below.
    if (/^IFLA_INFO_(KIND|DATA|SLAVE_KIND|SLAVE_DATA)$/.test(kernelName)) continue;
    if (type.kinds !== undefined || kernelName.endsWith("_KIND")) continue;
    fields[field] =
      many === true ? fc.array(valueIn(type, kernelName), { minLength: 1, maxLength: 3 }) : valueIn(type, kernelName);
  }
  const known = new Set(Object.values(set.rows).map((row) => row.number));
  fields["unknown"] = fc.array(
    fc.record({
      number: fc.integer({ min: 0, max: 0x3fff }).filter((n) => !known.has(n)),
      bytes: fc.uint8Array({ maxLength: 9 }),
    }),
    { minLength: 1, maxLength: 2 },
  );
  const plain = fc
    .record(fields, { requiredKeys: [] })
    .map((values) => Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)));
  const typed = set.rows["options"]?.type.kinds;
  if (typed !== undefined) {
    const options = Object.entries(typed).map(([kind, type]) =>
      fc.record({ kind: fc.constant(kind), options: valueIn(type, kind) }),
    );
    return fc.tuple(plain, fc.oneof(...options)).map(([a, b]) => ({ ...a, ...b }));
  }
  if (set.rows["kind"]?.kernelName !== "IFLA_INFO_KIND") return plain;
  const kinds = ["veth", "bridge", "macvlan", "ipvlan", "vlan", "ipoib", "vrf"];
  const data = set.rows["data"]?.type.sets as readonly AttributeSet<Rows>[];
  const slave = set.rows["slaveData"]?.type.sets as readonly AttributeSet<Rows>[];
  const byKind = fc.oneof(
    ...data.map((inner, i) => fc.record({ kind: fc.constant(kinds[i] as string), data: valuesOf(inner) })),
  );
  const bySlaveKind = fc.record({
    slaveKind: fc.constant("bridge"),
    slaveData: valuesOf(slave[0] as AttributeSet<Rows>),
  });
  return fc.tuple(plain, byKind, bySlaveKind).map(([a, b, c]) => ({ ...a, ...b, ...c }));
}

function allSets(set: AttributeSet<Rows>, found = new Set<AttributeSet<Rows>>()): Set<AttributeSet<Rows>> {
  found.add(set);
  for (const { type, kernelName } of Object.values(set.rows)) {
    if (kernelName === "IFLA_INET_CONF") continue;
    for (const inner of type.sets ?? []) if (!found.has(inner)) allSets(inner, found);
  }
  return found;
}
const sets = new Set(
  (Object.keys(nouns) as NounName[]).flatMap((noun) => [
    ...allSets(nouns[noun].attributes as unknown as AttributeSet<Rows>),
  ]),
);

describe("every set", () => {
  test.each([...sets].map((set) => ({ name: `${set.name} (${Object.keys(set.rows).length} rows)`, set })))(
    "$name: decoding undoes encoding",
    ({ set }) => {
      fc.assert(
        fc.property(valuesOf(set), (values) => {
          const writer = new Writer();
          encodeAttributes(writer, set, values as never);
          const encoded = writer.finish();
          expect(encoded.length % 4).toBe(0);
          expect(decodeAttributes(new Reader(encoded), set)).toEqual(values);
        }),
        { numRuns: 60 },
      );
    },
  );

  test.each([...sets].map((set) => ({ name: set.name, set })))(
    "$name: of a damaged stream comes a value or a DecodeError",
    ({ set }) => {
      const damaged = fc.tuple(
        valuesOf(set),
        fc.array(fc.tuple(fc.nat(), number(8)), { minLength: 1, maxLength: 6 }),
        fc.nat(),
      );
      fc.assert(
        fc.property(damaged, ([values, changes, cut]) => {
          const writer = new Writer();
          encodeAttributes(writer, set, values as never);
          const encoded = writer.finish();
          for (const [at, byte] of changes) if (encoded.length > 0) encoded[at % encoded.length] = byte;
          const stream = encoded.subarray(0, encoded.length - (cut % (encoded.length + 1)));
          decodes(() => printAttributes(set, decodeAttributes(new Reader(stream), set)));
          attributePath(new Reader(stream), set, cut % (stream.length + 1));
        }),
        { numRuns: 80 },
      );
    },
  );
});

/** Runs a decoder: an error of any other kind than DecodeError fails the test. */
function decodes(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
}

describe.each(Object.keys(nouns) as NounName[])("a %s", (noun) => {
  const { header, attributes, types } = nouns[noun] as unknown as Noun<Fields, Rows>;
  const message = fc.record({
    noun: fc.constant(noun),
    type: fc.constantFrom(...Object.keys(types)),
    header: structValue(header),
    attributes: valuesOf(attributes),
  });

  test("comes back whole, and every byte of it has a path", () => {
    fc.assert(
      fc.property(message, fc.nat(), (one, where) => {
        const { bytes: encoded, relocations } = encode(one);
        expect(relocations).toEqual([]);
        const { noun: _, ...rest } = one;
        expect(decodeReplies(nouns[noun] as never, encoded)).toEqual([rest]);
        const offset = 16 + (where % (encoded.length - 16));
        expect(path(noun, encoded, offset)).toMatch(
          offset < 16 + header.size ? new RegExp(`^struct ${header.name}$`) : /^[A-Z][A-Z0-9_]+/,
        );
        expect(print(one).startsWith(one.type)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("of random bytes comes a value or a DecodeError", () => {
    const type = Object.values(types)[0] as number;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (random, typed) => {
        if (typed && random.length >= 16) {
          const view = new DataView(random.buffer, random.byteOffset);
          view.setUint32(0, random.length, true);
          view.setUint16(4, type, true);
        }
        decodes(() => decodeReplies(nouns[noun] as never, random));
        decodes(() => [...splitMessages(random)]);
      }),
      { numRuns: 300 },
    );
  });
});

test("strings: as many bytes as the kernel's field has, and no zero inside", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 24 }), (value) => {
      const length = new TextEncoder().encode(value).length;
      const fits = length <= 15 && !value.includes("\0");
      for (const type of [cstring(16), bareString(15)]) {
        const writer = new Writer();
        if (!fits) expect(() => type.encode(writer, value, {})).toThrow(/bytes|zero/);
        else {
          type.encode(writer, value, {});
          expect(type.decode(new Reader(writer.finish()), {})).toBe(value);
        }
      }
    }),
  );
});
