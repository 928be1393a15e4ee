/** How a listing is wanted: the options in front of the object. */
export interface ShowFlags {
  /** Each given n times counts n. */
  readonly stats?: number;
  readonly details?: number;
  readonly raw?: boolean;
  readonly json?: boolean;
  readonly pretty?: boolean;
  readonly oneline?: boolean;
  readonly iec?: boolean;
  readonly brief?: boolean;
}

export type Json = string | number | bigint | boolean | null | readonly Json[] | { readonly [key: string]: Json };

type Container = Json[] | Record<string, Json>;

/**
 * A listing in the making, as text and as data at once: what iproute2 prints with and without -json is the same things
 * in the same order, and one walk over them gives both.
 */
export class Shown {
  readonly flags: ShowFlags;
  readonly #roots: Json[] = [];
  readonly #open: Container[] = [this.#roots];
  readonly #texts: string[] = [];

  constructor(flags: ShowFlags) {
    this.flags = flags;
  }

  /** Only in the text. */
  text(text: string): void {
    this.#texts.push(text);
  }

  /** The end of a line; with -oneline a backslash. */
  newline(): void {
    this.#texts.push(this.flags.oneline === true ? "\\" : "\n");
  }

  /** Only in the data: under a key, or, in an array, without one. */
  data(key: string | null, value: Json): void {
    const into = this.#open.at(-1) as Container;
    if (Array.isArray(into)) into.push(value);
    else into[key ?? ""] = value;
  }

  /** In both. */
  put(key: string | null, value: Json, text: string): void {
    this.data(key, value);
    this.text(text);
  }

  /** What `body` puts, as an object of its own. */
  object(key: string | null, body: () => void): void {
    this.#inside(key, {}, body);
  }

  array(key: string | null, body: () => void): void {
    this.#inside(key, [], body);
  }

  #inside(key: string | null, container: Container, body: () => void): void {
    this.data(key, container);
    this.#open.push(container);
    body();
    this.#open.pop();
  }

  /** What a listing prints. */
  get output(): string {
    if (this.flags.json !== true) return this.#texts.join("");
    return `${this.flags.pretty === true ? prettyJson(this.#roots, "") : compactJson(this.#roots)}\n`;
  }

  get plainText(): string {
    return this.#texts.join("");
  }

  get plainData(): readonly Json[] {
    return this.#roots;
  }
}

/** JSON.stringify knows no integers of 64 bits. */
function compactJson(value: Json): string {
  if (typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(compactJson).join(",")}]`;
  return `{${Object.entries(value)
    .map(([key, one]) => `${JSON.stringify(key)}:${compactJson(one)}`)
    .join(",")}}`;
}

function prettyJson(value: Json, indent: string): string {
  if (value === null || typeof value !== "object" || typeof value === "bigint") return compactJson(value);
  const deeper = `${indent}    `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[ ]";
    return `[ ${value.map((one) => prettyJson(one, deeper)).join(`,`)} ]`;
  }
  const lines = Object.entries(value).map(
    ([key, one]) => `${deeper}${JSON.stringify(key)}: ${prettyJson(one, deeper)}`,
  );
  return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n${indent}}`;
}
