import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type NativeInstruction, NativeOp } from "../../src/kernel/native.js";
import { link } from "../../src/netlink/link.js";
import { decodeReplies } from "../../src/netlink/message.js";
import { attributeNumbers, encodeAttributeValue, headerLength, path } from "../../src/netlink/nouns.js";
import {
  bytes,
  capture,
  deleteLink,
  deleteSlot,
  dumpLinks,
  getLink,
  IFINDEX,
  newBridge,
  newVeth,
  Stage,
  step,
} from "./support/stage.js";

const EEXIST = 17;
const EINVAL = 22;
const ENODEV = 19;
const ENOENT = 2;
const ESRCH = 3;

const where = (names: string[], value: string | number) => ({
  header: headerLength("link"),
  path: attributeNumbers("link", names),
  value: encodeAttributeValue("link", names, value),
});
const failing: NativeInstruction = step(0, getLink("nothing"));

const stage = new Stage();
beforeAll(() => stage.open());
afterAll(() => stage.close());

beforeEach(() => {
  for (const name of stage.links())
    if (stage.links().includes(name)) stage.inside(stage.host, "ip", "link", "del", "dev", name);
});

describe("queries", () => {
  test("answers come in order, from the namespace asked", async () => {
    await stage.run([step(0, newVeth("a", "b"))]);
    const queries = [0, 1].map((netns) => ({ netns, message: bytes(dumpLinks).message }));
    const begun = await stage.begin({
      queries: [...queries, { netns: 0, message: bytes(getLink("nothing")).message }],
    });
    const names = begun.answers.map(({ replies }) =>
      decodeReplies(link, replies)
        .map(({ attributes }) => attributes.ifname)
        .sort(),
    );
    expect(names).toEqual([["a", "b", "lo"], ["lo"], []]);
    expect(begun.answers.map(({ errno }) => errno)).toEqual([0, 0, ENODEV]);
    const [again] = await stage.runner.query(begun.transaction, [{ netns: 0, message: bytes(getLink("a")).message }]);
    expect(decodeReplies(link, again?.replies as Uint8Array)).toHaveLength(1);
    await stage.runner.end(begun.transaction);
  });
});

