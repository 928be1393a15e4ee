import { execFile } from "node:child_process";
import { PipeworkError } from "../../src/values/error.js";
import { run, type World } from "../kernel/support/world.js";

/** How a line ended: done, refused for its words before the kernel was asked, or refused by the kernel. */
export type Ending = "done" | "words" | "kernel";

export interface Outcome {
  readonly ending: Ending;
  /** What it wrote on its standard output. */
  readonly output: string;
  /** Of a refusal by the kernel: its text, and where we say it the errno's name. */
  readonly reasons: readonly string[];
  /** For the reader of a failed test. */
  readonly said: string;
}

/** Names of what strerror(3) says in `RTNETLINK answers:`. */
const errnoNames: Readonly<Record<string, string>> = {
  "File exists": "EEXIST",
  "No such process": "ESRCH",
  "No such file or directory": "ENOENT",
  "Invalid argument": "EINVAL",
  "Network is unreachable": "ENETUNREACH",
  "No route to host": "EHOSTUNREACH",
  "Network is down": "ENETDOWN",
  "No such device": "ENODEV",
  "Operation not supported": "EOPNOTSUPP",
  "Numerical result out of range": "ERANGE",
  "Operation not permitted": "EPERM",
  "Permission denied": "EACCES",
  "Device or resource busy": "EBUSY",
  "Invalid cross-device link": "EXDEV",
  "Address family not supported by protocol": "EAFNOSUPPORT",
  "Cannot assign requested address": "EADDRNOTAVAIL",
};

function withoutStop(text: string): string {
  return text.trim().replace(/\.$/, "");
}

/** Runs a program of iproute2; its exit status 2 is the kernel's refusal. */
export function iproute2(program: string, words: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, words as string[], { env: { ...process.env, LC_ALL: "C" } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 255;
      const answer = /RTNETLINK answers: (.*)/.exec(stderr)?.[1];
      const extended = /^Error: (.*)/m.exec(stderr)?.[1];
      const reason = answer === undefined ? withoutStop(extended ?? "") : (errnoNames[answer] ?? answer);
      const ending = code === 0 ? "done" : code === 2 ? "kernel" : "words";
      const said = stderr.split("\n")[0] ?? "";
      resolve({ ending, output: stdout, reasons: ending === "kernel" ? [reason] : [], said });
    });
  });
}

/** The same for words run by us. */
export async function pipework(run: () => Promise<{ output: string }>): Promise<Outcome> {
  try {
    const { output } = await run();
    return { ending: "done", output, reasons: [], said: "" };
  } catch (error) {
    if (!(error instanceof PipeworkError)) throw error;
    const said = error.message;
    if (error.code !== "kernel-refused") return { ending: "words", output: "", reasons: [], said };
    return {
      ending: "kernel",
      output: "",
      reasons: [withoutStop(error.kernelText ?? ""), error.errnoName ?? ""],
      said,
    };
  }
}

/** Whether both ended alike, and where the kernel refused, for the same reason. */
export function sameEnding(ours: Outcome, theirs: Outcome): boolean {
  if (ours.ending !== theirs.ending) return false;
  return ours.ending !== "kernel" || theirs.reasons.every((reason) => ours.reasons.includes(reason));
}

/** Whether every link that is up has a carrier, and the routes that IPv6 makes for it then. */
function settled(namespace: string): boolean {
  const links = JSON.parse(run("ip", ["-n", namespace, "-j", "link"])) as { ifname: string; flags: string[] }[];
  const routes = run("ip", ["-n", namespace, "-6", "route", "show", "table", "all", "ff00::/8"]);
  return links.every(
    ({ ifname, flags }) =>
      ifname === "lo" || !flags.includes("UP") || (flags.includes("LOWER_UP") && routes.includes(` ${ifname} `)),
  );
}

/** Two namespaces set up the same: one for us, one for iproute2. */
export class Twins {
  private constructor(
    readonly ours: string,
    readonly theirs: string,
  ) {}

  /** @param setup lines of `ip -batch`, those of IPv6 with -6 in front */
  static async make(world: World, setup: readonly string[]): Promise<Twins> {
    const twins = new Twins(world.guest(), world.guest());
    for (const namespace of [twins.ours, twins.theirs]) {
      world.ip(namespace, ...setup.filter((line) => !line.startsWith("-6 ")));
      const inet6 = setup.filter((line) => line.startsWith("-6 ")).map((line) => line.slice(3));
      if (inet6.length > 0) run("ip", ["-6", "-n", namespace, "-batch", "-"], `${inet6.join("\n")}\n`);
    }
    // Carriers are told of once a second at most (net/core/link_watch.c).
    for (let tries = 0; tries < 100; tries++) {
      if (settled(twins.ours) && settled(twins.theirs)) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return twins;
  }
}
