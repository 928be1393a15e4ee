import { describe, expect, test } from "vitest";
import { ifaFlags } from "../../../src/netlink/address.js";
import { ifFlags, ifOper } from "../../../src/netlink/link.js";
import type { WaitLevel } from "../../../src/plan/request.js";
import type { LinkView } from "../../../src/plan/view.js";
import { type HeldAddress, lacking, parseWait, type Readiness, usableAddresses } from "../../../src/plan/wait.js";
import { waitLevels } from "../../../src/plan/wait-level.js";
import { refusal } from "../values/refusal.js";

const link = (flags: number, operstate: number): LinkView => ({
  index: 7,
  name: "eth1",
  type: 1,
  mtu: 1500,
  group: 0,
  flags,
  operstate,
});
const { IFF_UP, IFF_LOWER_UP } = ifFlags;
const readiness = (more: Partial<Readiness>): Readiness => ({ addresses: [], defaultRoute: false, ...more });
const up = link(IFF_UP | IFF_LOWER_UP, ifOper.IF_OPER_UP);
const address = (flags = 0): HeldAddress => ({ address: "fd00::2", prefixlen: 64, flags });

/** What each level lacks, in their order. */
const lacks = (more: Partial<Readiness>) => waitLevels.map((level) => lacking(level, readiness(more)));

describe("what is lacking, at each level", () => {
  test("nothing there", () => {
    expect(lacks({})).toEqual(Array(4).fill("is not there"));
  });

  test("down", () => {
    const down = "is there and down";
    expect(lacks({ link: link(0, ifOper.IF_OPER_DOWN) })).toEqual([undefined, down, down, down]);
    // Nothing else counts of an interface that is down.
    const all = { link: link(0, ifOper.IF_OPER_DOWN), addresses: [address()], defaultRoute: true };
    expect(lacks(all)).toEqual([undefined, down, down, down]);
  });

  test("no carrier", () => {
    const no = "is up and has no carrier";
    for (const state of [ifOper.IF_OPER_DOWN, ifOper.IF_OPER_LOWERLAYERDOWN, ifOper.IF_OPER_UNKNOWN])
      expect(lacks({ link: link(IFF_UP, state) })).toEqual([undefined, no, no, no]);
  });

  test.each(["IF_OPER_UP", "IF_OPER_UNKNOWN"] as const)("up with %s", (state) => {
    expect(lacks({ link: link(IFF_UP | IFF_LOWER_UP, ifOper[state]) })).toEqual([
      undefined,
      undefined,
      "is up and has no address",
      "is up and has no default route",
    ]);
  });

  test.each([
    ["IF_OPER_DORMANT", "dormant"],
    ["IF_OPER_TESTING", "testing"],
    ["IF_OPER_NOTPRESENT", "notpresent"],
    ["IF_OPER_LOWERLAYERDOWN", "lowerlayerdown"],
  ] as const)("not up with %s", (state, word) => {
    expect(lacking("up", readiness({ link: link(IFF_UP | IFF_LOWER_UP, ifOper[state]) }))).toBe(
      `is up, and its operational state is ${word}`,
    );
  });

  test("addresses: one that can be used is enough, others do not count", () => {
    const { IFA_F_TENTATIVE, IFA_F_DADFAILED, IFA_F_PERMANENT, IFA_F_DEPRECATED } = ifaFlags;
    const of = (...flags: number[]) => {
      const one = readiness({ link: up, addresses: flags.map(address) });
      return [lacking("address", one), usableAddresses(one).length];
    };
    expect(of(IFA_F_PERMANENT)).toEqual([undefined, 1]);
    expect(of(IFA_F_DEPRECATED, IFA_F_TENTATIVE)).toEqual([undefined, 1]);
    expect(of(IFA_F_TENTATIVE)).toEqual(["is up, and its address fd00::2 is still being checked for duplicates", 0]);
    expect(of(IFA_F_TENTATIVE | IFA_F_DADFAILED)).toEqual(["is up, and its address fd00::2 is another's as well", 0]);
    expect(usableAddresses(readiness({ link: up, addresses: [address()] }))).toEqual(["fd00::2/64"]);
  });

  test("a route needs no address, an address no route", () => {
    expect(lacks({ link: up, defaultRoute: true })[3]).toBeUndefined();
    expect(lacks({ link: up, addresses: [address()] })[2]).toBeUndefined();
  });
});

describe("the request", () => {
  test("what is left out", () => {
    expect(parseWait({ guest: "web1" })).toEqual({ guest: "web1", ifname: "eth1", level: "up" });
    expect(parseWait({ ifname: undefined, level: undefined })).toEqual({ ifname: "eth1", level: "up" });
  });

  test.each([
    [{ level: "Up" as WaitLevel }, '"Up" is no level to wait for'],
    [{ level: "toString" as WaitLevel }, '"toString" is no level'],
    [{ ifname: "" }, "interface name"],
    [{ ifname: 7 as never }, "ifname is a text"],
    [{ guest: null as never }, "guest is a text"],
    [{ timeoutMs: 1.5 }, "timeoutMs"],
    [{ timeoutMs: Number.NaN }, "timeoutMs"],
    [{ lever: "up" } as object, 'no field "lever"'],
  ])("%j is refused", (request, words) => {
    expect(refusal(() => parseWait(request))).toContain(words);
  });
});
