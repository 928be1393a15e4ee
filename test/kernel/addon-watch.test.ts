import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NativeQuery, NativeWatch } from "../../src/kernel/native.js";
import {
  bytes,
  collectGarbage,
  deleteLink,
  descriptors,
  eventually,
  getLink,
  newBridge,
  Stage,
  step,
  threadNames,
} from "./support/stage.js";

const ENODEV = 19;
const [RTNLGRP_LINK, RTM_NEWLINK, RTM_DELLINK] = [1, 16, 17];

const stage = new Stage();
beforeAll(() => stage.open());
afterAll(() => stage.close());

const queries: NativeQuery[] = [{ netns: 0, message: bytes(getLink("eth1")).message }];
const notable = [{ type: RTM_NEWLINK }, { type: RTM_DELLINK }];
const watchGuest = () => stage.runner.watch({ netns: stage.guest, groups: [RTNLGRP_LINK], notable });
const look = async (watch: NativeWatch) => (await stage.runner.look(watch, queries))?.map(({ errno }) => errno);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a watch", () => {
  test("asks at once, then when something has come; the namespace handle is not needed for it", async () => {
    const watch = await watchGuest();
    expect(await look(watch)).toEqual([ENODEV]);
    const waiting = look(watch);
    await stage.run([step(1, newBridge("eth1"))]);
    expect(await waiting).toEqual([0]);
    const again = look(watch);
    await stage.run([step(1, deleteLink("eth1"))]);
    expect(await again).toEqual([ENODEV]);
    await stage.runner.unwatch(watch);
    await stage.runner.unwatch(watch);
    await expect(look(watch)).rejects.toMatchObject({ reason: "closed" });
  });

  test("of one namespace does not hear another's, nor what is not notable", async () => {
    const value = Uint8Array.of(7);
    const family = { offset: 16, value };
    const deaf = await stage.runner.watch({
      netns: stage.guest,
      groups: [RTNLGRP_LINK],
      notable: [{ type: RTM_NEWLINK, keep: family }],
    });
    const other = await stage.runner.watch({ netns: stage.host, groups: [RTNLGRP_LINK], notable });
    await Promise.all([look(deaf), look(other)]);
    const answered: string[] = [];
    const looks = [
      look(deaf).then(
        () => answered.push("deaf"),
        () => {},
      ),
      look(other).then(
        () => answered.push("other"),
        () => {},
      ),
    ];
    await stage.run([step(1, newBridge("eth1")), step(1, deleteLink("eth1"))]);
    await pause(50);
    await Promise.all([stage.runner.unwatch(deaf), stage.runner.unwatch(other)]);
    await Promise.all(looks);
    expect(answered).toEqual([]);
  });

  test("that is forgotten is ended by the collector; one that is looked at is not", async () => {
    const before = descriptors();
    const forget = async () => void (await look(await watchGuest()));
    for (let i = 0; i < 10; i++) await forget();
    const waiting = await (async () => {
      const watch = await watchGuest();
      await look(watch);
      return { answer: look(watch) };
    })();
    await eventually(() => {
      collectGarbage();
      return descriptors() <= before + 2;
    });
    await stage.run([step(1, newBridge("eth1"))]);
    expect(await waiting.answer).toEqual([0]);
    await stage.run([step(1, deleteLink("eth1"))]);
    await eventually(() => {
      collectGarbage();
      return descriptors() <= before;
    });
  });

  test("a hundred at once: no more threads than a few, and none afterwards", async () => {
    const watches = await Promise.all(Array.from({ length: 100 }, watchGuest));
    await Promise.all(watches.map(look));
    const looks = watches.map(look);
    await stage.run([step(1, newBridge("eth1"))]);
    expect(new Set((await Promise.all(looks)).flat())).toEqual(new Set([0]));
    // Four at a time, and those that have just been through.
    expect(threadNames().filter((name) => name === "pw-reap").length).toBeLessThan(16);
    await Promise.all(watches.map((watch) => stage.runner.unwatch(watch)));
    await stage.run([step(1, deleteLink("eth1"))]);
    await eventually(() => !threadNames().includes("pw-reap"));
  });

  test("nonsense is told apart", async () => {
    const { runner } = stage;
    await expect(runner.watch({ netns: {} as never, groups: [], notable: [] })).rejects.toThrow(/Netns or null|netns/);
    await expect(runner.watch({ netns: null, groups: [1.5], notable: [] })).rejects.toThrow(/groups/);
    await expect(runner.watch({ netns: null, groups: [1], notable: [{ type: 1e6 }] })).rejects.toThrow(/type/);
    await expect(runner.watch({ netns: null, groups: [], notable: [], path: "/x" })).rejects.toThrow(/path/);
    await expect(runner.watch({ netns: stage.guest, groups: [], notable: [], pid: -1 })).rejects.toThrow(/pid/);
    await expect(runner.watch({ netns: stage.guest, groups: [4000], notable: [] })).rejects.toMatchObject({
      errno: 22,
    });
    await expect(runner.look({ id: 1 }, queries)).rejects.toThrow(/a watch of this runner/);
    const { transaction } = await stage.begin();
    await expect(runner.look(transaction, queries)).rejects.toThrow(/a watch of this runner/);
    await runner.end(transaction);
    const watch = await watchGuest();
    await expect(runner.end(watch)).rejects.toThrow(/a transaction of this runner/);
    const outside: NativeQuery = { ...(queries[0] as NativeQuery), netns: 1 };
    await expect(runner.look(watch, [outside])).rejects.toThrow(/netns/);
    await runner.unwatch(watch);
  });
});
