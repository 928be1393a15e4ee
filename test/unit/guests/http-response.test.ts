import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HttpProtocolError, type HttpResponse, HttpResponseReader } from "../../../src/guests/http-response.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Feeds the pieces as a socket would; stops when the reader has enough. */
function readAll(pieces: readonly Uint8Array[], limit?: number): HttpResponse {
  const reader = new HttpResponseReader(limit);
  for (const piece of pieces) if (reader.push(piece)) break;
  return reader.finish();
}

/** The same bytes cut at the given places. */
function cut(whole: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, at) => whole.subarray(from, sorted[at] ?? whole.length));
}

describe("an HTTP answer", () => {
  it.each([
    ["until the connection ends", "HTTP/1.0 200 OK\r\nContent-Type: a\r\n\r\nhello", 200, "hello"],
    ["counted", "HTTP/1.1 200 OK\r\ncontent-LENGTH:  5\r\n\r\nhello", 200, "hello"],
    ["counted, with more behind it", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, you", 200, "hello"],
    [
      "chunked",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\n\r\n",
      200,
      "hello",
    ],
    [
      "chunked, whatever its length says",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
      200,
      "0123456789",
    ],
    ["empty", "HTTP/1.0 500 \r\n\r\n", 500, ""],
    ["without a reason", "HTTP/1.0 404\r\n\r\nx", 404, "x"],
    ["with bare line feeds", "HTTP/1.0 200 OK\nA: b\n\nhello", 200, "hello"],
    ["that has no body by definition", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""],
    ["with characters of several bytes", "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nñéß", 200, "ñéß"],
  ])("%s is read, in one piece and byte by byte", (_, text, status, body) => {
    const whole = bytes(text);
    expect(readAll([whole])).toEqual({ status, body });
    expect(readAll(Array.from(whole, (byte) => Uint8Array.of(byte)))).toEqual({ status, body });
  });

  it.each([
    ["nothing", "", /without an answer/],
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n", /not HTTP/],
    ["a TLS alert", "\x15\x03\x01\x00\x02\x02\x46", /not HTTP/],
    ["another version", "HTTP/2.0 200 OK\r\n\r\n", /not HTTP/],
    ["a status that is none", "HTTP/1.0 999 OK\r\n\r\n", /not HTTP/],
    ["half a head", "HTTP/1.0 200 OK\r\nContent-", /middle of the answer's head/],
    ["half a counted body", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhell", /middle of the answer/],
    ["half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", /middle of the answer/],
    ["no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", /middle of the answer/],
    ["a chunk without a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", /broken chunk/],
    [
      "a chunk longer than it says",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n0\r\n\r\n",
      /broken chunk/,
    ],
    ["a negative length", "HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", /length "-1"/],
    ["a compressed body", "HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", /unknown coding gzip/],
    ["a head without end", `HTTP/1.0 200 OK\r\nA: ${"b".repeat(70_000)}`, /head of more than/],
  ])("%s is refused", (_, text, message) => {
    const attempt = (): HttpResponse => readAll(text === "" ? [] : [bytes(text)]);
    expect(attempt).toThrow(HttpProtocolError);
    expect(attempt).toThrow(message);
  });

  it("is refused when it exceeds the limit", () => {
    const pieces = [bytes("HTTP/1.0 200 OK\r\n\r\n"), new Uint8Array(100)];
    expect(readAll(pieces, 119).body).toHaveLength(100);
    expect(() => readAll(pieces, 118)).toThrow(/more than 118 bytes/);
  });

  it("recognises another protocol before the connection ends", () => {
    expect(() => new HttpResponseReader().push(bytes("SSH"))).toThrow(/not HTTP/);
  });

  it("is the same however it was cut", () => {
    const framing = fc.constantFrom("close", "counted", "chunked");
    const property = fc.property(fc.string(), framing, fc.array(fc.nat()), fc.nat(20), (body, how, places, step) => {
      const raw = bytes(body);
      const head = {
        close: "",
        counted: `Content-Length: ${raw.length}\r\n`,
        chunked: "Transfer-Encoding: chunked\r\n",
      }[how];
      const parts: Uint8Array[] = [bytes(`HTTP/1.1 200 OK\r\n${head}\r\n`)];
      if (how === "chunked") {
        for (let at = 0; at < raw.length; at += step + 1) {
          const chunk = raw.subarray(at, at + step + 1);
          parts.push(bytes(`${chunk.length.toString(16)}\r\n`), chunk, bytes("\r\n"));
        }
        parts.push(bytes("0\r\n\r\n"));
      } else {
        parts.push(raw);
      }
      const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
      expect(readAll(cut(whole, places))).toEqual({ status: 200, body: new TextDecoder().decode(raw) });
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("never fails in any other way, whatever arrives", () => {
    const line = fc.constantFrom(
      "HTTP/1.",
      "HTTP/1.0 200 OK",
      "\r\n",
      "\n",
      "\r",
      "Content-Length: ",
      "Transfer-Encoding: chunked",
      "0",
      "5",
      ";",
      ":",
      "ff",
      "\0",
      "hello",
    );
    const start = fc.constantFrom("", "HTTP/1.0 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const words = fc.tuple(start, fc.array(fc.oneof(line, fc.string())));
    const noise = fc.oneof(
      fc.uint8Array(),
      words.map(([first, rest]) => bytes(first + rest.join(""))),
    );
    const property = fc.property(noise, fc.array(fc.nat()), (whole, places) => {
      let pieces: HttpResponse | string;
      let inOne: HttpResponse | string;
      try {
        inOne = readAll([whole]);
      } catch (error) {
        expect(error).toBeInstanceOf(HttpProtocolError);
        inOne = "refused";
      }
      try {
        pieces = readAll(cut(whole, places));
      } catch (error) {
        expect(error).toBeInstanceOf(HttpProtocolError);
        pieces = "refused";
      }
      expect(pieces).toEqual(inOne);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