describe("programs", () => {
  test("an ifindex that the kernel chose goes into later messages", async () => {
    const report = await stage.run([
      step(0, newVeth("a", "eth1", stage.guest.fd)),
      capture(0, "a", "a"),
      capture(1, "eth1", "b"),
      step(0, {
        noun: "link",
        type: "RTM_SETLINK",
        header: { index: { slot: "a" }, flags: 1, change: 1 },
        attributes: { ifalias: "made here" },
      }),
      step(1, {
        noun: "link",
        type: "RTM_SETLINK",
        header: { index: { slot: "b" }, flags: 1, change: 1 },
        attributes: {},
      }),
    ]);
    expect(report).toMatchObject({ ok: true, undone: [] });
    const [near] = stage.json(stage.host, "link", "show", "dev", "a");
    const [far] = stage.json(stage.guest, "link", "show", "dev", "eth1");
    expect(report.slots).toEqual([near.ifindex, far.ifindex, 0]);
    expect(near).toMatchObject({ ifalias: "made here", flags: expect.arrayContaining(["UP", "LOWER_UP"]) });
    expect(far.flags).toContain("UP");
  });

  test("capture takes the first reply that fits, and is ENOENT when none does", async () => {
    await stage.run([step(0, newVeth("a", "b")), step(0, newBridge("br"))]);
    const kind = (value: string, more: Partial<NativeInstruction> = {}) =>
      step(0, dumpLinks, {
        capture: { slot: 0, offset: IFINDEX, where: [where(["IFLA_LINKINFO", "IFLA_INFO_KIND"], value)] },
        ...more,
      });
    const bridge = stage.json(stage.host, "link", "show", "dev", "br")[0].ifindex;
    const found = await stage.run([kind("bridge")]);
    expect(found).toMatchObject({ ok: true, slots: [bridge, 0, 0] });
    expect(decodeReplies(link, found.results[0]?.reply as Uint8Array)[0]?.attributes.ifname).toBe("br");
    expect((await stage.run([kind("macvlan")])).failed).toMatchObject({ index: 0, errno: ENOENT });
    expect(await stage.run([kind("macvlan", { optional: true }), kind("bridge")])).toMatchObject({
      ok: true,
      results: [{ errno: ENOENT }, { errno: 0 }],
    });
  });

  test("the kernel's own text, and the attribute it points at", async () => {
    const message = bytes({
      noun: "link",
      type: "RTM_NEWLINK",
      flags: ["NLM_F_CREATE"],
      header: {},
      attributes: { ifname: "a", mtu: 1400 },
    }).message;
    // IFLA_MTU of two bytes instead of four.
    const view = new DataView(message.buffer);
    const at = message.length - 8;
    view.setUint16(at, 6, true);
    const { failed } = await stage.run([{ op: NativeOp.netlink, netns: 0, message }]);
    expect(failed).toMatchObject({ errno: 34, offset: at, text: expect.stringContaining("ttribute") });
    expect(path("link", message, failed?.offset as number)).toBe("IFLA_MTU");
    expect(
      (
        await stage.run([
          step(0, { ...newBridge("a"), attributes: { ifname: "a", linkinfo: { kind: "nonsense" } } } as never),
        ])
      ).failed,
    ).toEqual({
      index: 0,
      errno: 95,
      text: "Unknown device type",
    });
  });

  test("an empty slot is a failure that names it, before anything is sent", async () => {
    const report = await stage.run([step(0, deleteSlot("b"))]);
    expect(report.failed).toEqual({ index: 0, errno: EINVAL, text: "slot 1 is empty" });
  });

  test("a tolerated errno counts as done, and is not undone", async () => {
    const again = step(0, newBridge("br"), { tolerate: [EEXIST], undo: [step(0, deleteLink("br"))] });
    expect((await stage.run([again])).results).toEqual([{ errno: 0 }]);
    const report = await stage.run([again, failing]);
    expect(report.results.map(({ errno }) => errno)).toEqual([EEXIST, ENODEV]);
    expect(report.undone).toEqual([]);
    expect(stage.links()).toEqual(["br"]);
  });

  test("an optional failure is told, and the program goes on", async () => {
    const report = await stage.run([{ ...failing, optional: true }, step(0, newBridge("br"))]);
    expect(report).toMatchObject({ ok: true, results: [{ errno: ENODEV }, { errno: 0 }] });
    expect(stage.links()).toEqual(["br"]);
  });

  test("until repeats the request until its reply is as wanted, or the time is up", async () => {
    await stage.run([step(0, newVeth("a", "b"))]);
    const up = (value: number, timeoutMs: number) =>
      step(0, getLink("a"), { until: { ...where(["IFLA_OPERSTATE"], value), timeoutMs } });
    const missed = await stage.run([up(6, 3)]);
    expect(missed).toMatchObject({ ok: true, results: [{ errno: 0, met: false }] });
    expect(decodeReplies(link, missed.results[0]?.reply as Uint8Array)[0]?.attributes.operstate).toBe(2);
    const waiting = stage.run([up(6, 20_000)]);
    stage.inside(stage.host, "ip", "link", "set", "dev", "b", "up");
    stage.inside(stage.host, "ip", "link", "set", "dev", "a", "up");
    expect(await waiting).toMatchObject({ ok: true, results: [{ errno: 0, met: true }] });
  });

  test("an identity holds, or is ESRCH", async () => {
    const own = { op: NativeOp.identity, netns: 0, path: `/proc/self/fd/${stage.guest.fd}` };
    expect((await stage.run([{ ...own, ino: stage.guest.ino }])).ok).toBe(true);
    const other = await stage.run([
      step(0, newBridge("br"), { undo: [step(0, deleteLink("br"))] }),
      { ...own, ino: stage.host.ino },
    ]);
    expect(other.failed).toMatchObject({ index: 1, errno: ESRCH });
    expect(stage.links()).toEqual([]);
    expect((await stage.run([{ ...own, path: "/proc/0/ns/net", ino: 1 }])).failed).toMatchObject({ errno: ESRCH });
  });
});

