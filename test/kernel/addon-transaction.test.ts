import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadAddon } from "../../src/kernel/addon.js";
import { type NativeInstruction, NativeOp, type NativeRunner } from "../../src/kernel/native.js";
import { bytes, collectGarbage, getLink, newBridge, Stage, step } from "./support/stage.js";

const stage = new Stage();
beforeAll(() => stage.open());
afterAll(() => stage.close());

const message = bytes(getLink("lo")).message;

describe("the lock", () => {
  test("is given in the order of asking; who needs none does not wait", async () => {
    const first = await stage.begin({ lock: true });
    const order: number[] = [];
    const line = [1, 2, 3, 4, 5, 6].map(async (n) => {
      const { transaction } = await stage.begin({ lock: true });
      order.push(n);
      // Those behind are not let in by work, only by the end of it.
      await stage.runner.query(transaction, [{ netns: 0, message }]);
      expect(order).toHaveLength(n);
      await stage.runner.run(transaction, [step(0, getLink("lo"))], []);
    });
    const { transaction } = await stage.begin();
    await stage.runner.end(transaction);
    expect(order).toEqual([]);
    await stage.runner.end(first.transaction);
    await Promise.all(line);
    expect(order).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("one that waits in line for longer than it may is refused, and the others move up", async () => {
    const { transaction } = await stage.begin({ lock: true });
    const patient = stage.begin({ lock: true });
    await expect(stage.begin({ lock: true, lockTimeoutMs: 5 })).rejects.toMatchObject({ reason: "lock-timeout" });
    await stage.runner.end(transaction);
    await stage.runner.end((await patient).transaction);
  });

  test("keeps processes apart: one waits for the other, or is out of time; a killed one holds nothing", async () => {
    const holder = spawn("flock", ["-x", stage.lockPath, "sh", "-c", "echo held; exec sleep 600"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    await expect(stage.begin({ lock: true, lockTimeoutMs: 20 })).rejects.toMatchObject({
      reason: "lock-timeout",
      message: `the lock ${stage.lockPath} was not free within 20 ms`,
    });
    const waiting = stage.begin({ lock: true });
    // Without a lock meanwhile.
    await stage.runner.end((await stage.begin()).transaction);
    // flock's child inherited the lock: both are ours to end.
    const children = spawn("pkill", ["-KILL", "-P", String(holder.pid)]);
    await once(children, "exit");
    holder.kill("SIGKILL");
    await stage.runner.end((await waiting).transaction);
  });

  test("is held until a program has ended, and longer with keep", async () => {
    const { transaction } = await stage.begin({ lock: true });
    let next = false;
    const waiting = stage.begin({ lock: true }).then((begun) => {
      next = true;
      return begun;
    });
    expect(await stage.runner.run(transaction, [step(0, getLink("lo"))], [], true)).toMatchObject({ ok: true });
    expect(await stage.runner.run(transaction, [step(0, getLink("nothing"))], [], true)).toMatchObject({ ok: false });
    expect(next).toBe(false);
    await stage.runner.run(transaction, [], []);
    await stage.runner.end((await waiting).transaction);
  });

  test("in a directory that is not there: the errno, for this one alone", async () => {
    const options = { namespaces: [stage.host], lockPath: `${stage.directory}/nowhere/lock`, queries: [] };
    await expect(stage.runner.begin(options)).rejects.toMatchObject({ errno: 2, syscall: "open" });
    await stage.runner.end((await stage.begin({ lock: true })).transaction);
  });

  test("of a transaction that nobody holds any more is given back by the collector", async () => {
    await stage.begin({ lock: true });
    const collect = setInterval(collectGarbage, 5);
    const { transaction } = await stage.begin({ lock: true });
    clearInterval(collect);
    await stage.runner.end(transaction);
  });
});

describe("a transaction", () => {
  test("that has ended takes no more work; ending it again is harmless", async () => {
    const { transaction } = await stage.begin();
    await stage.runner.end(transaction);
    await stage.runner.end(transaction);
    await expect(stage.runner.query(transaction, [])).rejects.toMatchObject({ reason: "closed" });
    await expect(stage.runner.run(transaction, [], [])).rejects.toMatchObject({ reason: "closed" });
  });

  test("keeps its namespaces open, though their owner closes them", async () => {
    const netns = await stage.runner.createNetns();
    const { transaction } = (await stage.runner.begin({ namespaces: [netns], queries: [] })) as {
      transaction: { id: number };
    };
    netns.close();
    netns.close();
    expect([netns.fd, netns.closed]).toEqual([-1, true]);
    const sysctl: NativeInstruction = {
      op: NativeOp.sysctl,
      netns: 0,
      path: "/proc/sys/net/ipv4/ip_forward",
      data: "1",
    };
    const report = await stage.runner.run(transaction, [step(0, newBridge("br")), step(0, getLink("br")), sysctl], []);
    expect(report).toMatchObject({ ok: true });
    await expect(stage.runner.begin({ namespaces: [netns], queries: [] })).rejects.toThrow("the Netns is closed");
  });

  test("works at home as well, and in several namespaces", async () => {
    const { transaction, answers } = (await stage.runner.begin({
      namespaces: [null, stage.guest, null],
      queries: [0, 1, 2].map((netns) => ({ netns, message })),
    })) as { transaction: { id: number }; answers: { errno: number; replies: Uint8Array }[] };
    expect(answers.map(({ errno }) => errno)).toEqual([0, 0, 0]);
    await stage.runner.end(transaction);
  });

  test("of another netlink protocol", async () => {
    const { transaction } = (await stage.runner.begin({
      namespaces: [null, stage.guest],
      protocol: 16,
      queries: [],
    })) as { transaction: { id: number } };
    // NETLINK_GENERIC: CTRL_CMD_GETFAMILY of "nlctrl" (linux/genetlink.h).
    const ask = new Uint8Array(16 + 4 + 12);
    const view = new DataView(ask.buffer);
    view.setUint16(4, 16, true);
    ask.set([3, 1], 16);
    view.setUint16(20, 11, true);
    view.setUint16(22, 2, true);
    ask.set(new TextEncoder().encode("nlctrl"), 24);
    const [home, guest] = await stage.runner.query(
      transaction,
      [0, 1].map((netns) => ({ netns, message: ask })),
    );
    expect([home?.errno, guest?.errno]).toEqual([0, 0]);
    expect(home?.replies.length).toBeGreaterThan(20);
    await stage.runner.end(transaction);
  });
});

describe("what is handed over is checked", () => {
  const other: NativeRunner = new (loadAddon().Runner)();
  afterAll(() => other.close());

  test("objects that are not ours", async () => {
    const { transaction } = await stage.begin();
    await expect(other.run(transaction, [], [])).rejects.toThrow("a transaction of this runner is needed");
    for (const wrong of [{}, { id: 1 }, stage.guest, null, undefined, 1, Object.create(transaction)]) {
      await expect(stage.runner.run(wrong as never, [], [])).rejects.toThrow(TypeError);
      await expect(stage.runner.end(wrong as never)).rejects.toThrow(TypeError);
    }
    for (const wrong of [{}, transaction, 3, "/proc/self/ns/net", undefined, Object.create(stage.guest)]) {
      await expect(stage.runner.begin({ namespaces: [wrong as never], queries: [] })).rejects.toThrow(TypeError);
    }
    await stage.runner.end(transaction);
  });

  test("methods borrowed onto other objects", () => {
    const { begin, close } = stage.runner;
    for (const foreign of [{}, stage.guest, Object.create(stage.runner)]) {
      expect(() => begin.call(foreign, { namespaces: [null], queries: [] })).toThrow(TypeError);
      expect(() => close.call(foreign)).toThrow(TypeError);
    }
    const read = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(stage.guest), "fd")?.get;
    expect(() => read?.call(stage.runner)).toThrow(TypeError);
    expect(() => new (stage.guest.constructor as new () => unknown)()).toThrow("a Netns comes from");
  });

  test("programs", async () => {
    const { transaction } = await stage.begin();
    const sound = step(0, getLink("lo"));
    const refused = async (program: unknown, slots: unknown = [0]) => {
      const error = await stage.runner.run(transaction, program as never, slots as never, true).then(
        () => undefined,
        (reason: Error) => reason,
      );
      expect(error).toBeInstanceOf(TypeError);
      return error?.message;
    };
    expect(await refused({})).toBe("program: an array is needed");
    expect(await refused([3])).toBe("instruction 0: program: an object is needed");
    expect(await refused([sound, { ...sound, op: 9 }])).toMatch(/^instruction 1: op: an integer/);
    expect(await refused([{ ...sound, netns: 2 }])).toBe("instruction 0: there is no namespace 2");
    expect(await refused([{ ...sound, netns: 1.5 }])).toMatch(/integer/);
    expect(await refused([{ ...sound, message: new Uint8Array(15) }])).toMatch(/15 bytes/);
    expect(await refused([{ ...sound, message: new Uint8Array((1 << 20) + 1) }])).toMatch(/1048577 bytes/);
    expect(await refused([{ ...sound, message: new Uint16Array(32) }])).toMatch(/Uint8Array/);
    expect(await refused([{ ...sound, message: undefined }])).toMatch(/Uint8Array/);
    expect(await refused([{ ...sound, relocations: [sound.message?.length, 0] }])).toMatch(/relocation at byte/);
    expect(await refused([{ ...sound, relocations: [20] }])).toMatch(/pairs/);
    expect(await refused([{ ...sound, relocations: [20, 1] }])).toMatch(/no slot 1/);
    expect(await refused([{ ...sound, relocations: [20, -1] }])).toMatch(/integer/);
    expect(await refused([{ ...sound, capture: { slot: 1, offset: 0 } }])).toMatch(/no slot 1/);
    expect(await refused([{ ...sound, capture: 1 }])).toMatch(/object/);
    expect(await refused([{ ...sound, optional: 1 }])).toMatch(/boolean/);
    expect(await refused([{ ...sound, undo: [{ ...sound, undo: [] }] }])).toMatch(/no undo of its own/);
    expect(await refused([{ ...sound, undo: [{ ...sound, op: NativeOp.reap }] }])).toMatch(/reap cannot undo/);
    expect(await refused([{ ...sound, op: NativeOp.reap }, sound])).toMatch(/reap must be the last/);
    expect(await refused(Array(4097).fill(sound))).toMatch(/4096/);
    expect(await refused([], [2 ** 32])).toMatch(/slots/);
    expect(await refused([], [-1])).toMatch(/slots/);
    const trap = {
      get op(): number {
        throw new Error("from a getter");
      },
    };
    expect(await refused([trap])).toMatch(/cannot be read/);
    // None of this has hurt the transaction.
    expect(await stage.runner.run(transaction, [sound], [])).toMatchObject({ ok: true });
  });

  test("queries, lock paths, exchanges", async () => {
    const queries = [{ netns: 0, message }];
    await expect(stage.runner.begin(undefined as never)).rejects.toThrow(TypeError);
    await expect(stage.runner.begin({ namespaces: [], queries: [] })).rejects.toThrow("at least one");
    await expect(stage.runner.begin({ namespaces: [null], queries: [{ netns: 1, message }] })).rejects.toThrow("netns");
    await expect(stage.runner.begin({ namespaces: [null], queries, lockPath: "relative" })).rejects.toThrow("absolute");
    await expect(
      stage.runner.begin({ namespaces: [null], queries, lockPath: "/x", lockTimeoutMs: -1 }),
    ).rejects.toThrow("lockTimeoutMs");
    await expect(stage.runner.begin({ namespaces: [null], queries, protocol: 99 })).rejects.toThrow("protocol");
    const sound = {
      netns: null,
      address: new Uint8Array(12),
      payload: message,
      match: { offset: 0, value: new Uint8Array() },
      timeoutMs: 1,
    };
    await expect(stage.runner.exchange({ ...sound, socket: [16, 3] as never })).rejects.toThrow("socket");
    await expect(stage.runner.exchange({ ...sound, socket: [16, 3, 0], address: new Uint8Array(200) })).rejects.toThrow(
      "address",
    );
  });
});

describe("exchange", () => {
  const NETLINK = [16, 3, 0] as [number, number, number];
  const address = Uint8Array.of(16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const request = message.slice();
  new DataView(request.buffer).setUint32(0, request.length, true);
  request[6] = 1;

  test("returns the datagram that matches, from inside the namespace", async () => {
    const other = { netns: stage.guest, socket: NETLINK, address, payload: request, timeoutMs: 20_000 };
    const reply = await stage.runner.exchange({ ...other, match: { offset: 4, value: Uint8Array.of(16, 0) } });
    expect(reply?.[4]).toBe(16);
  });

  test("is null when none comes in time, and an errno when it cannot be sent", async () => {
    const other = {
      netns: stage.guest,
      socket: NETLINK,
      payload: request,
      timeoutMs: 5,
      match: { offset: 4, value: Uint8Array.of(99) },
    };
    expect(await stage.runner.exchange({ ...other, address })).toBeNull();
    // lo is down in the guest, so 127.0.0.1 cannot be reached.
    const udp = {
      ...other,
      socket: [2, 2, 0] as [number, number, number],
      address: Uint8Array.of(2, 0, 0, 9, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    };
    await expect(stage.runner.exchange(udp)).rejects.toMatchObject({ errno: 101, syscall: "sendto" });
  });
});

describe("close", () => {
  test("ends what is open, refuses what waits and what comes later, and may be repeated", async () => {
    const runner: NativeRunner = new (loadAddon().Runner)();
    const netns = await runner.createNetns();
    const options = { namespaces: [netns], lockPath: `${stage.directory}/close`, queries: [] };
    await runner.begin(options);
    const waiting = runner.begin(options);
    const refused = expect(waiting).rejects.toMatchObject({ reason: "closed" });
    await Promise.all([runner.close(), runner.close()]);
    await refused;
    await runner.close();
    await expect(runner.createNetns()).rejects.toMatchObject({ reason: "closed", message: "the runner is closed" });
    const again: NativeRunner = new (loadAddon().Runner)();
    await again.begin(options);
    await again.close();
    netns.close();
  });

  test("of one that never worked", async () => {
    const runner: NativeRunner = new (loadAddon().Runner)();
    await runner.close();
    await expect(runner.begin({ namespaces: [null], queries: [] })).rejects.toMatchObject({ reason: "closed" });
  });
});

test("openNetns says what a path is", () => {
  const { openNetns } = loadAddon();
  const own = openNetns("/proc/self/ns/net");
  expect(own.ino).toBeGreaterThan(0);
  own.close();
  expect(() => openNetns("/etc/hostname")).toThrow(expect.objectContaining({ reason: "not-nsfs" }));
  expect(() => openNetns("/proc/self/ns/mnt")).toThrow(expect.objectContaining({ reason: "not-net" }));
  expect(() => openNetns("/run/netns/nothing")).toThrow(expect.objectContaining({ errno: 2, syscall: "open" }));
  expect(() => openNetns("/proc/self/ns/net\0x")).toThrow(expect.objectContaining({ errno: 22 }));
  expect(() => (openNetns as unknown as (path: number) => void)(3)).toThrow(TypeError);
});
