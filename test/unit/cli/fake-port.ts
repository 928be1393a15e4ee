import type { CommandPort, HostLinkKind, HostLinks, PipeworkPort, SignalName } from "../../../src/cli/command-port.js";
import type { DetachOutcome } from "../../../src/detach.js";
import type { Finding } from "../../../src/doctor/finding.js";
import type { ListedAttachment } from "../../../src/list.js";
import type { BridgeOutcome, BridgeRequest } from "../../../src/plan/bridge-request.js";
import { parseBridgeWish } from "../../../src/plan/bridge-wish.js";
import type { Attachment, AttachRequest, DetachRequest, Waited, WaitRequest } from "../../../src/plan/request.js";
import type { Plan } from "../../../src/plan/step.js";
import { parseWish } from "../../../src/plan/wish.js";
import type { WordsResult } from "../../../src/word-lines.js";

/** Interfaces of an imagined host. */
export function hostWith(kinds: Readonly<Record<string, HostLinkKind>> = {}): HostLinks {
  return {
    hostLinkExists: (name) => Object.hasOwn(kinds, name),
    hostLinkKind: (name) => (Object.hasOwn(kinds, name) ? kinds[name] : undefined),
    hostLinkNames: () => Object.keys(kinds),
  };
}

export const attachment: Attachment = {
  guest: "web1",
  guestId: "docker:0123",
  ifname: "eth1",
  to: "br1",
  type: "bridge",
  hostIfname: "veth1pl42",
  ifindex: 7,
  addresses: ["192.168.1.2/24"],
  mac: "02:00:00:00:00:01",
  mtu: 1500,
  outcome: "attached",
  warnings: [],
};

export const waited: Waited = {
  ifname: "eth1",
  level: "up",
  ifindex: 7,
  mac: "02:00:00:00:00:01",
  mtu: 1500,
  operstate: "up",
  warnings: [],
};

export const plan: Plan = {
  action: "attach",
  guest: "web1",
  guestId: "docker:0123",
  ifname: "eth1",
  steps: [],
  outcome: "attached",
  warnings: [],
};

/** What class Pipework would do is replaced piece by piece; what was called is recorded. */
export class FakePort implements CommandPort {
  readonly version = "9.8.7";
  stdout = "";
  stderr = "";
  readonly calls: { name: string; argument: unknown }[] = [];
  opened = 0;
  closed = 0;
  colourful = false;
  signals: ((name: SignalName) => void)[] = [];
  readonly #links: HostLinks;
  readonly #replaced: Partial<PipeworkPort>;
  findings: readonly Finding[] = [];
  rows: readonly ListedAttachment[] = [];
  outcomes: readonly DetachOutcome[] = [{ guest: "web1", ifname: "eth1", outcome: "detached", warnings: [] }];
  shown: WordsResult = { output: "", objects: [], warnings: [] };
  attached: Attachment = attachment;
  bridged: BridgeOutcome = {
    bridge: "br0",
    uplink: "eth1",
    addresses: ["192.0.2.5/24"],
    outcome: "bridged",
    warnings: [],
  };
  planned: Plan = plan;
  waiting: (request: Partial<WaitRequest>) => Promise<Waited> = async ({ guest }) => ({
    ...(guest === undefined ? {} : { guest, guestId: "docker:0123" }),
    ...waited,
  });

  constructor(links: HostLinks = hostWith(), replaced: Partial<PipeworkPort> = {}) {
    this.#links = links;
    this.#replaced = replaced;
  }

  hostLinkExists(name: string): boolean {
    return this.#links.hostLinkExists(name);
  }
  hostLinkKind(name: string): HostLinkKind | undefined {
    return this.#links.hostLinkKind(name);
  }
  hostLinkNames(): readonly string[] {
    return this.#links.hostLinkNames();
  }
  out(text: string): void {
    this.stdout += text;
  }
  err(text: string): void {
    this.stderr += text;
  }
  colour(): boolean {
    return this.colourful;
  }
  waitHere(request: Omit<WaitRequest, "guest">): Promise<Waited> {
    this.calls.push({ name: "waitHere", argument: request });
    return this.waiting(request);
  }
  async demo(print: (line: string) => void): Promise<void> {
    print("first line");
    print("second line");
  }
  async renderPlan({ ifname }: Plan): Promise<string> {
    return `plan of ${ifname}\n`;
  }
  onSignal(handler: (name: SignalName) => void): void {
    this.signals.push(handler);
  }
  raise(name: SignalName): void {
    for (const handler of this.signals) handler(name);
  }

  open(): PipeworkPort {
    this.opened++;
    const record = (name: string, argument: unknown) => void this.calls.push({ name, argument });
    return {
      // The real one checks the whole request before it does anything, and so does this one.
      attach: async (request: AttachRequest) => {
        record("attach", request);
        parseWish(request);
        return this.attached;
      },
      plan: async (request: AttachRequest) => {
        record("plan", request);
        parseWish(request);
        return this.planned;
      },
      detach: async (request: DetachRequest) => {
        record("detach", request);
        return this.outcomes;
      },
      planDetach: async (request: DetachRequest) => {
        record("planDetach", request);
        return [{ ...this.planned, action: "detach", outcome: "detached" }];
      },
      bridge: async (request: BridgeRequest) => {
        record("bridge", request);
        parseBridgeWish(request);
        return this.bridged;
      },
      planBridge: async (request: BridgeRequest) => {
        record("planBridge", request);
        parseBridgeWish(request);
        return { ...this.planned, action: "bridge", ifname: request.name, outcome: "bridged" };
      },
      route: async (guest, lines, options) => {
        record("route", { guest, lines, options });
        return this.shown;
      },
      planRoute: async (guest, lines, options) => {
        record("planRoute", { guest, lines, options });
        return { ...this.planned, action: "route", outcome: "changed" };
      },
      rule: async (guest, lines, options) => {
        record("rule", { guest, lines, options });
        return this.shown;
      },
      planRule: async (guest, lines, options) => {
        record("planRule", { guest, lines, options });
        return { ...this.planned, action: "rule", outcome: "changed" };
      },
      list: async (only) => {
        record("list", only);
        return this.rows;
      },
      wait: (request: WaitRequest) => {
        record("wait", request);
        return this.waiting(request);
      },
      doctor: async () => this.findings,
      close: async () => void this.closed++,
      ...this.#replaced,
    };
  }
}