describe("undo", () => {
  test("runs in reverse, each list in its order", async () => {
    const make = (name: string) =>
      step(0, newBridge(name), { undo: [step(0, getLink(name)), step(0, deleteLink(name))] });
    const report = await stage.run([make("x"), make("y"), failing]);
    expect(report).toMatchObject({ ok: false, failed: { index: 2, errno: ENODEV } });
    expect(report.undone).toEqual([
      { index: 1, position: 0, errno: 0 },
      { index: 1, position: 1, errno: 0 },
      { index: 0, position: 0, errno: 0 },
      { index: 0, position: 1, errno: 0 },
    ]);
    expect(stage.links()).toEqual([]);
  });

  test("finds its object by the captured ifindex, whatever it is called by then", async () => {
    const report = await stage.run([
      step(0, newVeth("a", "b"), { undo: [step(0, deleteSlot("a"))] }),
      capture(0, "a", "a"),
      step(0, {
        noun: "link",
        type: "RTM_SETLINK",
        header: { index: { slot: "a" } },
        attributes: { ifname: "renamed" },
      }),
      step(0, newBridge("a")),
      failing,
    ]);
    expect(report.undone).toEqual([{ index: 0, position: 0, errno: 0 }]);
    // Made after the first was renamed, of its old name, and without an undo: not touched.
    expect(stage.links()).toEqual(["a"]);
  });

  test("goes on when a part of it fails, and tells both; the first error stays the error", async () => {
    const report = await stage.run([
      step(0, newBridge("x"), { undo: [step(0, deleteLink("x"))] }),
      step(0, newBridge("y"), { undo: [step(0, deleteLink("elsewhere")), step(0, deleteLink("y"))] }),
      failing,
    ]);
    expect(report.failed).toMatchObject({ index: 2, errno: ENODEV });
    expect(report.undone.map(({ index, errno }) => [index, errno])).toEqual([
      [1, ENODEV],
      [1, 0],
      [0, 0],
    ]);
    expect(stage.links()).toEqual([]);
  });

  test("an undo that tolerates its errno has not failed", async () => {
    const undo = [step(0, deleteLink("elsewhere"), { tolerate: [ENODEV] })];
    const report = await stage.run([step(0, newBridge("x"), { undo }), failing]);
    expect(report.undone).toMatchObject([{ errno: 0 }]);
  });

  test("steps may depend on a slot being empty or filled", async () => {
    const undo = [
      { ...capture(0, "x", "a"), unlessSlot: 0 },
      step(0, deleteSlot("a"), { ifSlot: 0 }),
      step(0, deleteSlot("b"), { ifSlot: 1 }),
    ];
    const late = await stage.run([step(0, newBridge("x"), { undo }), failing]);
    expect(late.undone.map(({ skipped }) => skipped ?? false)).toEqual([false, false, true]);
    expect(stage.links()).toEqual([]);
    const early = await stage.run([step(0, newBridge("x"), { undo }), capture(0, "x", "a"), failing]);
    expect(early.undone.map(({ skipped }) => skipped ?? false)).toEqual([true, false, true]);
    expect(stage.links()).toEqual([]);
  });

  test("a bridge that has a port by now stays; one without goes", async () => {
    const ports = { ...bytes(dumpLinks), where: [where(["IFLA_LINKINFO", "IFLA_INFO_SLAVE_KIND"], "bridge")] };
    const make = step(0, newBridge("br"), { undo: [step(0, deleteLink("br"), { unlessAny: ports })] });
    const empty = await stage.run([make, failing]);
    expect(empty.undone).toEqual([{ index: 0, position: 0, errno: 0 }]);
    expect(stage.links()).toEqual([]);
    const master: NativeInstruction = step(0, {
      noun: "link",
      type: "RTM_SETLINK",
      header: { index: { slot: "a" } },
      attributes: { master: { slot: "b" } },
    });
    const used = await stage.run([
      make,
      step(0, newVeth("a", "b")),
      capture(0, "a", "a"),
      capture(0, "br", "b"),
      master,
      failing,
    ]);
    expect(used.undone).toEqual([{ index: 0, position: 0, errno: 0, skipped: true }]);
    expect(stage.links()).toEqual(["a", "b", "br"]);
  });
});

