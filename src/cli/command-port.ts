import type { DetachOutcome } from "../detach.js";
import type { Finding } from "../doctor/finding.js";
import type { ListedAttachment } from "../list.js";
import type { BridgeOutcome, BridgeRequest } from "../plan/bridge-request.js";
import type { Attachment, AttachRequest, DetachRequest, Waited, WaitRequest } from "../plan/request.js";
import type { Plan } from "../plan/step.js";
import type { Lines, WordsOptions, WordsResult } from "../word-lines.js";

/** What a host interface is, as far as the legacy words depend on it. */
export type HostLinkKind = "bridge" | "infiniband" | "other";

/** The interfaces of the namespace that the command runs in. Asked only where the words do not decide by themselves. */
export interface HostLinks {
  hostLinkExists(name: string): boolean;
  /** undefined: no such interface, or not known. */
  hostLinkKind(name: string): HostLinkKind | undefined;
  /** For "did you mean". */
  hostLinkNames(): readonly string[];
}

/** What the command line uses of class Pipework. */
export interface PipeworkPort {
  attach(request: AttachRequest): Promise<Attachment>;
  plan(request: AttachRequest): Promise<Plan>;
  detach(request: DetachRequest): Promise<readonly DetachOutcome[]>;
  planDetach(request: DetachRequest): Promise<readonly Plan[]>;
  route(guest: string, lines: Lines, options: WordsOptions): Promise<WordsResult>;
  planRoute(guest: string, lines: Lines, options: WordsOptions): Promise<Plan>;
  rule(guest: string, lines: Lines, options: WordsOptions): Promise<WordsResult>;
  planRule(guest: string, lines: Lines, options: WordsOptions): Promise<Plan>;
  wait(request: WaitRequest): Promise<Waited>;
  bridge(request: BridgeRequest): Promise<BridgeOutcome>;
  planBridge(request: BridgeRequest): Promise<Plan>;
  list(only?: { guest?: string | undefined }): Promise<readonly ListedAttachment[]>;
  doctor(): Promise<readonly Finding[]>;
  close(): Promise<void>;
}

export type SignalName = "SIGINT" | "SIGTERM";

/** Everything the command line reaches outside itself; tests hand in a fake. */
export interface CommandPort extends HostLinks {
  readonly version: string;
  /** Writes text as it is. A reader that went away is no failure. */
  out(text: string): void;
  err(text: string): void;
  /** Whether stdout takes colour. */
  colour(): boolean;
  open(): PipeworkPort;
  /** Waits for an interface of our own namespace. */
  waitHere(request: Omit<WaitRequest, "guest">): Promise<Waited>;
  /** Runs the demonstration, line by line. */
  demo(print: (line: string) => void): Promise<void>;
  renderPlan(plan: Plan): Promise<string>;
  /** Calls the handler for each signal from now on; the process no longer ends by itself. */
  onSignal(handler: (name: SignalName) => void): void;
}
