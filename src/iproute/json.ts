/** JSON whose fields keep their order and may come twice, as iproute2's do. */
export type Json = string | number | bigint | boolean | null | JsonList | JsonFields;
export interface JsonList {
  readonly list: readonly Json[];
}
export interface JsonFields {
  readonly fields: readonly (readonly [name: string, value: Json])[];
}

function isList(value: Json): value is JsonList {
  return typeof value === "object" && value !== null && "list" in value;
}

function scalar(value: string | number | bigint | boolean | null): string {
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

/** In one line, as `ip -j` has it. */
function compact(value: Json): string {
  if (typeof value !== "object" || value === null) return scalar(value);
  if (isList(value)) return `[${value.list.map(compact).join(",")}]`;
  return `{${value.fields.map(([name, one]) => `${JSON.stringify(name)}:${compact(one)}`).join(",")}}`;
}

/** With line breaks, as `ip -j -p` has it. */
function pretty(value: Json, depth: number): string {
  if (typeof value !== "object" || value === null) return scalar(value);
  if (isList(value)) {
    return value.list.length === 0 ? "[ ]" : `[ ${value.list.map((one) => pretty(one, depth + 1)).join(",")} ]`;
  }
  const indent = "    ".repeat(depth);
  const fields = value.fields.map(([name, one]) => `\n${indent}    ${JSON.stringify(name)}: ${pretty(one, depth + 1)}`);
  return `{${fields.join(",")}\n${indent}}`;
}

/** A list of objects with its newline, as iproute2 prints it. */
export function jsonText(objects: readonly JsonFields[], { pretty: broken }: { readonly pretty: boolean }): string {
  return `${broken ? pretty({ list: objects }, 0) : compact({ list: objects })}\n`;
}

/** The same as plain data, which JSON.parse would make of it: of a name that comes twice, the last. */
export function plainData(value: Json): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.list.map(plainData);
  return Object.fromEntries(value.fields.map(([name, one]) => [name, plainData(one)]));
}