describe("sysctl", () => {
  const at = (key: string) => `/proc/sys/net/${key}`;
  const set = (netns: number, key: string, data: string, more: Partial<NativeInstruction> = {}): NativeInstruction => ({
    op: NativeOp.sysctl,
    netns,
    path: at(key),
    data,
    ...more,
  });
  const value = (key: string) => stage.inside(stage.guest, "cat", at(key)).trim();

  test("is written inside the namespace, and put back when a later step fails", async () => {
    const home = await stage.runner.readSysctl(null, at("ipv4/ip_forward"));
    const before = value("ipv4/ip_forward");
    const other = before === "0" ? "1" : "0";
    expect((await stage.run([set(1, "ipv4/ip_forward", other), failing])).undone).toEqual([
      { index: 0, position: 0, errno: 0 },
    ]);
    expect(value("ipv4/ip_forward")).toBe(before);
    expect((await stage.run([set(1, "ipv4/ip_forward", other)])).ok).toBe(true);
    expect(value("ipv4/ip_forward")).toBe(other);
    expect(await stage.runner.readSysctl(stage.guest, at("ipv4/ip_forward"))).toBe(other);
    expect(await stage.runner.readSysctl(null, at("ipv4/ip_forward"))).toBe(home);
    expect((await stage.run([set(1, "ipv4/ip_forward", before, { noUndo: true }), failing])).undone).toEqual([]);
    expect(value("ipv4/ip_forward")).toBe(before);
  });

  test("of a link that is not there is a plain errno; a value the kernel refuses as well", async () => {
    const missing = await stage.run([set(1, "ipv6/conf/eth9/disable_ipv6", "0")]);
    expect(missing.failed).toMatchObject({ errno: ENOENT, syscall: "open", text: expect.stringContaining("eth9") });
    expect((await stage.run([set(1, "ipv6/conf/eth9/disable_ipv6", "0", { tolerate: [ENOENT] })])).ok).toBe(true);
    expect((await stage.run([set(1, "ipv4/ip_forward", "nonsense")])).failed).toMatchObject({
      errno: EINVAL,
      syscall: "write",
    });
    await expect(stage.runner.readSysctl(stage.guest, at("ipv4/nothing"))).rejects.toMatchObject({
      errno: ENOENT,
      syscall: "open",
    });
  });

  test("paths outside /proc/sys/net are refused before anything is done", async () => {
    for (const path of ["/proc/sys/kernel/hostname", "/proc/sys/net/../kernel/hostname", "/etc/hostname", ""]) {
      await expect(stage.run([step(0, newBridge("br")), { ...set(1, "", "x"), path }])).rejects.toThrow(
        /instruction 1: .*\/proc\/sys\/net/,
      );
      await expect(stage.runner.readSysctl(null, path)).rejects.toThrow(TypeError);
    }
    expect(stage.links()).toEqual([]);
  });
});

describe("files", () => {
  const file = (name: string, data: string | null, more: Partial<NativeInstruction> = {}): NativeInstruction => ({
    op: NativeOp.file,
    netns: 0,
    path: join(stage.directory, name),
    data,
    ...more,
  });

  test("are replaced, made, removed, and put back as they were", async () => {
    writeFileSync(join(stage.directory, "kept"), "before");
    writeFileSync(join(stage.directory, "removed"), "here");
    const program = [file("kept", "after"), file("made", "new"), file("removed", null)];
    const failed = await stage.run([...program, failing]);
    expect(failed.undone.map(({ index, errno }) => [index, errno])).toEqual([
      [2, 0],
      [1, 0],
      [0, 0],
    ]);
    expect([stage.read("kept"), stage.read("removed")]).toEqual(["before", "here"]);
    expect(() => stage.read("made")).toThrow(/ENOENT/);
    expect((await stage.run(program)).ok).toBe(true);
    expect([stage.read("kept"), stage.read("made")]).toEqual(["after", "new"]);
    expect(() => stage.read("removed")).toThrow(/ENOENT/);
    expect((await stage.run([file("removed", null), file("kept", "last", { noUndo: true }), failing])).undone).toEqual([
      { index: 0, position: 0, errno: 0 },
    ]);
    expect(stage.read("kept")).toBe("last");
  });

  test("in a directory that is not there are a plain errno", async () => {
    expect((await stage.run([file("nowhere/record", "x")])).failed).toMatchObject({ errno: ENOENT, syscall: "open" });
  });
});
