import { describe, expect, test } from "vitest";
import { Shown } from "../../../src/iproute/shown.js";
import { parseTc } from "../../../src/iproute/tc.js";
import { context, shownByTc } from "./tc-golden.js";

const names: Record<number, string> = { 1: "lo", 70: "t0", 71: "t1" };

function printed(words: string, received: string): string {
  const line = parseTc(words.split(" "), context);
  if (line.does !== "show") throw new Error(`${words} lists nothing`);
  const shown = new Shown(line.flags);
  const index = line.links[0] === undefined ? undefined : 70;
  line.print(shown, Buffer.from(received, "hex"), { ...context, linkName: (one) => names[one] }, index);
  return shown.output;
}

/**
 * tc of 6.1 prints classes as text whatever it is asked for, and the default of hfsc as text in the middle of its JSON;
 * ours are those of later versions.
 */
const hasNoJson = (words: string, text: string) =>
  /^-j .*class /.test(words) || (/^-j .*qdisc /.test(words) && text.includes('"options":{default '));

/** What tc leaves out of its JSON, and there is no reason why. */
function withoutMore(listed: { options?: Record<string, unknown> }[]): unknown {
  for (const { options } of listed) delete options?.["peakrate"];
  return listed;
}

describe(`listings print what tc of iproute2 ${shownByTc.iproute2} prints (Linux ${shownByTc.kernel})`, () => {
  const listings = shownByTc.captures.flatMap(({ lines, listings: all }) =>
    all.flatMap(({ received, shown }) =>
      shown.map((one) => ({ title: `${one.words}: ${lines.join("; ")}`, received, ...one })),
    ),
  );
  test.each(listings.filter(({ words, text }) => !hasNoJson(words, text)))("$title", ({ words, text, received }) => {
    const ours = printed(words, received);
    if (words.startsWith("-j")) expect(withoutMore(JSON.parse(ours))).toEqual(JSON.parse(text));
    else expect(ours).toBe(text);
  });

  test.each(listings.filter(({ words, text }) => hasNoJson(words, text)))("$title is JSON", ({ words, received }) => {
    const listed = JSON.parse(printed(words, received)) as { class?: string; kind?: string }[];
    for (const one of listed) expect(one.class ?? one.kind).toMatch(/^\w+$/);
  });
});
