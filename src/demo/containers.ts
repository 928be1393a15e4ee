import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { PipeworkError } from "../values/error.js";

/** A statically linked busybox is all that a container needs that only has to stay alive. */
const BUSYBOX = "/bin/busybox";
const IMAGE = "pipework-demo";

/** A ustar archive with one executable file. */
export function tarOf(name: string, content: Uint8Array): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000755\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        0", 148);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 0`, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}

/** Two throw-away containers of a local engine, made of nothing but the host's busybox. */
export class DemoContainers {
  readonly #socket: string;
  readonly names: string[] = [];
  #image = false;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Starts `names`; undefined when this machine has no busybox to make an image of, or no engine on a unix socket. */
  static async start(socket: string, names: readonly string[]): Promise<DemoContainers | undefined> {
    if (!existsSync(socket) || !existsSync(BUSYBOX)) return undefined;
    const containers = new DemoContainers(socket);
    try {
      await containers.#call("POST", `/images/create?fromSrc=-&repo=${IMAGE}`, tarOf("busybox", readFileSync(BUSYBOX)));
      containers.#image = true;
      for (const name of names) {
        await containers.#call("POST", `/containers/create?name=${name}`, {
          Image: IMAGE,
          Cmd: ["/busybox", "sleep", "600"],
          HostConfig: { NetworkMode: "none" },
        });
        containers.names.push(name);
        await containers.#call("POST", `/containers/${name}/start`);
      }
      return containers;
    } catch (error) {
      await containers.remove();
      throw error;
    }
  }

  async remove(): Promise<void> {
    for (const name of this.names.splice(0)) await this.#call("DELETE", `/containers/${name}?force=1`).catch(() => {});
    if (this.#image) await this.#call("DELETE", `/images/${IMAGE}`).catch(() => {});
    this.#image = false;
  }

  #call(method: string, path: string, body?: Buffer | object): Promise<void> {
    const payload = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const type = Buffer.isBuffer(body) ? "application/x-tar" : "application/json";
    const headers = payload === undefined ? {} : { "content-type": type, "content-length": payload.length };
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#socket, method, path, headers, timeout: 30_000 }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          if ((answer.statusCode ?? 500) < 400) return resolve();
          const said = Buffer.concat(chunks).toString("utf8").trim();
          reject(
            new PipeworkError({
              code: "engine-unreachable",
              message: `the engine at ${this.#socket} refused ${method} ${path}: ${said}`,
            }),
          );
        });
      });
      call.on("timeout", () => call.destroy(new Error("no answer within 30 s")));
      call.on("error", reject);
      call.end(payload);
    });
  }
}
