import { spawn } from "node:child_process";

/** A child that answers one JSON line on stdout to each line on stdin. */
export class LineServer {
  #child;
  #waiting = [];
  #rest = "";
  #ended = null;

  constructor(file, args, env) {
    this.#child = spawn(file, args, { env, stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout.setEncoding("utf8");
    this.#child.stdout.on("data", (text) => this.#take(text));
    this.#child.on("error", (error) => this.#fail(error));
    this.#child.on("exit", (code, signal) => this.#fail(new Error(`${file} ended (${signal ?? code})`)));
  }

  #take(text) {
    this.#rest += text;
    for (let end = this.#rest.indexOf("\n"); end >= 0; end = this.#rest.indexOf("\n")) {
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      this.#waiting.shift()?.resolve(line);
    }
  }

  #fail(error) {
    this.#ended = error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  async ask(line) {
    if (this.#ended) throw this.#ended;
    const answer = new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#child.stdin.write(`${line}\n`);
    return JSON.parse(await answer);
  }

  /** Closes its stdin and waits for its end. */
  async close() {
    if (this.#ended) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.stdin.end();
    await ended;
  }
}
