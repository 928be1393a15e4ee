import { Pipework } from "../pipework.js";
import type { CommandPort } from "./command-port.js";
import { ownLinks } from "./own-namespace.js";
import { writeAll } from "./standard-stream.js";

/** Set when the command is bundled. */
declare const PIPEWORK_VERSION: string;

function takesColour({ NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  return process.stdout.isTTY === true && (NO_COLOR === undefined || NO_COLOR === "") && TERM !== "dumb";
}

/** The machine itself. What the attach path does not need is loaded when it is used. */
export const systemPort: CommandPort = {
  ...ownLinks,
  version: PIPEWORK_VERSION,
  out: (text) => writeAll(1, text),
  err: (text) => writeAll(2, text),
  colour: () => takesColour(process.env),
  open: () => new Pipework({ oneShot: true }),
  waitHere: async (request) => (await import("./wait-here.js")).waitHere(request),
  demo: async (print) => (await import("../demo/demo.js")).demo(print),
  renderPlan: async (plan) => (await import("../plan/render.js")).renderPlan(plan),
  onSignal: (handler) => {
    process.on("SIGINT", () => handler("SIGINT"));
    process.on("SIGTERM", () => handler("SIGTERM"));
  },
};
