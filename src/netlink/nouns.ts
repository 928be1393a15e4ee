import { address } from "./address.js";
import type { AttributeSet, AttributesIn, Row, Rows } from "./attribute.js";
import { bridgeVlan } from "./bridge-vlan.js";
import { link } from "./link.js";
import { type Encoded, encodeMessage, type Message, type Noun, pathAt, printMessage } from "./message.js";
import { neighbour } from "./neighbour.js";
import { nftChain } from "./nft-chain.js";
import { qdisc, tclass } from "./qdisc.js";
import { route } from "./route.js";
import { rule } from "./rule.js";
import type { Fields, StructIn } from "./struct.js";
import { align, Writer } from "./wire.js";

/** Every noun that messages may name. */
export const nouns = { link, bridgeVlan, address, route, rule, neighbour, nftChain, qdisc, class: tclass } as const;
export type NounName = keyof typeof nouns;

/** A message whose header and attributes are those of its noun. */
export type MessageOf<N extends NounName> = Message<
  N,
  StructIn<(typeof nouns)[N]["header"]["fields"]>,
  AttributesIn<(typeof nouns)[N]["attributes"]["rows"]>
> & { readonly type: keyof (typeof nouns)[N]["types"] };
export type AnyMessage = { [N in NounName]: MessageOf<N> }[NounName];

type AnyNoun = Noun<Fields, Rows>;

function nounOf(name: string): AnyNoun {
  if (!Object.hasOwn(nouns, name))
    throw new Error(`there is no noun "${name}"; known are ${Object.keys(nouns).join(", ")}`);
  return nouns[name as NounName] as unknown as AnyNoun;
}

/** Bytes to send, and where ifindexes are still to be filled in. Throws EncodeError for a value that does not fit. */
export function encode(message: Message): Encoded {
  return encodeMessage(nounOf(message.noun), message as Message<string, StructIn<Fields>, AttributesIn<Rows>>);
}

/** One line in the kernel's words. */
export function print(message: Message): string {
  return printMessage(nounOf(message.noun), message);
}

/** Kernel names of what lies at a byte offset of an encoded message, as extended acks tell it. */
export function path(noun: string, bytes: Uint8Array, offset: number): string | undefined {
  return pathAt(nounOf(noun), bytes, offset);
}

/** Bytes between nlmsghdr and the first attribute. */
export function headerLength(noun: string): number {
  return align(nounOf(noun).header.size);
}

/** The rows along a path of kernel names; all kinds of link are tried where the kind decides what is inside. */
function rowsAlong(noun: string, names: readonly string[]): Row<unknown, unknown>[] {
  const known = paths.get(names);
  if (known !== undefined && known.noun === noun) return known.rows;
  const rows = searchRows(noun, names);
  paths.set(names, { noun, rows });
  return rows;
}

// The paths that plans name are constants, and every plan names them again.
const paths = new WeakMap<readonly string[], { noun: string; rows: Row<unknown, unknown>[] }>();

function searchRows(noun: string, names: readonly string[]): Row<unknown, unknown>[] {
  let sets: readonly AttributeSet<Rows>[] = [nounOf(noun).attributes];
  return names.map((name, depth) => {
    const found = sets.flatMap((set) => Object.values(set.rows)).find((row) => row.kernelName === name);
    if (found === undefined) throw new Error(`${noun} has no attribute ${names.slice(0, depth + 1).join(".")}`);
    if (depth < names.length - 1 && (found.type.headerLength ?? 0) > 0) {
      throw new Error(`${name} has a struct in front of its attributes, so that no path leads through it`);
    }
    sets = found.type.sets ?? [];
    return found;
  });
}

/** The numbers of a path of kernel names, such as IFLA_LINKINFO, IFLA_INFO_SLAVE_DATA, IFLA_BRPORT_STATE. */
export function attributeNumbers(noun: string, names: readonly string[]): number[] {
  return rowsAlong(noun, names).map(({ number }) => number);
}

/** As for messages: encoding is synchronous, and what is finished is a copy. */
const scratch = new Writer();

/** The payload of the attribute at the path as the kernel writes it in replies, to compare with. */
export function encodeAttributeValue(noun: string, names: readonly string[], value: number | string): Uint8Array {
  const last = rowsAlong(noun, names).at(-1);
  if (last === undefined) throw new Error("a path needs at least one attribute");
  const writer = scratch.reset();
  if (last.type.encodeReply !== undefined) last.type.encodeReply(writer, value);
  else last.type.encode(writer, value, {});
  return writer.finish();
}
