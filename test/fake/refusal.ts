import { errnoNumber } from "../../src/kernel/errno.js";

/** What the fake kernel answers instead of doing it: an errno, and the text of its extended ack where the real one has one. */
export class Refusal extends Error {
  readonly errno: number;
  readonly text: string | undefined;

  constructor(name: string, text?: string) {
    super(text ?? name);
    this.errno = errnoNumber(name);
    this.text = text;
  }
}
