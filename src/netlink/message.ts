import {
  type AttributeSet,
  type AttributesIn,
  type AttributesOut,
  attributePath,
  decodeAttributes,
  encodeAttributes,
  printAttributes,
  type Rows,
  type Selection,
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
import { align, DecodeError, Reader, type Relocation, Writer } from "./wire.js";

/** Flags of nlmsghdr, linux/netlink.h. */
export const nlmFlags = {
  NLM_F_REQUEST: 0x1,
  NLM_F_MULTI: 0x2,
  NLM_F_ACK: 0x4,
  NLM_F_ECHO: 0x8,
  NLM_F_DUMP_INTR: 0x10,
  NLM_F_DUMP_FILTERED: 0x20,
  NLM_F_ROOT: 0x100,
  NLM_F_MATCH: 0x200,
  NLM_F_DUMP: 0x300,
  NLM_F_REPLACE: 0x100,
  NLM_F_EXCL: 0x200,
  NLM_F_CREATE: 0x400,
  NLM_F_APPEND: 0x800,
} as const;
export type NlmFlag = keyof typeof nlmFlags;

/** Size of struct nlmsghdr: length, type, flags, sequence, port id (linux/netlink.h). */
export const NLMSG_HDRLEN = 16;

/** A noun of a netlink family: its message types, fixed header and attributes. */
export interface Noun<F extends Fields, R extends Rows> {
  readonly name: string;
  readonly types: Readonly<Record<string, number>>;
  readonly header: Struct<F>;
  readonly attributes: AttributeSet<R>;
}

/** A typed request: plain data, what a plan step holds and --dry-run prints. */
export interface Message<N extends string = string, H = object, A = object> {
  readonly noun: N;
  /** Kernel name, such as RTM_NEWLINK. */
  readonly type: string;
  /** Besides NLM_F_REQUEST and NLM_F_ACK, which every request carries. */
  readonly flags?: readonly NlmFlag[];
  readonly header: H;
  readonly attributes: A;
}

export interface Encoded {
  readonly bytes: Uint8Array;
  readonly relocations: readonly Relocation[];
}

/** Encoding is synchronous and never nested: one buffer serves all messages, and each gets a copy of its own. */
const scratch = new Writer();

export function encodeMessage<F extends Fields, R extends Rows>(
  noun: Noun<F, R>,
  message: { type: string; flags?: readonly NlmFlag[] | undefined; header: StructIn<F>; attributes: AttributesIn<R> },
): Encoded {
  const writer = scratch.reset();
  writer.reserve(NLMSG_HDRLEN);
  const type = noun.types[message.type];
  if (type === undefined) throw new Error(`${noun.name} has no message ${message.type}`);
  let flags = nlmFlags.NLM_F_REQUEST | nlmFlags.NLM_F_ACK;
  for (const flag of message.flags ?? []) flags |= nlmFlags[flag];
  encodeStruct(writer, noun.header, message.header);
  writer.pad();
  encodeAttributes(writer, noun.attributes, message.attributes);
  writer.u32(0, writer.length);
  writer.u16(4, type);
  writer.u16(6, flags);
  return { bytes: writer.finish(), relocations: writer.relocations };
}

export interface Decoded<F extends Fields, R extends Rows> {
  type: string;
  header: StructOut<F>;
  attributes: AttributesOut<R>;
}

/** Splits messages lying back to back, nlmsghdr included. */
export function* splitMessages(bytes: Uint8Array): Generator<Reader> {
  const all = new Reader(bytes);
  let offset = 0;
  while (offset + NLMSG_HDRLEN <= bytes.length) {
    const length = all.u32(offset);
    if (length < NLMSG_HDRLEN || offset + length > bytes.length) {
      throw new DecodeError(`a message of ${length} bytes at offset ${offset} of ${bytes.length}`);
    }
    yield all.slice(offset, offset + length);
    offset += align(length);
  }
}

export function decodeMessage<F extends Fields, R extends Rows>(
  noun: Noun<F, R>,
  reader: Reader,
  only?: Selection,
): Decoded<F, R> {
  const number = reader.u16(4);
  const type = Object.keys(noun.types).find((name) => noun.types[name] === number);
  if (type === undefined) throw new DecodeError(`message type ${number} is none of ${noun.name}`);
  const start = NLMSG_HDRLEN + align(noun.header.size);
  if (reader.length < start) throw new DecodeError(`${type} of ${reader.length} bytes`);
  return {
    type,
    header: decodeStruct(reader.slice(NLMSG_HDRLEN, reader.length), noun.header),
    attributes: decodeAttributes(reader.slice(start, reader.length), noun.attributes, only),
  };
}

/** All messages of one noun in a reply; those of other types are left out. `only` names the fields that are wanted. */
export function decodeReplies<F extends Fields, R extends Rows>(
  noun: Noun<F, R>,
  bytes: Uint8Array,
  only?: Selection,
): Decoded<F, R>[] {
  const numbers = new Set(Object.values(noun.types));
  const decoded: Decoded<F, R>[] = [];
  for (const reader of splitMessages(bytes)) {
    if (numbers.has(reader.u16(4))) decoded.push(decodeMessage(noun, reader, only));
  }
  return decoded;
}

/** What lies at a byte offset of an encoded message, for the offset of an extended ack. */
export function pathAt<F extends Fields, R extends Rows>(
  noun: Noun<F, R>,
  bytes: Uint8Array,
  offset: number,
): string | undefined {
  const start = NLMSG_HDRLEN + align(noun.header.size);
  if (offset < NLMSG_HDRLEN || offset >= bytes.length) return undefined;
  if (offset < start) return `struct ${noun.header.name}`;
  return attributePath(new Reader(bytes.subarray(start)), noun.attributes, offset - start);
}

/** One line in the kernel's words. */
export function printMessage<F extends Fields, R extends Rows>(noun: Noun<F, R>, message: Message): string {
  const flags = message.flags?.map((f) => f.slice(6).toLowerCase()).join("|");
  const parts = [
    message.type + (flags ? ` ${flags}` : ""),
    printStruct(noun.header, message.header),
    printAttributes(noun.attributes, message.attributes),
  ];
  return parts.filter((part) => part !== "").join("  ");
}
