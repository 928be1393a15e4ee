import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseUnsigned, unsigned } from "../../../src/iproute/number.js";
import { vocabulary } from "../../../src/iproute/vocabulary.js";
import { splitLine, Words } from "../../../src/iproute/words.js";
import { PipeworkError } from "../../../src/values/error.js";

const known = vocabulary({
  mtu: "mtu",
  dev: ["dev", "oif"],
  advmss: "advmss*",
  metric: ["metric*", "priority*"],
  proto: "protocol*",
});

describe("vocabulary", () => {
  test.each([
    ["mtu", "mtu"],
    ["mt", undefined],
    ["oif", "dev"],
    ["adv", "advmss"],
    ["met", "metric"],
    // The first of those that fit.
    ["pr", "metric"],
    ["pro", "proto"],
    ["metrics", undefined],
    ["", undefined],
  ])("%s is %s", (text, meaning) => {
    expect(known.find(text)).toBe(meaning);
  });
});

function refusal(work: () => unknown): PipeworkError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(PipeworkError);
    return error as PipeworkError;
  }
  throw new Error("nothing was refused");
}

describe("Words", () => {
  test("reads from left to right", () => {
    const words = new Words(["dev", "eth0", "met", "5", "x"]);
    expect(words.keyword(known)).toBe("dev");
    expect(words.argument("an interface")).toEqual({ text: "eth0", at: 2 });
    expect(words.keyword(known)).toBe("metric");
    expect(unsigned(words, words.argument("a number"), "a metric")).toBe(5);
    expect(words.keyword(known)).toBeUndefined();
    expect(words.literal("y")).toBe(false);
    expect(words.literal("x")).toBe(true);
    expect(words.done).toBe(true);
    words.end();
  });

  test("says which word of which line it was, and what was probably meant", () => {
    const words = new Words(["mteric"], { first: 4, line: 2 });
    const word = words.argument("a word");
    const { message, hint, code } = refusal(() => {
      throw words.unknown(word, known.spellings, "is no word of ip route");
    });
    expect(code).toBe("invalid-request");
    expect(message).toBe('line 2, word 4, "mteric": is no word of ip route');
    expect(hint).toBe("did you mean metric?");
  });

  test("what is missing is named with the word before it", () => {
    const words = new Words(["dev"]);
    words.keyword(known);
    expect(refusal(() => words.argument("an interface")).message).toBe(
      'word 1, "dev": an interface is missing behind it',
    );
  });

  test("a word too many", () => {
    expect(refusal(() => new Words(["x"]).end()).message).toBe('word 1, "x": one word too many');
  });
});

describe("numbers", () => {
  test.each([
    ["10", 10n],
    ["0x1F", 31n],
    ["017", 15n],
    ["0", 0n],
    ["+7", 7n],
    ["09", undefined],
    ["-1", undefined],
    ["1k", undefined],
    ["", undefined],
    ["0x", undefined],
  ])("%s", (text, value) => {
    expect(parseUnsigned(text)).toBe(value);
  });

  test("what is too great is refused with the greatest", () => {
    const words = new Words(["4294967296"]);
    expect(refusal(() => unsigned(words, words.argument("a number"), "a table")).message).toContain("4294967295");
  });
});

describe("splitLine", () => {
  test.each([
    ["add 10.0.0.0/8  via 1.2.3.4", ["add", "10.0.0.0/8", "via", "1.2.3.4"]],
    ["  a\t'b c' \"d\"  # e", ["a", "b c", "d"]],
    ["a#b", ["a#b"]],
    ["", []],
    ["# only a comment", []],
    ["a ''", ["a", ""]],
  ])("%j", (text, words) => {
    expect(splitLine(text)).toEqual(words);
  });

  test("a quote that is not closed is refused", () => {
    expect(refusal(() => splitLine("a 'b")).code).toBe("invalid-request");
  });

  test("never throws anything but a refusal, and words without blanks come back", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          splitLine(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PipeworkError);
        }
      }),
    );
    const plain = fc.stringMatching(/^[a-z0-9./:-]+$/);
    fc.assert(
      fc.property(fc.array(plain), (words) => {
        expect(splitLine(words.join(" "))).toEqual(words);
      }),
    );
  });
});
