import type { Json, JsonFields } from "./json.js";

/** One object as `ip` shows it, in both of its forms at once: words, and fields. */
export class Printout {
  #text = "";
  readonly #fields: [string, Json][] = [];

  get text(): string {
    return this.#text;
  }

  get json(): JsonFields {
    return { fields: this.#fields };
  }

  /** A field of that name, and how it reads in words. */
  put(name: string, value: Json, text: string): void {
    this.#fields.push([name, value]);
    this.#text += text;
  }

  /** In the text only. */
  say(text: string): void {
    this.#text += text;
  }

  /** Among the fields only. */
  field(name: string, value: Json): void {
    this.#fields.push([name, value]);
  }
}
