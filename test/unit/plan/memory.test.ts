import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DisplacedRoute,
  type Memory,
  memoryAlias,
  memoryRecord,
  parseAlias,
  parseRecord,
} from "../../../src/plan/memory.js";

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const ifname = fc.string({ minLength: 1, maxLength: 15, unit: "grapheme" }).filter((name) => !/[/:\0]/.test(name));
const v4 = fc.ipV4();
const route: fc.Arbitrary<DisplacedRoute> = fc
  .record({
    ifindex: u32,
    dev: ifname,
    metric: u32,
    protocol: fc.nat(255),
    scope: fc.nat(255),
    via: fc.option(v4),
    prefsrc: fc.option(v4),
    onlink: fc.boolean(),
  })
  .map(({ via, prefsrc, onlink, ...rest }) => ({
    family: "inet",
    ...rest,
    ...(via === null ? {} : { via }),
    ...(prefsrc === null ? {} : { prefsrc }),
    ...(onlink ? { onlink } : {}),
  }));
const memory: fc.Arbitrary<Memory> = fc.record({
  guest: fc.string({ minLength: 1, maxLength: 80 }).filter((text) => !text.startsWith("@")),
  ifname,
  netns: fc.nat(),
  displaced: fc.array(route, { maxLength: 2 }),
});

describe("what is remembered of an attachment", () => {
  test("comes back from the alias, or from the record that the alias names", () => {
    fc.assert(
      fc.property(memory, (one) => {
        const { alias, record } = memoryAlias(one);
        const parsed = parseAlias(alias);
        expect(parsed).toEqual(record === undefined ? { memory: one } : { record: record.name });
        if (record !== undefined) expect(parseRecord(record.content)).toEqual(one);
      }),
    );
  });

  test("fits the kernel's 255 bytes, whatever it is", () => {
    fc.assert(
      fc.property(memory, (one) => {
        expect(new TextEncoder().encode(memoryAlias(one).alias).length).toBeLessThanOrEqual(255);
      }),
    );
  });

  test("a container with both defaults displaced needs no record", () => {
    const displaced: DisplacedRoute[] = [
      { family: "inet", ifindex: 12, dev: "eth0", via: "172.17.0.1", metric: 0, protocol: 3, scope: 0 },
      { family: "inet6", ifindex: 12, dev: "eth0", via: "fd00:1234:5678:9abc::1", metric: 1024, protocol: 3, scope: 0 },
    ];
    const { alias, record } = memoryAlias({
      guest: `docker:${"0123456789abcdef".repeat(4)}`,
      ifname: "eth1",
      netns: 4026532501,
      displaced,
    });
    expect(record).toBeUndefined();
    expect(alias).toMatch(/^pipework:1 docker:/);
  });

  test("a route that the alias cannot hold goes into a record", () => {
    const raw: DisplacedRoute = {
      family: "inet",
      ifindex: 0,
      dev: "if0",
      metric: 0,
      protocol: 3,
      scope: 0,
      raw: "00ff",
    };
    const { alias, record } = memoryAlias({ guest: "netns:blue", ifname: "eth1", netns: 1, displaced: [raw] });
    expect(alias).toBe(`pipework:1 @${record?.name}`);
    expect(parseRecord(record?.content ?? "")?.displaced).toEqual([raw]);
  });
});

describe("what is not ours, or damaged,", () => {
  test.each([
    [undefined],
    [""],
    ["uplink"],
    ["pipework"],
    ["pipework:"],
    ["pipework:2 a b 3"],
    ["pipework:1"],
    ["pipework:1 a"],
    ["pipework:1 a b c"],
    ["pipework:1 a b 3 nonsense"],
    ["pipework:1 @../../etc/passwd"],
    ["pipework:1 %ff b 3"],
  ])("is not read from alias %j", (alias) => {
    expect(parseAlias(alias)).toBeUndefined();
  });

  test("no alias makes reading fail", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseAlias(`pipework:1 ${text}`)).not.toThrow();
      }),
    );
  });

  test.each([
    [""],
    ["{}"],
    ["null"],
    ["[]"],
    ['{"version":2,"guest":"a","ifname":"b","netns":1,"displaced":[]}'],
    ['{"version":1,"guest":"a","ifname":"b","netns":"1","displaced":[]}'],
    ['{"version":1,"guest":"a","ifname":"b","netns":1,"displaced":[{}]}'],
    ['{"version":1,"guest":"a","ifname":"b","netns":1,"displaced":[],'],
  ])("is not read from record %j", (content) => {
    expect(parseRecord(content)).toBeUndefined();
  });

  test("a record cut short anywhere is not read", () => {
    const whole = memoryRecord({
      guest: "netns:blue",
      ifname: "eth1",
      netns: 7,
      displaced: [],
      type: "macvlan",
      to: "nic0",
      mac: "02:00:00:00:00:01",
    });
    expect(parseRecord(whole)).toMatchObject({ type: "macvlan" });
    for (let length = 0; length < whole.length - 1; length++)
      expect(parseRecord(whole.slice(0, length))).toBeUndefined();
  });
});
