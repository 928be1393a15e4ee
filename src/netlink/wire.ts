/** A value not known before the plan runs: an ifindex the kernel will choose, or a descriptor the runner owns. */
export interface Slot {
  readonly slot: string;
}

export function isSlot(value: unknown): value is Slot {
  return typeof value === "object" && value !== null && "slot" in value;
}

/** Four bytes of a message that the runner fills in from a slot before sending. */
export interface Relocation {
  /** Byte offset from the start of the message. */
  readonly offset: number;
  readonly slot: string;
}

/** Received bytes that are not what their type says. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** A value that the attribute's type cannot hold; always a fault of the caller. */
export class EncodeError extends Error {
  override readonly name = "EncodeError";
}

/**
 * Netlink and its attributes are in the byte order of the machine that speaks them. Only little-endian machines have
 * been tried; on a big-endian one the golden bytes of the tests, captured on x86-64, do not apply.
 */
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** NLMSG_ALIGNTO and NLA_ALIGNTO are both 4 (linux/netlink.h). */
export function align(length: number): number {
  return (length + 3) & ~3;
}

function inRange(value: number, kind: string, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) throw new EncodeError(`${value} does not fit ${kind}`);
  return value;
}

const fromUtf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

/** A zeroed, growing buffer: padding and unset fields are zero by construction. */
export class Writer {
  #bytes = new Uint8Array(512);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  relocations: Relocation[] = [];

  /** Empties the writer for the next message; its buffer is kept, zeroed as far as it was used. */
  reset(): this {
    this.#bytes.fill(0, 0, this.#length);
    this.#length = 0;
    this.relocations = [];
    return this;
  }

  get length(): number {
    return this.#length;
  }

  /** Makes room for `size` zero bytes and returns their offset. */
  reserve(size: number): number {
    const offset = this.#length;
    const end = offset + size;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, offset));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return offset;
  }

  /** Pads to the 4-byte boundary. */
  pad(): void {
    const over = this.#length & 3;
    if (over !== 0) this.reserve(4 - over);
  }

  u8(offset: number, value: number): void {
    this.#view.setUint8(offset, inRange(value, "u8", 0, 0xff));
  }
  u16(offset: number, value: number): void {
    this.#view.setUint16(offset, inRange(value, "u16", 0, 0xffff), littleEndian);
  }
  be16(offset: number, value: number): void {
    this.#view.setUint16(offset, inRange(value, "u16", 0, 0xffff), false);
  }
  be32(offset: number, value: number): void {
    this.#view.setUint32(offset, inRange(value, "u32", 0, 0xffffffff), false);
  }
  u32(offset: number, value: number): void {
    this.#view.setUint32(offset, inRange(value, "u32", 0, 0xffffffff), littleEndian);
  }
  s32(offset: number, value: number): void {
    this.#view.setInt32(offset, inRange(value, "s32", -0x80000000, 0x7fffffff), littleEndian);
  }
  s16(offset: number, value: number): void {
    this.#view.setInt16(offset, inRange(value, "s16", -0x8000, 0x7fff), littleEndian);
  }
  s64(offset: number, value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new EncodeError(`${value} does not fit s64`);
    this.#view.setBigInt64(offset, value, littleEndian);
  }
  u64(offset: number, value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw new EncodeError(`${value} does not fit u64`);
    this.#view.setBigUint64(offset, value, littleEndian);
  }
  bytes(offset: number, value: Uint8Array): void {
    this.#bytes.set(value, offset);
  }
  /** A u32 that may be a slot. */
  reference(offset: number, value: number | Slot): void {
    if (isSlot(value)) this.relocations.push({ offset, slot: value.slot });
    else this.u32(offset, value);
  }
  /** Appends UTF-8 and returns the number of its bytes. */
  text(value: string): number {
    const start = this.reserve(value.length);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        const encoded = toUtf8.encode(value);
        this.reserve(encoded.length - value.length);
        this.bytes(start, encoded);
        return encoded.length;
      }
      this.#bytes[start + i] = code;
    }
    return value.length;
  }

  /** The bytes written, a copy of their own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/**
 * A window on received bytes; every read is checked against its end (RangeError). Windows within windows share one
 * DataView: making one for each of the fifty attributes of a link was a tenth of an attach.
 */
export class Reader {
  readonly #whole: Uint8Array;
  readonly #view: DataView;
  readonly #start: number;
  readonly length: number;

  constructor(bytes: Uint8Array, view?: DataView, start = 0, end = bytes.length) {
    this.#whole = bytes;
    this.#view = view ?? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = start;
    this.length = end - start;
  }

  /** The bytes of the window, not copied. */
  get bytes(): Uint8Array {
    return this.#whole.subarray(this.#start, this.#start + this.length);
  }
  #at(offset: number, size: number): number {
    if (offset < 0 || offset + size > this.length)
      throw new RangeError(`${size} bytes at offset ${offset} of ${this.length}`);
    return this.#start + offset;
  }
  u8(offset: number): number {
    return this.#view.getUint8(this.#at(offset, 1));
  }
  u16(offset: number): number {
    return this.#view.getUint16(this.#at(offset, 2), littleEndian);
  }
  be16(offset: number): number {
    return this.#view.getUint16(this.#at(offset, 2), false);
  }
  be32(offset: number): number {
    return this.#view.getUint32(this.#at(offset, 4), false);
  }
  u32(offset: number): number {
    return this.#view.getUint32(this.#at(offset, 4), littleEndian);
  }
  s32(offset: number): number {
    return this.#view.getInt32(this.#at(offset, 4), littleEndian);
  }
  s16(offset: number): number {
    return this.#view.getInt16(this.#at(offset, 2), littleEndian);
  }
  s64(offset: number): bigint {
    return this.#view.getBigInt64(this.#at(offset, 8), littleEndian);
  }
  u64(offset: number): bigint {
    return this.#view.getBigUint64(this.#at(offset, 8), littleEndian);
  }
  /** UTF-8 up to the first zero byte or the end. */
  text(): string {
    let text = "";
    // Names are short and ASCII: a loop is several times quicker than a TextDecoder, which is for the others.
    for (let i = 0; i < this.length; i++) {
      const byte = this.#view.getUint8(this.#start + i);
      if (byte === 0) return text;
      if (byte > 0x7f) {
        const { bytes } = this;
        const zero = bytes.indexOf(0);
        return fromUtf8.decode(zero < 0 ? bytes : bytes.subarray(0, zero));
      }
      text += String.fromCharCode(byte);
    }
    return text;
  }
  slice(start: number, end: number): Reader {
    if (start < 0 || start > end || end > this.length)
      throw new RangeError(`bytes ${start} to ${end} of ${this.length}`);
    return new Reader(this.#whole, this.#view, this.#start + start, this.#start + end);
  }
}
