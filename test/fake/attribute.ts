import { Reader, Writer } from "../../src/netlink/wire.js";

const NLA_TYPE_MASK = 0x3fff;

/** The payload of the attribute at a path of numbers, read the way the addon does: by length and type alone. */
export function attributeAt(bytes: Uint8Array, start: number, path: readonly number[]): Uint8Array | undefined {
  const [number, ...rest] = path;
  const reader = new Reader(bytes);
  for (let at = start; at + 4 <= bytes.length; ) {
    const length = reader.u16(at);
    if (length < 4 || at + length > bytes.length) return undefined;
    if ((reader.u16(at + 2) & NLA_TYPE_MASK) === number) {
      const payload = bytes.subarray(at + 4, at + length);
      return rest.length === 0 ? payload : attributeAt(payload, 0, rest);
    }
    at += (length + 3) & ~3;
  }
  return undefined;
}

/** One attribute as bytes, padded. */
export function attribute(number: number, payload: Uint8Array): Uint8Array {
  const writer = new Writer();
  const at = writer.reserve(4 + payload.length);
  writer.u16(at, 4 + payload.length);
  writer.u16(at + 2, number);
  writer.bytes(at + 4, payload);
  writer.pad();
  return writer.finish();
}

export function joined(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
