import { describe, expect, test } from "vitest";
import { planAttach } from "../../../src/plan/attach.js";
import type { PlanContext } from "../../../src/plan/context.js";
import { hostEndCandidates } from "../../../src/plan/host-end.js";
import { renderPlan } from "../../../src/plan/render.js";
import type { AttachRequest } from "../../../src/plan/request.js";
import type { AttachView, LinkView } from "../../../src/plan/view.js";
import { parseWish } from "../../../src/plan/wish.js";
import { PipeworkError } from "../../../src/values/error.js";

const bridge: LinkView = {
  index: 7,
  name: "br1",
  kind: "bridge",
  type: 1,
  flags: 1,
  mtu: 1500,
  group: 0,
  operstate: 6,
  stp: false,
};
const stranger: LinkView = {
  index: 9,
  name: "veth1pl4711",
  kind: "veth",
  type: 1,
  flags: 0,
  mtu: 1500,
  group: 0,
  operstate: 2,
};

const view: AttachView = {
  host: { to: bridge, hostEnds: new Map() },
  guest: { record: false, addresses: [], routes: [], names: new Map(), displacers: {} },
};

const context: PlanContext = {
  guest: "web1",
  guestId: `docker:${"ab".repeat(32)}`,
  pid: 4711,
  lasting: true,
  netns: 4026532501,
  alive: "/proc/4711/ns/net",
  mark: 0x7077_1234,
  seed: "0123456789abcdef0123456789abcd",
  recordDir: "/run/pipework/1",
};

const request: AttachRequest = {
  guest: "web1",
  to: "br1",
  addresses: ["192.168.1.2/24", "fd00:1::2/64"],
  gateway: ["192.168.1.1", "fd00:1::1"],
};

/** Freezes everything inside, so that a plan that wrote to what it was given would throw. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

function plan(more: Partial<AttachRequest> = {}, context_: Partial<PlanContext> = {}, view_: AttachView = view) {
  return planAttach(frozen(parseWish({ ...request, ...more })), frozen(view_), frozen({ ...context, ...context_ }));
}

/** The message that makes the veth. */
function birth(one: ReturnType<typeof plan>): { hostIfname: unknown; hostMac: unknown; mac: unknown } {
  const op = one.steps.find(({ id }) => id === "veth.create")?.op;
  // biome-ignore lint/suspicious/noExplicitAny: looked at as data
  const attributes = (op as any).message.attributes;
  return {
    hostIfname: attributes.ifname,
    hostMac: attributes.address,
    mac: attributes.linkinfo.data.peer.attributes.address,
  };
}

describe("planning", () => {
  test("is pure: the same plan twice, from frozen views", () => {
    expect(plan()).toEqual(plan());
    expect(JSON.parse(JSON.stringify(plan()))).toEqual(plan());
  });

  test("says for each step what takes it back, in exactly one way", () => {
    const made = new Set<string>();
    for (const { id, undo } of plan({ to: "br9" }, {}, { ...view, host: { hostEnds: new Map() } }).steps) {
      const kinds = ["inverse", "ownedBy", "builtin", "none"].filter((kind) => kind in undo);
      expect(kinds, id).toHaveLength(1);
      if ("ownedBy" in undo) expect(made, id).toContain(undo.ownedBy);
      made.add(id);
    }
  });

  test("checks that the guest lives after everything that matters, and announces last", () => {
    const ids = plan().steps.map(({ id }) => id);
    const alive = ids.indexOf("guest.alive");
    expect(alive).toBeGreaterThan(ids.indexOf("default.inet6"));
    expect(ids.slice(alive + 1).every((id) => id.startsWith("announce."))).toBe(true);
  });

  test("displaces a default only after whatever could fail is done", () => {
    const ids = plan({ routes: ["10.0.0.0/8 via 192.168.1.9"] }).steps.map(({ id }) => id);
    const first = ids.indexOf("default.inet");
    for (const id of ids.filter((one) => /^(address|route|veth|link|ipv6)\./.test(one)))
      expect(ids.indexOf(id), id).toBeLessThan(first);
  });
});

describe("names and MACs", () => {
  test("the host end is called as the shell script calls it", () => {
    expect(birth(plan()).hostIfname).toBe("veth1pl4711");
  });

  test("and by a digest where that is too long, or there is no PID", () => {
    expect(birth(plan({ ifname: "interface0" })).hostIfname).toMatch(/^vpw[0-9a-f]{12}$/);
    const { pid: _, ...without } = context;
    const made = planAttach(parseWish(request), view, without);
    expect(birth(made).hostIfname).toMatch(/^vpw[0-9a-f]{12}$/);
  });

  test("another digest is taken when a stranger has the first", () => {
    const { pid: _, ...without } = context;
    const [first, second] = hostEndCandidates(parseWish(request), without);
    const taken = {
      ...view,
      host: { to: bridge, hostEnds: new Map([[first as string, { ...stranger, name: first as string }]]) },
    };
    expect(birth(planAttach(parseWish(request), taken, without)).hostIfname).toBe(second);
  });

  test("a stranger with the script's name is left alone, down or not", () => {
    const taken = { ...view, host: { to: bridge, hostEnds: new Map([["veth1pl4711", stranger]]) } };
    expect(() => plan({}, {}, taken)).toThrow(PipeworkError);
    expect(() => plan({}, {}, taken)).toThrow(/veth1pl4711 is taken by a veth that was not made by pipework/);
  });

  test("a container's MAC outlives its restarts, another guest's is drawn", () => {
    expect(birth(plan({}, { seed: "f".repeat(30) })).mac).toBe(birth(plan()).mac);
    expect(birth(plan({}, { lasting: false, seed: "f".repeat(30) })).mac).not.toBe(
      birth(plan({}, { lasting: false })).mac,
    );
  });

  test("the host end's MAC is above any that a bridge would take for its own", () => {
    expect(birth(plan()).hostMac).toMatch(/^fe:/);
  });
});

describe("in words", () => {
  test("each step is a line, in those of ip and sysctl", () => {
    const made = plan();
    const lines = renderPlan(made).split("\n");
    for (const [i] of made.steps.entries())
      expect(
        lines.some((line) => line.trim().startsWith(`${i + 1}. `)),
        `step ${i + 1}`,
      ).toBe(true);
    const text = renderPlan(made);
    for (const words of [
      "ip link add veth1pl4711",
      "ip address add 192.168.1.2/24",
      "ip route replace default via 192.168.1.1",
      "ip -6 route replace default via fd00:1::1",
      "undo:",
    ]) {
      expect(text).toContain(words);
    }
    expect(text).not.toMatch(/undefined|\[object/);
  });
});
