import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadAddon } from "../../src/kernel/addon.js";
import type { NativeNetns } from "../../src/kernel/native.js";
import { addonFile } from "./support/child.js";
import {
  capture,
  collectGarbage,
  deleteLink,
  descriptors,
  eventually,
  getLink,
  newVeth,
  reap,
  Stage,
  step,
  threadNames,
  threadNamespaces,
} from "./support/stage.js";

const stage = new Stage();
beforeAll(() => stage.open());
afterAll(() => stage.close());

const idle = () => !threadNames().includes("pw-reap");

test("500 cycles, some failing, some with namespaces of their own: threads are at home, descriptors as before", async () => {
  const home = threadNamespaces();
  expect(home.size).toBe(1);
  const cycle = async (i: number) => {
    const make = step(0, newVeth(`v${i}`, `w${i}`), { undo: [step(0, deleteLink(`v${i}`))] });
    if (i % 5 === 0) expect((await stage.run([make, step(1, getLink("nothing"))])).ok).toBe(false);
    else if (i % 7 === 0) (await stage.runner.createNetns()).close();
    else if (i % 11 === 0) await stage.runner.end((await stage.begin({ lock: true })).transaction);
    else {
      expect((await stage.run([make])).ok).toBe(true);
      expect((await stage.run([capture(0, `v${i}`, "a"), reap(0, "a")])).ok).toBe(true);
    }
  };
  for (let i = 0; i < 32; i++) await cycle(i);
  await eventually(idle);
  const before = descriptors();
  for (let i = 0; i < 500; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, k) => cycle(i + k)));
    expect(threadNamespaces()).toEqual(home);
  }
  await eventually(idle);
  // The last transactions are closed just after their promises are settled.
  await stage.runner.readSysctl(null, "/proc/sys/net/ipv4/ip_forward");
  expect(descriptors()).toBe(before);
  expect(stage.links()).toEqual([]);
});

test("memory does not grow with the number of programs", async () => {
  const rounds = async (count: number) => {
    for (let i = 0; i < count; i++)
      await stage.run([step(0, getLink("lo"), { capture: { slot: 0, offset: 20 } }), step(0, getLink("nothing"))]);
    collectGarbage();
    return process.memoryUsage().rss;
  };
  const before = await rounds(6000);
  const after = await rounds(20_000);
  // What one program takes, messages and report, is above 400 bytes: kept, they would be 8 MB.
  expect(after - before).toBeLessThan(4 << 20);
});

test("handles and runners that were forgotten are closed by the collector", async () => {
  const { Runner, openNetns } = loadAddon();
  collectGarbage();
  const before = descriptors();
  const threads = threadNames().filter((name) => name === "pw-netns").length;
  const forget = async () => {
    for (let i = 0; i < 20; i++) openNetns("/proc/self/ns/net");
    for (let i = 0; i < 5; i++) await new Runner().createNetns();
  };
  await forget();
  expect(descriptors()).toBeGreaterThan(before + 20);
  await eventually(() => {
    collectGarbage();
    return descriptors() <= before && threadNames().filter((name) => name === "pw-netns").length === threads;
  });
});

test("a namespace whose name and last process are gone is worked with as long as its handle is open", async () => {
  const name = `pwt-${process.pid}-gone`;
  const ip = (...words: string[]) => stage.inside(stage.host, "ip", ...words);
  // nsenter would give the name a mount of its own; the namespace is named by the handle's descriptor instead.
  ip("netns", "attach", name, String(process.pid));
  ip("netns", "del", name);
  expect(() => loadAddon().openNetns(`/run/netns/${name}`)).toThrow(expect.objectContaining({ errno: 2 }));
  const netns: NativeNetns = await stage.runner.createNetns();
  const { transaction } = (await stage.runner.begin({ namespaces: [netns], queries: [] })) as {
    transaction: { id: number };
  };
  netns.close();
  expect(await stage.runner.run(transaction, [step(0, newVeth("a", "b")), capture(0, "b", "a")], [0])).toMatchObject({
    ok: true,
  });
});

test("three workers at once, each with its own runner, one after another ending", async () => {
  const source = new URL("./support/child.mjs", import.meta.url);
  for (let round = 0; round < 3; round++) {
    const workers = ["open", "running", "waitingForLock"].map(
      (what) => new Worker(source, { argv: [], workerData: [addonFile, stage.directory, `worker:${what}`] }),
    );
    // The first to arrive is ended while the others go on: they share one lock.
    await Promise.race(workers.map((worker) => once(worker, "message")));
    // Node says 1 of one ended in the middle, and 0 of one that it ended before its first line.
    await Promise.all(workers.map(async (worker) => expect([0, 1]).toContain(await worker.terminate())));
    expect((await stage.run([step(0, getLink("lo"))])).ok).toBe(true);
  }
  expect(threadNamespaces().size).toBe(1);
});
