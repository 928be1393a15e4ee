// A short life of the addon, for the sanitizers: node --expose-gc smoke.mjs <addon> [exit]
// With "exit" the process ends in the middle of everything; else all is brought to its end. Root; own namespaces only.
import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import {
  byName,
  IFINDEX,
  link,
  NLM_F_DUMP,
  notice,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
  veth,
} from "./link-messages.mjs";

const file = isMainThread ? process.argv[2] : workerData.file;
const leaveEarly = process.argv[3] === "exit";
const module = { exports: {} };
process.dlopen(module, file);
const { openNetns, Runner } = module.exports;

/** The family of link notices: AF_UNSPEC. */
const keep = { offset: 16, value: Uint8Array.of(0) };

async function life(lockPath, cycles, ended) {
  const runner = new Runner();
  const [host, guest] = [await runner.createNetns(), await runner.createNetns()];
  const begin = (queries = []) => runner.begin({ namespaces: [host, guest], lockPath, queries });
  for (let i = 0; i < cycles; i++) {
    const { transaction, answers } = await begin([{ netns: 0, message: link(RTM_GETLINK, NLM_F_DUMP) }]);
    assert.equal(answers[0].errno, 0);
    const steps = [
      { op: 0, netns: 0, message: veth("a", "b"), undo: [{ op: 0, netns: 0, message: byName(RTM_DELLINK, "a") }] },
      { op: 0, netns: 0, message: byName(RTM_GETLINK, "a"), capture: { slot: 0, offset: IFINDEX } },
      { op: 1, netns: 0, path: "/proc/sys/net/ipv4/conf/a/arp_notify", data: "1" },
      { op: 2, netns: 0, path: `${lockPath}.record`, data: "record" },
    ];
    if (i % 3 === 0) steps.push({ op: 0, netns: 1, message: byName(RTM_GETLINK, "nothing") });
    const report = await runner.run(transaction, steps, [0]);
    assert.equal(report.ok, i % 3 !== 0);
    if (!report.ok) {
      assert.equal(report.undone.length, 3);
      continue;
    }
    const end = await begin();
    const reap = { op: 3, netns: 0, message: byName(RTM_DELLINK, "a"), notice: notice(0) };
    const reaped = await runner.run(end.transaction, [reap], report.slots);
    assert.ok(reaped.ok);
  }
  const queries = [{ netns: 0, message: byName(RTM_GETLINK, "z") }];
  const watch = await runner.watch({ netns: guest, groups: [1], notable: [{ type: RTM_NEWLINK, keep }] });
  assert.equal((await runner.look(watch, queries))[0].errno, 19);
  const looking = runner.look(watch, queries);
  await runner.run((await begin()).transaction, [{ op: 0, netns: 1, message: veth("z", "zz") }], []);
  assert.equal((await looking)[0].errno, 0);
  await runner.unwatch(watch);
  await assert.rejects(runner.look(watch, queries), { reason: "closed" });
  // Forgotten in the middle of a look, and without one.
  const forgotten = await runner.watch({ netns: guest, groups: [1], notable: [] });
  await runner.look(forgotten, queries);
  // A look under way keeps its thread alive, the watch forgotten or not: only where something ends it.
  if (ended) runner.look(forgotten, queries).catch(() => {});
  await runner.watch({ netns: guest, groups: [1], notable: [] });
  await assert.rejects(runner.begin({ namespaces: [], queries: [] }), TypeError);
  await assert.rejects(runner.run({}, [], []), TypeError);
  assert.throws(() => openNetns("/etc/hostname"), { reason: "not-nsfs" });
  return { runner, begin, guest };
}

async function forget(lockPath) {
  await life(lockPath, 1, false);
  const runner = new Runner();
  await runner.begin({ namespaces: [null], queries: [] });
}

if (!isMainThread) {
  const { begin } = await life(workerData.lockPath, 10, workerData.terminate);
  // Left open, with one more waiting for its lock: the end of the worker has to deal with it.
  await begin();
  begin().catch(() => {});
  if (workerData.terminate) setInterval(() => {}, 1000);
  workerData.ready !== undefined && Atomics.add(workerData.ready, 0, 1);
  Atomics.notify(workerData.ready, 0);
} else {
  const directory = mkdtempSync(join(tmpdir(), "pipework-smoke-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const { runner, begin, guest } = await life(join(directory, "lock"), 12, true);
  const ready = new Int32Array(new SharedArrayBuffer(4));
  const workers = [0, 1, 2].map(
    (i) =>
      new Worker(new URL(import.meta.url), {
        workerData: { file, ready, terminate: i !== 0, lockPath: join(directory, `lock${i}`) },
      }),
  );
  const ends = workers.map(
    (worker) => new Promise((resolve, reject) => worker.on("exit", resolve).on("error", reject)),
  );
  while (Atomics.load(ready, 0) < workers.length) await new Promise((resolve) => setTimeout(resolve, 5));
  if (leaveEarly) {
    await begin();
    begin().catch(() => {});
    process.exit(0);
  }
  await Promise.all([workers[1].terminate(), workers[2].terminate(), ...ends]);
  await forget(join(directory, "forgotten"));
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { transaction } = await begin();
  const waiting = begin();
  guest.close();
  await Promise.all([runner.close(), runner.close(), assert.rejects(waiting, { reason: "closed" })]);
  await assert.rejects(runner.run(transaction, [], []), { reason: "closed" });
}
