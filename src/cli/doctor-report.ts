import { styleText } from "node:util";
import type { Finding } from "../doctor/finding.js";
import { printable } from "./output.js";

const marks = { ok: ["ok", "green"], warning: ["warning", "yellow"], problem: ["problem", "red"] } as const;

/** Findings for people, one after the other, each with its remedy. */
export function doctorReport(findings: readonly Finding[], colour: boolean): string {
  const width = Math.max(...Object.values(marks).map(([mark]) => mark.length));
  return findings
    .map(({ level, what, remedy }) => {
      const [mark, tint] = marks[level];
      const padded = mark.padEnd(width);
      // Whether the stream takes colour was decided by the caller; styleText would look at stdout by itself.
      const head = colour ? styleText(tint, padded, { validateStream: false }) : padded;
      return `${head}  ${printable(what)}\n${remedy === undefined ? "" : `${" ".repeat(width)}  ${printable(remedy)}\n`}`;
    })
    .join("");
}
