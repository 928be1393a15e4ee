// A process that does one thing with the addon: node child.mjs <addon> <directory> <what>. Prints JSON lines.
import { join } from "node:path";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { byName, IFINDEX, notice, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK, veth } from "../../native/link-messages.mjs";

const [addon, directory, what] = isMainThread ? process.argv.slice(2) : workerData;
const module = { exports: {} };
process.dlopen(module, addon);
const runner = new module.exports.Runner();

const say = (value) => console.log(JSON.stringify(value));
const lockPath = join(directory, "lock");
const capture = (name, more = {}) => ({
  op: 0,
  netns: 0,
  message: byName(RTM_GETLINK, name),
  capture: { slot: 0, offset: IFINDEX },
  ...more,
});
const remove = (name, more = {}) => ({ op: 0, netns: 0, message: byName(RTM_DELLINK, name), ...more });
const make = (name, more = {}) => ({
  op: 0,
  netns: 0,
  message: veth(name, `${name}-far`),
  undo: [remove(name)],
  ...more,
});
const reap = (name) => ({ op: 3, netns: 0, message: byName(RTM_DELLINK, name), notice: notice(0) });
const begin = async (netns, more = {}) =>
  (await runner.begin({ namespaces: [netns], queries: [], ...more })).transaction;
const run = async (netns, program) => runner.run(await begin(netns), program, [0]);
const watching = (netns) => runner.watch({ netns, groups: [1], notable: [{ type: RTM_NEWLINK }] });
const shown = ({ ok, failed, undone, via }) => ({ ok, failed, undone, via });
const exists = async (netns, name) => (await run(netns, [capture(name)])).ok;

