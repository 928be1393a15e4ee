import { attach, planOnly } from "./attach.js";
import { type DetachOutcome, detach, planDetachOnly } from "./detach.js";
import type { Finding } from "./doctor/finding.js";
import { Instance, type PipeworkOptions } from "./instance.js";
import { type ListedAttachment, list } from "./list.js";
import type { BridgeOutcome, BridgeRequest } from "./plan/bridge-request.js";
import type { Attachment, AttachRequest, DetachRequest, Waited, WaitRequest } from "./plan/request.js";
import type { Plan } from "./plan/step.js";
import type { Lines, WordsOptions, WordsResult } from "./word-lines.js";

export type { PipeworkOptions } from "./instance.js";

/**
 * Puts network interfaces into running containers. Lazy: nothing is opened before the first call, and an idle instance
 * keeps no process alive. Everything that fails rejects with a PipeworkError and leaves the kernel as it was.
 */
export class Pipework implements AsyncDisposable {
  readonly #instance: Instance;

  constructor(options: PipeworkOptions = {}) {
    this.#instance = new Instance(options);
  }

  /**
   * Attaches a guest to a host interface, all or nothing, in about a millisecond. What holds already is success and
   * changes nothing; the same interface name with another configuration is refused unless `replace`.
   */
  attach(request: AttachRequest): Promise<Attachment> {
    return attach(this.#instance, request);
  }

  /**
   * Attaches many; settles per request, in their order. With `atomic`, one failure takes back every interface that this
   * call attached, and the promise rejects with that failure; addresses added to interfaces that were there already stay.
   */
  async attachAll(requests: readonly AttachRequest[], options: { atomic: true }): Promise<Attachment[]>;
  async attachAll(
    requests: readonly AttachRequest[],
    options?: { atomic?: false },
  ): Promise<PromiseSettledResult<Attachment>[]>;
  async attachAll(
    requests: readonly AttachRequest[],
    options: { atomic?: boolean } = {},
  ): Promise<PromiseSettledResult<Attachment>[] | Attachment[]> {
    const settled = await Promise.allSettled(requests.map((request) => this.attach(request)));
    if (options.atomic !== true) return settled;
    const failed = settled.find((one) => one.status === "rejected");
    const done = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    if (failed === undefined) return done;
    const made = done.filter((one) => one.outcome === "attached");
    await Promise.allSettled(made.reverse().map(({ guest, ifname }) => this.detach({ guest, ifname })));
    throw failed.reason;
  }

  /** Takes attachments back: displaced routes return, the link goes. Resolves when it is gone, some 20 ms before its ack. */
  detach(request: DetachRequest): Promise<DetachOutcome[]> {
    return detach(this.#instance, request);
  }

  detachAll(requests: readonly DetachRequest[]): Promise<PromiseSettledResult<DetachOutcome[]>[]> {
    return Promise.allSettled(requests.map((request) => this.detach(request)));
  }

  /** The very plan that `attach` would run now, as plain data. Reads, never writes. */
  plan(request: AttachRequest): Promise<Plan> {
    return planOnly(this.#instance, request);
  }

  planDetach(request: DetachRequest): Promise<Plan[]> {
    return planDetachOnly(this.#instance, request);
  }

  /**
   * Gives a bridge an uplink, or takes it back: a NIC whose addresses and routes the bridge takes over, all or nothing
   * and without a moment in which the host is cut off. What holds already is success.
   */
  async bridge(request: BridgeRequest): Promise<BridgeOutcome> {
    const { bridge } = await import("./bridge.js");
    return bridge(this.#instance, request);
  }

  /** The very plan that `bridge` would run now. Reads, never writes. */
  async planBridge(request: BridgeRequest): Promise<Plan> {
    const { planBridgeOnly } = await import("./bridge.js");
    return planBridgeOnly(this.#instance, request);
  }

  /** What is attached, of all guests or of one. */
  list(only?: { guest?: string | undefined }): Promise<ListedAttachment[]> {
    return list(this.#instance, only);
  }

  /**
   * Lines of `ip route` in a guest. All that change something are one transaction: every line holds, or none. What a line
   * shows is in the result, as text and as objects.
   */
  async route(guest: string, lines: Lines, options?: WordsOptions): Promise<WordsResult> {
    const { route } = await import("./route.js");
    return route(this.#instance, guest, lines, options);
  }

  /** The plan that `route` would run now. */
  async planRoute(guest: string, lines: Lines, options?: WordsOptions): Promise<Plan> {
    const { planRouteOnly } = await import("./route.js");
    return planRouteOnly(this.#instance, guest, lines, options);
  }

  /** Lines of `ip rule` in a guest, all or none as with `route`. */
  async rule(guest: string, lines: Lines, options?: WordsOptions): Promise<WordsResult> {
    const { rule } = await import("./rule.js");
    return rule(this.#instance, guest, lines, options);
  }

  /** The plan that `rule` would run now. */
  async planRule(guest: string, lines: Lines, options?: WordsOptions): Promise<Plan> {
    const { planRuleOnly } = await import("./rule.js");
    return planRuleOnly(this.#instance, guest, lines, options);
  }

  /**
   * Waits until an interface of a guest is there and up, or has an address, or a default route: driven by the kernel's
   * notices. Rejects with "guest-gone" as soon as the guest ends, and holds nothing of it then. Without `timeoutMs` there is
   * no limit.
   */
  async wait(request: WaitRequest): Promise<Waited> {
    const { wait } = await import("./wait.js");
    return wait(this.#instance, request);
  }

  /** Looks at everything that keeps attachments from working: privileges, kernel, engine, firewall, leftovers. */
  async doctor(): Promise<Finding[]> {
    // Off the path of everything else.
    const { doctor } = await import("./doctor/doctor.js");
    return doctor(this.#instance);
  }

  /** Finishes what runs and lets go of threads and connections. Idempotent. */
  close(): Promise<void> {
    return this.#instance.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
