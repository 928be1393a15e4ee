import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NativeOp } from "../../src/kernel/native.js";
import {
  bytes,
  capture,
  deleteLink,
  dumpLinks,
  eventually,
  getLink,
  newBridge,
  newVeth,
  reap,
  Stage,
  step,
  threadNames,
} from "./support/stage.js";

const ENODEV = 19;
const EOPNOTSUPP = 95;

const stage = new Stage();
beforeAll(() => stage.open());
afterAll(() => stage.close());

describe("reap", () => {
  test("ends by the notice, and the name is free at once", async () => {
    await stage.run([step(0, newVeth("v", "eth1", stage.guest.fd))]);
    const report = await stage.run([capture(0, "v", "a"), reap(0, "a")]);
    expect(report).toMatchObject({ ok: true, via: "notice", undone: [], results: [{ errno: 0 }, { errno: 0 }] });
    expect(stage.links(stage.host)).toEqual([]);
    expect(stage.links(stage.guest)).toEqual([]);
    expect((await stage.run([step(0, newVeth("v", "w"))])).ok).toBe(true);
    await stage.run([step(0, deleteLink("v"))]);
  });

  test("of a port is not ended by the bridge's word that the port has left", async () => {
    for (let i = 0; i < 20; i++) {
      const port = {
        noun: "link",
        type: "RTM_SETLINK",
        header: { index: { slot: "a" } },
        attributes: { master: { slot: "b" } },
      } as const;
      const make = [
        step(0, newBridge("br")),
        step(0, newVeth("v", "w")),
        capture(0, "v", "a"),
        capture(0, "br", "b"),
        step(0, port),
      ];
      expect((await stage.run(make)).ok).toBe(true);
      expect(await stage.run([capture(0, "v", "a"), reap(0, "a")])).toMatchObject({ ok: true, via: "notice" });
      expect((await stage.run([step(0, getLink("v"))])).failed).toMatchObject({ errno: ENODEV });
      await stage.run([step(0, deleteLink("br"))]);
    }
  });

  test("works at either side, and lets the other namespace's interface of that index be", async () => {
    await stage.run([step(1, newVeth("eth1", "v", stage.host.fd)), step(0, newBridge("other"))]);
    expect(await stage.run([capture(1, "eth1", "b"), reap(1, "b")])).toMatchObject({ ok: true, via: "notice" });
    expect([stage.links(stage.host), stage.links(stage.guest)]).toEqual([["other"], []]);
    await stage.run([step(0, deleteLink("other"))]);
  });

  test("that the kernel refuses undoes what went before, by ifindex", async () => {
    const { message } = bytes(deleteLink("lo"));
    const notice = { group: 1, type: 17, offset: 20, value: 1 };
    const report = await stage.run([
      step(0, newBridge("br"), {
        undo: [step(0, { noun: "link", type: "RTM_DELLINK", header: { index: { slot: "a" } }, attributes: {} })],
      }),
      capture(0, "br", "a"),
      { op: NativeOp.reap, netns: 0, message, notice },
    ]);
    expect(report).toMatchObject({
      ok: false,
      via: "ack",
      failed: { index: 2, errno: EOPNOTSUPP },
      undone: [{ index: 0, position: 0, errno: 0 }],
    });
    expect(stage.links()).toEqual([]);
  });

  test("of what is gone already is a failure, or tolerated", async () => {
    const gone = {
      op: NativeOp.reap,
      netns: 0,
      ...bytes(deleteLink("nothing")),
      notice: { group: 1, type: 17, offset: 20, value: 4000 },
    };
    expect(await stage.run([gone])).toMatchObject({ ok: false, via: "ack", failed: { errno: ENODEV } });
    expect(await stage.run([{ ...gone, tolerate: [ENODEV] }])).toMatchObject({
      ok: true,
      via: "ack",
      results: [{ errno: ENODEV }],
    });
    expect(await stage.run([{ ...gone, optional: true }])).toMatchObject({ ok: true, results: [{ errno: ENODEV }] });
  });

  test("without a notice to wait for ends by the ack", async () => {
    await stage.run([step(0, newBridge("br"))]);
    expect(await stage.run([{ op: NativeOp.reap, netns: 0, ...bytes(deleteLink("br")) }])).toMatchObject({
      ok: true,
      via: "ack",
    });
    expect(stage.links()).toEqual([]);
  });

  test("of an empty slot, or one it is not to be done for", async () => {
    expect((await stage.run([reap(0, "a")])).failed).toMatchObject({ text: "slot 0 is empty" });
    expect(await stage.run([{ ...reap(0, "a"), ifSlot: 0 }])).toMatchObject({ ok: true, results: [{ skipped: true }] });
    const any = { ...bytes(dumpLinks), where: [] };
    expect(await stage.run([{ ...reap(0, "a"), unlessAny: any }], [4000, 0, 0])).toMatchObject({
      results: [{ skipped: true }],
    });
  });

  test("holds the lock until the link is gone, and no longer than that", async () => {
    await stage.run([step(0, newVeth("v", "w"))]);
    const { transaction } = await stage.begin({ lock: true });
    const waiting = stage.begin({ lock: true, queries: [{ netns: 0, ...bytes(getLink("v")) }] });
    const report = await stage.runner.run(transaction, [capture(0, "v", "a"), reap(0, "a")], [0]);
    expect(report.via).toBe("notice");
    const next = await waiting;
    expect(next.answers[0]?.errno).toBe(ENODEV);
    await stage.runner.end(next.transaction);
  });

  test("with keep leaves the transaction open, but takes nothing else meanwhile", async () => {
    await stage.run([step(0, newVeth("v", "w"))]);
    const { transaction } = await stage.begin({ lock: true });
    const running = stage.runner.run(transaction, [capture(0, "v", "a"), reap(0, "a")], [0], true);
    await expect(stage.runner.run(transaction, [], [])).rejects.toMatchObject({ reason: "closed" });
    expect((await running).ok).toBe(true);
    expect(await stage.runner.run(transaction, [step(0, getLink("lo"))], [])).toMatchObject({ ok: true });
  });

  test("forty at once: all end by their notice while programs go on; the threads for it end as well", async () => {
    const names = Array.from({ length: 40 }, (_, i) => `v${i}`);
    await stage.run(names.map((name) => step(0, newVeth(name, `w${name}`))));
    const begun = await Promise.all(names.map(() => stage.begin()));
    const reaps = begun.map(({ transaction }, i) =>
      stage.runner.run(transaction, [capture(0, names[i] as string, "a"), reap(0, "a")], [0]),
    );
    const between = stage.run([step(1, newBridge("br")), step(1, deleteLink("br"))]);
    const reports = await Promise.all(reaps);
    expect((await between).ok).toBe(true);
    expect(reports.map(({ ok, via }) => [ok, via])).toEqual(names.map(() => [true, "notice"]));
    expect(stage.links()).toEqual([]);
    await eventually(() => !threadNames().includes("pw-reap"));
  });
});
