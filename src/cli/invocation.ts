import type { BridgeRequest } from "../plan/bridge-request.js";
import type { AttachRequest, DetachRequest, WaitLevel } from "../plan/request.js";

/** How the result is told. */
export interface OutputOptions {
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** What is waited for; no guest: an interface of our own namespace. */
export interface WaitWords {
  readonly guest?: string;
  readonly ifname?: string;
  readonly level?: WaitLevel;
  readonly timeoutMs?: number;
}

/** What the words ask for. */
export type Invocation =
  | {
      readonly kind: "attach";
      readonly request: AttachRequest;
      readonly output: OutputOptions;
      readonly warnings: readonly string[];
    }
  | { readonly kind: "detach"; readonly request: DetachRequest; readonly output: OutputOptions }
  | { readonly kind: "bridge"; readonly request: BridgeRequest; readonly output: OutputOptions }
  | { readonly kind: "list"; readonly guest?: string; readonly output: OutputOptions }
  | { readonly kind: "doctor"; readonly output: OutputOptions }
  | { readonly kind: "demo" }
  | { readonly kind: "wait"; readonly request: WaitWords; readonly output: OutputOptions }
  /** Words for `ip route`, `ip rule` or `tc` in the guest's namespace. */
  | {
      readonly kind: "route" | "rule" | "tc";
      readonly guest: string;
      readonly words: readonly string[];
      /** Number of the first of them on the command line. */
      readonly at: number;
      readonly output: OutputOptions;
      readonly timeoutMs?: number;
    }
  /** Not enough words to do anything: the short usage, as a failure. */
  | { readonly kind: "usage" }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" };
