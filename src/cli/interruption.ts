import type { CommandPort, SignalName } from "./command-port.js";

/** Exit codes as shells count them: 128 and the signal's number. */
const exitCodes: Readonly<Record<SignalName, number>> = { SIGINT: 130, SIGTERM: 143 };

/**
 * SIGINT and SIGTERM while a command runs. They abort what has not begun; a plan under way runs to its end or is
 * undone, so a second signal changes nothing and the process ends only after the command has settled.
 */
export class Interruption {
  readonly #controller = new AbortController();
  #received: SignalName | undefined;

  constructor(port: Pick<CommandPort, "onSignal">) {
    port.onSignal((name) => {
      this.#received ??= name;
      this.#controller.abort(new Error(`received ${name}`));
    });
  }

  /** For requests. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get received(): SignalName | undefined {
    return this.#received;
  }

  /** What the process ends with, given what the command came to. */
  exitCode(ofCommand: number): number {
    return this.#received === undefined ? ofCommand : exitCodes[this.#received];
  }
}
