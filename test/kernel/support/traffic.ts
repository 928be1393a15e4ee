import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

const running = new Set<ChildProcessByStdio<Writable, Readable, null>>();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A program in a namespace, with what it says gathered; ended with the test's process at the latest. */
class Program {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #said = "";

  constructor(namespace: string, words: readonly string[]) {
    // Node 20 parses the extra certificates at every start.
    const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
    // nsenter becomes the program: a signal to the child is one to it.
    this.#child = spawn("nsenter", [`--net=/run/netns/${namespace}`, "--", ...words], {
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    running.add(this.#child);
    this.#child.on("close", () => running.delete(this.#child));
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
    });
  }

  async until(words: RegExp): Promise<void> {
    while (!words.test(this.#said)) await once(this.#child.stdout, "data");
  }

  /** Ends it by SIGINT, as ctrl-C does, and gives all that it said. */
  async stop(): Promise<string> {
    const closed = once(this.#child, "close");
    this.#child.kill("SIGINT");
    await closed;
    return this.#said;
  }
}

export interface Pinged {
  readonly sent: number;
  readonly received: number;
}

/** A ping every two milliseconds, from a namespace to an address; it has an answer when this resolves. */
export async function pinging(namespace: string, address: string): Promise<() => Promise<Pinged>> {
  const ping = new Program(namespace, ["ping", "-n", "-i", "0.002", "-W", "2", address]);
  await ping.until(/bytes from/);
  return async () => {
    const said = await ping.stop();
    const match = /(\d+) packets transmitted, (\d+) received/.exec(said);
    if (match === null) throw new Error(`ping said: ${said.slice(-400)}`);
    // The last request may have been on its way when ping was told to stop.
    return { sent: Number(match[1]), received: Number(match[2]) };
  };
}

const echoing = `
require("net").createServer((socket) => { socket.setNoDelay(true); socket.on("error", () => {}); socket.pipe(socket); })
  .listen(5000, "::", () => console.log("listening"));
`;

/** Sends a numbered line every two milliseconds and says, at its end, how many came back in order over the one connection. */
const talking = `
const socket = require("net").connect(5000, process.argv[1]);
socket.setNoDelay(true);
let sent = 0, back = 0, rest = "", wrong = "";
const say = () => { console.log("sent " + sent + " back " + back + " " + (wrong || "whole")); process.exit(0); };
socket.on("connect", () => setInterval(() => { if (!stopping) socket.write(++sent + "\\n"); else if (back === sent) say(); }, 2));
socket.on("error", (error) => { wrong = error.code; say(); });
socket.on("close", () => { wrong = wrong || "closed"; say(); });
socket.setEncoding("utf8").on("data", (text) => {
  const lines = (rest + text).split("\\n");
  rest = lines.pop();
  for (const line of lines) if (Number(line) !== ++back) { wrong = "out of order"; say(); }
  if (back === lines.length && back > 0) console.log("talking");
});
let stopping = false;
process.on("SIGINT", () => { stopping = true; });
`;

/** A TCP connection between two namespaces on which something is said all the time; `end` gives its last words. */
export async function talk(from: string, to: string, address: string): Promise<() => Promise<string>> {
  const server = new Program(to, [process.execPath, "-e", echoing]);
  await server.until(/listening/);
  const client = new Program(from, [process.execPath, "-e", talking, address]);
  await client.until(/talking/);
  return async () => {
    const said = await client.stop();
    await server.stop();
    return said.trim().split("\n").at(-1) ?? "";
  };
}
