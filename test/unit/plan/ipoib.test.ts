import { describe, expect, test } from "vitest";
import { arphrd } from "../../../src/netlink/link.js";
import { planAttach } from "../../../src/plan/attach.js";
import type { PlanContext } from "../../../src/plan/context.js";
import type { AttachRequest } from "../../../src/plan/request.js";
import type { AttachView, LinkView } from "../../../src/plan/view.js";
import { parseWish } from "../../../src/plan/wish.js";
import { PipeworkError } from "../../../src/values/error.js";

const parent: LinkView = {
  index: 5,
  name: "ib0",
  type: arphrd.ARPHRD_INFINIBAND,
  flags: 1,
  mtu: 2044,
  group: 0,
  operstate: 6,
};

const view: AttachView = {
  host: { to: parent, hostEnds: new Map() },
  guest: { record: false, addresses: [], routes: [], names: new Map(), displacers: {} },
};

const context: PlanContext = {
  guest: "web1",
  guestId: "docker:ab",
  lasting: true,
  netns: 4026532501,
  mark: 0x7077_1234,
  seed: "0123456789abcdef0123456789abcd",
  recordDir: "/run/pipework/1",
};

function plan(more: Partial<AttachRequest> = {}, seen: AttachView = view) {
  return planAttach(parseWish({ guest: "web1", to: "ib0", addresses: ["10.4.0.2/24"], ...more }), seen, context);
}

function refusal(work: () => unknown): PipeworkError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(PipeworkError);
    return error as PipeworkError;
  }
  throw new Error("not refused");
}

describe("a partition of an InfiniBand interface", () => {
  test("is what an InfiniBand parent is for: born in the guest with its key, no MAC of ours, told as it comes up", () => {
    const { steps } = plan({ vlan: "0x8001", ifname: "ib0" });
    expect(steps.map(({ id }) => id)).toEqual([
      "record",
      "ipoib.create",
      "link.find",
      "address.10.4.0.2/24",
      "announce.begin",
      "link.up",
      "announce.end",
    ]);
    const create = steps.find(({ id }) => id === "ipoib.create");
    expect(create?.op).toMatchObject({
      message: {
        type: "RTM_NEWLINK",
        attributes: { ifname: "ib0", link: 5, linkinfo: { kind: "ipoib", data: { pkey: 0x8001 } } },
      },
    });
    // biome-ignore lint/suspicious/noExplicitAny: looked at as data
    expect((create?.op as any)?.message.attributes).not.toHaveProperty("address");
  });

  test("is ib0 unless another name is given, and without a key its parent's", () => {
    const { ifname, steps } = plan({ type: "ipoib" });
    expect(ifname).toBe("ib0");
    expect(steps.find(({ id }) => id === "ipoib.create")?.op).toMatchObject({
      message: { attributes: { linkinfo: { kind: "ipoib", data: {} } } },
    });
  });

  test.each<[Partial<AttachRequest>, string]>([
    [{ mac: "02:00:00:00:00:01" }, "takes no MAC"],
    [{ vlan: 10 }, "partition key in hex"],
    [{ type: "macvlan" }, "is InfiniBand"],
    [{ type: "ipvlan" }, "is InfiniBand"],
  ])("%j is refused: %s", (more, words) => {
    expect(refusal(() => plan(more)).message).toContain(words);
  });

  test("needs an InfiniBand parent that is there", () => {
    const ethernet = { ...view, host: { ...view.host, to: { ...parent, type: arphrd.ARPHRD_ETHER } } };
    expect(refusal(() => plan({ type: "ipoib" }, ethernet)).message).toContain("no InfiniBand interface");
    const nothing = { ...view, host: { hostEnds: new Map() } };
    expect(refusal(() => plan({ type: "ipoib" }, nothing)).code).toBe("interface-not-found");
  });

  test.each(["0x0", "0x10000", "0xg", "0x"])("%s is no partition key", (vlan) => {
    expect(refusal(() => parseWish({ guest: "web1", to: "ib0", vlan })).message).toContain(
      "no InfiniBand partition key",
    );
  });

  test("there already with the same key holds; with another it differs", () => {
    const link: LinkView = { ...parent, index: 9, name: "ib0", kind: "ipoib", link: 5, linkNetnsid: 0, pkey: 0x8001 };
    const there: AttachView = {
      ...view,
      guest: {
        ...view.guest,
        link,
        memory: { guest: "docker:ab", ifname: "ib0", netns: 4026532501, displaced: [], type: "ipoib", to: "ib0" },
        record: true,
        addresses: [{ family: "inet", index: 9, address: "10.4.0.2", prefixlen: 24 }],
      },
    };
    // The kernel sets the bit of full membership in whatever is asked for.
    for (const vlan of ["0x8001", "0x1"]) expect(plan({ type: "ipoib", vlan }, there).outcome).toBe("unchanged");
    expect(refusal(() => plan({ type: "ipoib", vlan: "0x8002" }, there)).message).toContain("has partition key");
  });
});
