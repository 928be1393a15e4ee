import type { DetachOutcome } from "../detach.js";
import type { BridgeOutcome } from "../plan/bridge-request.js";
import type { Attachment, Waited } from "../plan/request.js";
import { PipeworkError } from "../values/error.js";

/** Control characters of a name that others chose must not reach the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** JSON of plain data; bytes (in a plan's messages) become hex, and what JSON lacks a string. */
export function jsonText(value: unknown): string {
  const plain = (_key: string, one: unknown): unknown => {
    if (one instanceof Uint8Array) return Array.from(one, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return typeof one === "bigint" ? one.toString() : one;
  };
  return `${JSON.stringify(value, plain, 2)}\n`;
}

export function warningText(warning: string): string {
  return `pipework: warning: ${printable(warning)}\n`;
}

/** Anything thrown as the one error type: what is no PipeworkError is a fault of ours. */
export function asPipeworkError(error: unknown): PipeworkError {
  if (error instanceof PipeworkError) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new PipeworkError({
    code: "internal",
    message: `this is a fault of pipework itself: ${words}`,
    hint: "please report it, with the command and its --verbose output",
    cause: error,
  });
}

/** An error for the person at the prompt: a sentence with the kernel's words, then what can be done. */
export function errorText(error: PipeworkError, verbose: boolean): string {
  const { message, kernelText, hint } = error;
  const kernel = kernelText === undefined || message.includes(kernelText) ? "" : `: ${kernelText}`;
  const lines = [`pipework: ${printable(message + kernel)}`];
  for (const { step, failure } of error.undo) {
    if (failure !== undefined)
      lines.push(`  left behind, undoing "${printable(step)}" failed as well: ${printable(failure)}`);
  }
  if (hint !== undefined) lines.push(`  ${printable(hint)}`);
  if (verbose && error.code === "internal") lines.push(stackOf(error));
  return `${lines.join("\n")}\n`;
}

function stackOf(error: PipeworkError): string {
  const { cause } = error;
  return (cause instanceof Error ? cause.stack : error.stack) ?? "";
}

export function errorJson(error: PipeworkError): string {
  return jsonText({ error: error.toJSON() });
}

/** For --verbose. */
export function attachedText(at: Attachment): string {
  const place = `${at.ifname} of ${at.guest}`;
  if (at.outcome === "unchanged") return `pipework: ${printable(place)} is as asked for already, nothing was changed\n`;
  const done = { attached: "attached to", completed: "completed on", replaced: "replaced on" }[at.outcome];
  const details = [
    at.type,
    ...at.addresses,
    `MAC ${at.mac}`,
    `MTU ${at.mtu}`,
    ...(at.hostIfname === undefined ? [] : [`host end ${at.hostIfname}`]),
  ];
  return `pipework: ${printable(`${place} ${done} ${at.to}: ${details.join(", ")}`)}\n`;
}

/** For --verbose. */
export function detachedText({ guest, ifname, outcome }: DetachOutcome): string {
  const what = outcome === "absent" ? "was not there, nothing was changed" : "detached";
  return `pipework: ${printable(`${ifname} of ${guest}`)} ${what}\n`;
}

/** For --verbose. */
export function waitedText({ guest, ifname, level, operstate, addresses }: Waited): string {
  const place = guest === undefined ? ifname : `${ifname} of ${guest}`;
  const what = {
    exists: `is there, its operational state ${operstate}`,
    up: "is up",
    address: `is up and has ${addresses?.join(", ")}`,
    route: "is up and has a default route",
  }[level];
  return `pipework: ${printable(`${place} ${what}`)}\n`;
}

/** For --verbose. */
export function bridgedText({ bridge, uplink, outcome, addresses }: BridgeOutcome): string {
  if (outcome === "absent") return `pipework: ${printable(bridge)} has no uplink by pipework, nothing was changed\n`;
  if (outcome === "unchanged")
    return `pipework: ${printable(`${uplink} is the uplink of ${bridge}`)} already, nothing was changed\n`;
  const handed =
    addresses.length === 0 ? "" : `, and has ${outcome === "released" ? "back " : "its "}${addresses.join(", ")}`;
  if (outcome === "released")
    return `pipework: ${printable(`${uplink ?? "the uplink"} is no port of ${bridge} any more${handed}`)}\n`;
  return `pipework: ${printable(`${bridge} has the uplink ${uplink}${handed}`)}\n`;
}
