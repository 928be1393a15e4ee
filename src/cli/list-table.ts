import type { ListedAttachment } from "../list.js";
import { printable } from "./output.js";

const columns: readonly (readonly [string, (row: ListedAttachment) => string])[] = [
  ["GUEST", (row) => row.guest],
  ["INTERFACE", (row) => row.ifname],
  ["STATE", (row) => row.state],
  ["TO", (row) => row.to],
  ["TYPE", (row) => row.type],
  ["HOST END", (row) => row.hostIfname ?? ""],
  ["MAC", (row) => row.mac],
  ["ADDRESSES", (row) => row.addresses.join(" ")],
];

/** Attachments as aligned columns under a header; an empty cell is a dash, so that each line has all of them. */
export function listTable(rows: readonly ListedAttachment[]): string {
  const cells = [
    columns.map(([title]) => title),
    ...rows.map((row) => columns.map(([, value]) => printable(value(row)) || "-")),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  return cells
    .map(
      (line) =>
        `${line
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