/** For strace: the system call to be hit is the n-th of its name on the namespace thread. */
const faults = {
  async lostAck() {
    const netns = await runner.createNetns();
    const undo = [capture("x", { unlessSlot: 0, optional: true }), remove("x", { ifSlot: 0 })];
    const report = await run(netns, [make("before"), make("x", { undo })]);
    say({ ...shown(report), left: [await exists(netns, "x"), await exists(netns, "before")] });
  },
  /** The first answer of each thread is lost: that of the namespace thread to something optional. */
  async lostAckOfReap() {
    const netns = await runner.createNetns();
    const other = make("y", { undo: [remove("y")] });
    await run(netns, [capture("nothing", { optional: true }), make("x")]);
    say({
      ...shown(await run(netns, [capture("x"), other, reap("x")])),
      left: [await exists(netns, "x"), await exists(netns, "y")],
    });
  },
  async reapWithoutNotice() {
    const netns = await runner.createNetns();
    await run(netns, [make("x")]);
    say({ ...shown(await run(netns, [capture("x"), reap("x")])), left: [await exists(netns, "x")] });
  },
  async unsent() {
    const netns = await runner.createNetns();
    say({
      ...shown(await run(netns, [make("before"), make("x")])),
      left: [await exists(netns, "x"), await exists(netns, "before")],
    });
  },
  async wayHomeOfBegin() {
    const netns = await runner.createNetns();
    const failure = await begin(netns).catch(({ reason, errno, syscall }) => ({ reason, errno, syscall }));
    say({ failure, works: (await run(netns, [make("x")])).ok, namespaces: threadNamespaces() });
  },
  async wayHomeOfSysctl() {
    const netns = await runner.createNetns();
    const path = "/proc/sys/net/ipv4/ip_forward";
    const before = await runner.readSysctl(netns, path);
    const transaction = await begin(netns);
    const report = await runner.run(
      transaction,
      [make("x"), { op: 1, netns: 0, path, data: before === "1" ? "0" : "1" }],
      [],
    );
    const restored = (await runner.readSysctl(netns, path)) === before;
    say({ ...shown(report), restored, left: [await exists(netns, "x")], namespaces: threadNamespaces() });
  },
  /** With no, one, two... descriptors to spare, everything works or says EMFILE, and nothing is lost. */
  async noDescriptors() {
    const count = () => fs.readdirSync("/proc/self/fd").length;
    const netns = await runner.createNetns();
    await run(netns, [make("x")]);
    const before = count();
    const held = [];
    try {
      for (;;) held.push(fs.openSync("/dev/null"));
    } catch {}
    const outcomes = { works: 0, EMFILE: 0, other: [] };
    const attempt = async (work) => {
      const failure = await work().catch((error) => error);
      const errno = failure?.errno ?? failure?.failed?.errno;
      if (errno === undefined) outcomes.works++;
      else if (errno === 24) outcomes.EMFILE++;
      else outcomes.other.push(errno);
    };
    for (let spare = 0; spare < 12; spare++) {
      await attempt(async () => void (await runner.createNetns()).close());
      await attempt(() => run(netns, [capture("x"), make("y"), remove("y")]));
      await attempt(() => run(netns, [{ op: 2, netns: 0, path: `${lockPath}.record`, data: "x" }]));
      await attempt(() => run(netns, [make("z"), capture("z"), reap("z")]));
      await attempt(async () => runner.end(await begin(netns, { lockPath })));
      await attempt(() => runner.readSysctl(netns, "/proc/sys/net/ipv4/ip_forward"));
      await attempt(async () => {
        const other = new module.exports.Runner();
        const failure = await other.createNetns().then(
          (made) => made.close(),
          (error) => error,
        );
        await other.close();
        if (failure instanceof Error) throw failure;
      });
      fs.closeSync(held.pop());
    }
    for (const fd of held) fs.closeSync(fd);
    // The sockets of the last transaction are closed just after its promise is settled.
    await runner.readSysctl(null, "/proc/sys/net/ipv4/ip_forward");
    while (count() > before && fs.readdirSync("/proc/self/task").length > 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    outcomes.left = [await exists(netns, "y"), await exists(netns, "z"), await exists(netns, "x")];
    say(outcomes);
  },
  async notEntered() {
    const netns = await runner.createNetns();
    const failure = await begin(netns).catch(({ reason, errno, syscall }) => ({ reason, errno, syscall }));
    say({ failure, works: (await run(netns, [make("x")])).ok });
  },
};

function threadNamespaces() {
  const names = fs.readdirSync("/proc/self/task").map((task) => fs.readlinkSync(`/proc/self/task/${task}/ns/net`));
  return new Set(names).size;
}

/** The process, or a worker, ends at this stage of its life. */
const stages = {
  async loaded() {},
  async created() {
    await runner.createNetns();
  },
  async open() {
    await begin(await runner.createNetns(), { lockPath });
  },
  async waitingForLock() {
    const netns = await runner.createNetns();
    await begin(netns, { lockPath });
    begin(netns, { lockPath, lockTimeoutMs: 600_000 }).catch(() => {});
  },
  async running() {
    const netns = await runner.createNetns();
    const program = Array.from({ length: 200 }, (_, i) => make(`x${i}`));
    runner.run(await begin(netns, { lockPath }), program, []).catch(() => {});
  },
  async waitingForState() {
    const netns = await runner.createNetns();
    await run(netns, [make("x")]);
    const until = { header: 16, path: [16], value: Uint8Array.of(6), timeoutMs: 600_000 };
    runner.run(await begin(netns, { lockPath }), [{ ...capture("x"), until }], [0]).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 10));
  },
  async reaping() {
    const netns = await runner.createNetns();
    await run(netns, [make("x"), make("y")]);
    for (const name of ["x", "y"]) runner.run(await begin(netns), [capture(name), reap(name)], [0]).catch(() => {});
  },
  async reaped() {
    const netns = await runner.createNetns();
    await run(netns, [make("x")]);
    await run(netns, [capture("x"), reap("x")]);
  },
  async exchanging() {
    const address = Uint8Array.of(16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const payload = byName(RTM_GETLINK, "lo");
    new DataView(payload.buffer).setUint32(0, payload.length, true);
    payload[6] = 1;
    const match = { offset: 4, value: Uint8Array.of(99) };
    runner.exchange({ netns: null, socket: [16, 3, 0], address, payload, match, timeoutMs: 600_000 }).catch(() => {});
    await begin(null);
  },
  async watching() {
    const watch = await watching(await runner.createNetns());
    await runner.look(watch, [{ netns: 0, message: byName(RTM_GETLINK, "lo") }]);
  },
  async looking() {
    const watch = await watching(await runner.createNetns());
    const queries = [{ netns: 0, message: byName(RTM_GETLINK, "lo") }];
    await runner.look(watch, queries);
    runner.look(watch, queries).catch(() => {});
    await begin(null);
  },
  async closing() {
    await begin(await runner.createNetns());
    runner.close();
  },
  async closed() {
    await begin(await runner.createNetns());
    await runner.close();
  },
};

const fs = await import("node:fs");
const [mode, name] = what.split(":");
if (mode === "fault") await faults[name]();
else if (mode === "exit") {
  await stages[name]();
  say("ending");
  process.exit(0);
} else if (mode === "end") {
  // Of its own accord, as nothing holds the event loop.
  await stages[name]();
  say("ending");
} else if (mode === "worker" && isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { argv: [], workerData: [addon, directory, what] });
  worker.on("error", (error) => {
    throw error;
  });
  await new Promise((resolve) => worker.once("message", resolve));
  await worker.terminate();
  // What the worker held is free, and the addon works on here.
  await begin(null, { lockPath, lockTimeoutMs: 20_000 });
  say("ending");
} else if (mode === "worker") {
  await stages[name]();
  (await import("node:worker_threads")).parentPort.postMessage("there");
  setInterval(() => {}, 1000);
}
