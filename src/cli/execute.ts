import type { Plan } from "../plan/step.js";
import type { CommandPort, PipeworkPort } from "./command-port.js";
import type { Invocation, OutputOptions } from "./invocation.js";
import { notYet } from "./later.js";
import { attachedText, bridgedText, detachedText, jsonText, waitedText, warningText } from "./output.js";

type GuestWords = Extract<Invocation, { kind: "route" | "rule" | "tc" }>;
type Of<K extends Invocation["kind"]> = Extract<Invocation, { kind: K }>;

function warn(port: CommandPort, { quiet }: OutputOptions, warnings: Iterable<string>): void {
  if (quiet) return;
  for (const warning of warnings) port.err(warningText(warning));
}

async function showPlans(
  port: CommandPort,
  output: OutputOptions,
  plans: readonly Plan[],
  asJson: unknown,
): Promise<void> {
  for (const plan of plans) warn(port, output, plan.warnings);
  if (output.json) {
    port.out(jsonText(asJson));
    return;
  }
  const texts: string[] = [];
  for (const plan of plans) texts.push(await port.renderPlan(plan));
  port.out(texts.map((text) => `${text.trimEnd()}\n`).join("\n"));
}

async function attach(
  { request: asked, output, warnings }: Of<"attach">,
  pipework: PipeworkPort,
  port: CommandPort,
  signal: AbortSignal,
): Promise<number> {
  const request = { ...asked, signal };
  warn(port, output, warnings);
  if (output.dryRun) {
    const plan = await pipework.plan(request);
    await showPlans(port, output, [plan], plan);
    return 0;
  }
  const attachment = await pipework.attach(request);
  warn(port, output, attachment.warnings);
  if (output.verbose) port.err(attachedText(attachment));
  if (output.json) port.out(jsonText(attachment));
  return 0;
}

async function detach(
  { request: asked, output }: Of<"detach">,
  pipework: PipeworkPort,
  port: CommandPort,
  signal: AbortSignal,
): Promise<number> {
  const request = { ...asked, signal };
  if (output.dryRun) {
    const plans = await pipework.planDetach(request);
    await showPlans(port, output, plans, plans);
    return 0;
  }
  const outcomes = await pipework.detach(request);
  for (const outcome of outcomes) {
    warn(port, output, outcome.warnings);
    if (output.verbose) port.err(detachedText(outcome));
  }
  if (output.json) port.out(jsonText(outcomes));
  return 0;
}

async function wait({ request, output }: Of<"wait">, port: CommandPort, signal: AbortSignal): Promise<number> {
  const { guest, ...rest } = request;
  const waited =
    guest === undefined
      ? await port.waitHere({ ...rest, signal })
      : await withPipework(port, (pipework) => pipework.wait({ guest, ...rest, signal }));
  warn(port, output, waited.warnings);
  if (output.verbose) port.err(waitedText(waited));
  if (output.json) port.out(jsonText(waited));
  return 0;
}

async function bridge(
  { request: asked, output }: Of<"bridge">,
  pipework: PipeworkPort,
  port: CommandPort,
  signal: AbortSignal,
): Promise<number> {
  const request = { ...asked, signal };
  if (output.dryRun) {
    const plan = await pipework.planBridge(request);
    await showPlans(port, output, [plan], plan);
    return 0;
  }
  const outcome = await pipework.bridge(request);
  warn(port, output, outcome.warnings);
  if (output.verbose) port.err(bridgedText(outcome));
  if (output.json) port.out(jsonText(outcome));
  return 0;
}

async function list({ guest, output }: Of<"list">, pipework: PipeworkPort, port: CommandPort): Promise<number> {
  const rows = await pipework.list(guest === undefined ? {} : { guest });
  if (output.json) {
    port.out(jsonText(rows));
    return 0;
  }
  const { listTable } = await import("./list-table.js");
  port.out(listTable(rows));
  return 0;
}

/** 1 when something stands in the way: what only could be better is not for a script to stop at. */
async function doctor({ output }: Of<"doctor">, pipework: PipeworkPort, port: CommandPort): Promise<number> {
  const findings = await pipework.doctor();
  if (output.json) {
    port.out(jsonText(findings));
  } else {
    const { doctorReport } = await import("./doctor-report.js");
    port.out(doctorReport(findings, port.colour()));
  }
  return findings.some(({ level }) => level === "problem") ? 1 : 0;
}

/** `route` and `rule`: iproute2's words, and its output. */
async function words(
  { kind, guest, words: said, at, output, timeoutMs }: GuestWords,
  pipework: PipeworkPort,
  port: CommandPort,
  signal: AbortSignal,
): Promise<number> {
  // --json in front of the verb is -j among the words.
  const line = output.json ? ["-j", ...said] : said;
  const options = {
    signal,
    firstWord: at + said.length - line.length,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  if (output.dryRun) {
    const plan = await (kind === "rule" ? pipework.planRule : pipework.planRoute).call(
      pipework,
      guest,
      [line],
      options,
    );
    await showPlans(port, output, [plan], plan);
    return 0;
  }
  const result = await (kind === "rule" ? pipework.rule : pipework.route).call(pipework, guest, [line], options);
  warn(port, output, result.warnings);
  if (result.output !== "") port.out(result.output);
  return 0;
}

async function withPipework<T>(port: CommandPort, work: (pipework: PipeworkPort) => Promise<T>): Promise<T> {
  const pipework = port.open();
  try {
    return await work(pipework);
  } finally {
    await pipework.close();
  }
}

/**
 * Does what the words ask for and says how it went. Resolves to the exit code.
 * @param signal aborted by ctrl-C
 */
export async function execute(invocation: Invocation, port: CommandPort, signal: AbortSignal): Promise<number> {
  switch (invocation.kind) {
    case "attach":
      return withPipework(port, (pipework) => attach(invocation, pipework, port, signal));
    case "detach":
      return withPipework(port, (pipework) => detach(invocation, pipework, port, signal));
    case "bridge":
      return withPipework(port, (pipework) => bridge(invocation, pipework, port, signal));
    case "list":
      return withPipework(port, (pipework) => list(invocation, pipework, port));
    case "doctor":
      return withPipework(port, (pipework) => doctor(invocation, pipework, port));
    case "demo":
      await port.demo((line) => port.out(`${line}\n`));
      return 0;
    case "wait":
      return wait(invocation, port, signal);
    case "route":
    case "rule":
      return withPipework(port, (pipework) => words(invocation, pipework, port, signal));
    case "tc":
      throw notYet("pipework tc", `for now, by hand: nsenter --net --target PID tc ${invocation.words.join(" ")}`);
    case "usage": {
      const { usageText } = await import("./help.js");
      port.err(usageText);
      return 1;
    }
    case "help":
      port.out(invocation.text);
      return 0;
    case "version":
      port.out(`${port.version}\n`);
      return 0;
  }
}
