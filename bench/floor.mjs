import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { LineServer } from "./line-server.mjs";

/** Compiles one of the programs under bench/floor; the path of the result. */
export function compile(name, scratch) {
  const source = join(import.meta.dirname, "floor", `${name}.c`);
  const program = join(scratch, name);
  try {
    execFileSync("cc", ["-O2", "-Wall", "-Wextra", "-pthread", "-o", program, source], { stdio: "inherit" });
  } catch (cause) {
    throw new Error("the C floor of the benchmark cannot be compiled; it needs a C compiler (apt-get install gcc)", {
      cause,
    });
  }
  return program;
}

/** The C program of bench/floor/attach-floor.c, one request at a time. Times are microseconds. */
export class Floor {
  #server;

  constructor(program, env) {
    this.#server = new LineServer(program, ["serve"], env);
  }

  async #ask(line) {
    const answer = await this.#server.ask(line);
    if (answer.error) throw new Error(`floor: ${answer.error} (asked: ${line})`);
    return answer;
  }

  /** The fields of the request are those of the library's, plus the guest's namespace path. */
  async attach({ path, to, hostIfname, ifname, mac, mtu, address, gateway, announce }) {
    const words = [
      path,
      to,
      hostIfname,
      ifname,
      mac,
      mtu,
      address,
      gateway,
      "pipework:floor",
      ...(announce ? ["announce"] : []),
    ];
    return (await this.#ask(`attach ${words.join(" ")}`)).us;
  }

  /** Until the kernel's notice that the link is gone, and until the ack of the request. */
  async detach(hostIfname) {
    const { noticeUs, ackUs } = await this.#ask(`detach ${hostIfname}`);
    return { noticeUs, ackUs };
  }

  close() {
    return this.#server.close();
  }
}

/** Runs programs one after another and times each; see bench/floor/spawn-timer.c. */
export class SpawnTimer {
  #server;

  constructor(program, env) {
    this.#server = new LineServer(program, [], env);
  }

  /** Microseconds from start to end. Throws when the program fails. */
  async run(...words) {
    const { us, status } = await this.#server.ask(words.join("\x1f"));
    if (status !== 0) throw new Error(`exit status ${status}: ${words.join(" ")}`);
    return us;
  }

  close() {
    return this.#server.close();
  }
}
