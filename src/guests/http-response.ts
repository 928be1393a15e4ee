/** One answer of an HTTP server. */
export interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

/** Raised for bytes that are no HTTP answer, or only a part of one. */
export class HttpProtocolError extends Error {
  override readonly name = "HttpProtocolError";
}

const HEAD_LIMIT = 64 * 1024;

/**
 * Reads one answer to an HTTP/1.0 request from the pieces a socket delivers. An engine answers HTTP/1.0 without chunks and
 * closes; a proxy in front of it may count the body or chunk it all the same, so all three framings of RFC 9112 section 6.3
 * are understood.
 */
export class HttpResponseReader {
  #pieces: Uint8Array[] = [];
  #length = 0;
  #head: { status: number; bodyAt: number; framing: "close" | "chunked" | number } | null = null;

  /** `limit`: bytes of one whole answer, against an endless one. */
  constructor(private readonly limit = 64 * 1024 * 1024) {}

  /** Takes the next bytes; true once the answer is complete, so that a server which keeps the connection need not be awaited. */
  push(piece: Uint8Array): boolean {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#length > this.limit) throw new HttpProtocolError(`answered with more than ${this.limit} bytes`);
    this.#head ??= this.#readHead();
    if (this.#head === null) return false;
    const { bodyAt, framing } = this.#head;
    if (framing === "close") return false;
    // The last chunk ends in a line feed: looking only then keeps a long answer in small pieces from being joined each time.
    if (framing === "chunked") return piece.at(-1) === 10 && unchunk(this.#bytes().subarray(bodyAt)) !== null;
    return this.#length >= bodyAt + framing;
  }

  /** The answer, after `push` returned true or the server closed the connection. */
  finish(): HttpResponse {
    if (this.#length === 0) throw new HttpProtocolError("closed the connection without an answer");
    if (this.#head === null) throw new HttpProtocolError("closed the connection in the middle of the answer's head");
    const { status, bodyAt, framing } = this.#head;
    let body: Uint8Array | null = this.#bytes().subarray(bodyAt);
    if (framing === "chunked") body = unchunk(body);
    else if (framing !== "close") body = body.length < framing ? null : body.subarray(0, framing);
    if (body === null) throw new HttpProtocolError("closed the connection in the middle of the answer");
    return { status, body: new TextDecoder().decode(body) };
  }

  #bytes(): Uint8Array {
    const first = this.#pieces[0];
    if (this.#pieces.length === 1 && first !== undefined) return first;
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [all];
    return all;
  }

  #readHead(): { status: number; bodyAt: number; framing: "close" | "chunked" | number } | null {
    const bytes = this.#bytes();
    // Noticed at once: a server of another protocol may neither send a blank line nor ever close.
    if (!couldBeHttp(bytes)) throw new HttpProtocolError("answered with something that is not HTTP");
    const end = endOfHead(bytes);
    if (end === null) {
      if (bytes.length > HEAD_LIMIT)
        throw new HttpProtocolError(`answered with a head of more than ${HEAD_LIMIT} bytes`);
      return null;
    }
    const [first = "", ...fields] = latin1(bytes.subarray(0, end)).split(/\r?\n/);
    const status = /^HTTP\/1\.[0-9] ([1-5][0-9]{2})(?: |$)/.exec(first)?.[1];
    if (status === undefined) throw new HttpProtocolError("answered with something that is not HTTP");
    return { status: Number(status), bodyAt: end, framing: framingOf(Number(status), fields) };
  }
}

function couldBeHttp(bytes: Uint8Array): boolean {
  return "HTTP/1.".startsWith(latin1(bytes.subarray(0, 7)));
}

/** Index behind the first blank line. */
function endOfHead(bytes: Uint8Array): number | null {
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return at + 3;
  }
  return null;
}

function framingOf(status: number, fields: readonly string[]): "close" | "chunked" | number {
  if (status === 204 || status === 304) return 0;
  let framing: "close" | number = "close";
  for (const field of fields) {
    const colon = field.indexOf(":");
    const name = field.slice(0, colon).trim().toLowerCase();
    const value = field.slice(colon + 1).trim();
    // RFC 9112 section 6.3: chunks beat a length; any other coding (compression) was not asked for.
    if (name === "transfer-encoding") {
      if (value.toLowerCase() !== "chunked") throw new HttpProtocolError(`answered in the unknown coding ${value}`);
      return "chunked";
    }
    if (name === "content-length") {
      if (!/^[0-9]{1,15}$/.test(value))
        throw new HttpProtocolError(`answered with the length ${JSON.stringify(value)}`);
      framing = Number(value);
    }
  }
  return framing;
}

/** The body without its chunk sizes (RFC 9112 section 7.1); null when more is to come. */
function unchunk(bytes: Uint8Array): Uint8Array | null {
  const parts: Uint8Array[] = [];
  let at = 0;
  let total = 0;
  for (;;) {
    const eol = bytes.indexOf(10, at);
    if (eol === -1) {
      if (bytes.length - at > 1024) throw new HttpProtocolError("answered with a broken chunk");
      return null;
    }
    const size = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?\r?$/i.exec(latin1(bytes.subarray(at, eol)))?.[1];
    if (size === undefined) throw new HttpProtocolError("answered with a broken chunk");
    const length = Number.parseInt(size, 16);
    at = eol + 1;
    if (length === 0) break;
    if (bytes.length < at + length + 1) return null;
    parts.push(bytes.subarray(at, at + length));
    total += length;
    at += length;
    if (bytes[at] === 13) at++;
    if (at >= bytes.length) return null;
    if (bytes[at] !== 10) throw new HttpProtocolError("answered with a broken chunk");
    at++;
  }
  const body = new Uint8Array(total);
  let to = 0;
  for (const part of parts) {
    body.set(part, to);
    to += part.length;
  }
  return body;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
