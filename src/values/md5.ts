/** Rotation amounts and sine table of RFC 1321, 3.4. */
const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const sines = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));

const utf8 = new TextEncoder();

/** The message, a 1 bit, zeros, and the length in bits as 64-bit little-endian (RFC 1321, 3.1 and 3.2). */
function padded(message: Uint8Array): DataView {
  const blocks = new Uint8Array(((message.length + 8) >> 6) * 64 + 64);
  blocks.set(message);
  blocks[message.length] = 0x80;
  const view = new DataView(blocks.buffer);
  view.setUint32(blocks.length - 8, (message.length << 3) >>> 0, true);
  view.setUint32(blocks.length - 4, Math.floor(message.length / 2 ** 29), true);
  return view;
}

/**
 * MD5 in lower-case hex (RFC 1321); text is hashed as UTF-8. For names and MACs that must come out as the shell script
 * made them, never for security. Written here because node:crypto costs the one-shot command a millisecond of start-up.
 */
export function md5(message: string | Uint8Array): string {
  const view = padded(typeof message === "string" ? utf8.encode(message) : message);
  let a0 = 0x67452301;
  let b0 = 0xefcdab89 | 0;
  let c0 = 0x98badcfe | 0;
  let d0 = 0x10325476;
  for (let block = 0; block < view.byteLength; block += 64) {
    let [a, b, c, d] = [a0, b0, c0, d0];
    for (let i = 0; i < 64; i++) {
      let f: number;
      let word: number;
      if (i < 16) {
        f = (b & c) | (~b & d);
        word = i;
      } else if (i < 32) {
        f = (d & b) | (~d & c);
        word = (5 * i + 1) & 15;
      } else if (i < 48) {
        f = b ^ c ^ d;
        word = (3 * i + 5) & 15;
      } else {
        f = c ^ (b | ~d);
        word = (7 * i) & 15;
      }
      const sum = (a + f + (sines[i] as number) + view.getInt32(block + word * 4, true)) | 0;
      const shift = shifts[((i >> 4) << 2) | (i & 3)] as number;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    }
    a0 = (a0 + a) | 0;
    b0 = (b0 + b) | 0;
    c0 = (c0 + c) | 0;
    d0 = (d0 + d) | 0;
  }
  const digest = new DataView(new ArrayBuffer(16));
  [a0, b0, c0, d0].forEach((word, i) => {
    digest.setInt32(i * 4, word, true);
  });
  return Array.from(new Uint8Array(digest.buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
