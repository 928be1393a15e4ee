import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import { PipeworkError } from "../../src/values/error.js";
import { Children, type Ended } from "./support/command-process.js";
import { awaited, settled } from "./support/snapshot.js";
import { closeWorlds, run, World } from "./support/world.js";

let children: Children;

beforeAll(async () => {
  children = await Children.make();
});

afterAll(async () => {
  await closeWorlds();
  children.dispose();
});

function bridged(): { world: World; guest: string; ref: string } {
  const world = new World();
  const guest = world.guest();
  world.bridge("br1");
  return { world, guest, ref: `netns:${guest}` };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe("at once, to one guest", () => {
  test("twelve of different names all succeed", async () => {
    const { world, guest, ref } = bridged();
    const instance = world.instance();
    const all = await Promise.all(
      numbers(12).map((n) =>
        attach(instance, {
          guest: ref,
          to: "br1",
          ifname: `eth${n}`,
          addresses: [`10.0.${n}.2/24`],
          gateway: `10.0.${n}.1`,
        }),
      ),
    );
    expect(all.map(({ outcome }) => outcome)).toEqual(Array(12).fill("attached"));
    for (const n of numbers(12)) expect(world.addresses(guest, `eth${n}`)).toContain(`10.0.${n}.2/24`);
    expect(world.json(guest, "route", "show", "default")).toHaveLength(1);
    const before = world.json(world.host, "link", "show", "master", "br1").length;
    await Promise.all(numbers(12).map((n) => detach(instance, { guest: ref, ifname: `eth${n}` })));
    expect(world.json(world.host, "link", "show", "master", "br1")).toHaveLength(before - 12);
    expect(world.json(guest, "route")).toEqual([]);
  });

  test("six of one name and different configurations leave exactly one", async () => {
    const { world, guest, ref } = bridged();
    const instances = numbers(6).map(() => world.instance());
    const settledAll = await Promise.allSettled(
      instances.map((instance, i) =>
        attach(instance, { guest: ref, to: "br1", addresses: [`10.0.${i}.2/24`], mac: `02:00:00:00:00:0${i}` }),
      ),
    );
    const won = settledAll.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(won).toHaveLength(1);
    for (const one of settledAll) {
      if (one.status === "fulfilled") continue;
      expect(one.reason).toBeInstanceOf(PipeworkError);
      expect(one.reason).toMatchObject({ code: "name-taken" });
      expect(one.reason.message).toContain(won[0]?.mac);
    }
    expect(world.addresses(guest, "eth1")).toEqual(won[0]?.addresses);
    // The port that the bridge of the test has, and the one that won.
    expect(world.json(world.host, "link", "show", "master", "br1")).toHaveLength(2);
    expect(world.json(guest, "link")).toHaveLength(2);
  });

  test("six of one name and one configuration all succeed, one by doing it", async () => {
    const { world, ref } = bridged();
    const instances = numbers(6).map(() => world.instance());
    const all = await Promise.all(
      instances.map((instance) => attach(instance, { guest: ref, to: "br1", addresses: ["10.0.0.2/24"] })),
    );
    expect(all.map(({ outcome }) => outcome).sort()).toEqual(["attached", ...Array(5).fill("unchanged")]);
  });
});

describe("processes at once", () => {
  test("six racing for one name leave exactly one, and each other one a sentence", async () => {
    const { world, guest } = bridged();
    const all = await Promise.all(
      numbers(6).map((n) =>
        children.run(world, guest, {
          attach: { to: "br1", addresses: [`10.0.${n}.2/24`], mac: `02:00:00:00:00:0${n}` },
        }),
      ),
    );
    expect(all.filter(({ outcome }) => outcome === "attached")).toHaveLength(1);
    const refused = all.filter((one): one is Ended & { error: Record<string, unknown> } => one.error !== undefined);
    expect(refused.map(({ error }) => error["code"])).toEqual(Array(5).fill("name-taken"));
    expect(world.json(world.host, "link", "show", "master", "br1")).toHaveLength(2);
    expect(world.json(guest, "link")).toHaveLength(2);
  });

  test("twenty attaching to a bridge that does not exist make one bridge, whole", async () => {
    const world = new World();
    const guests = numbers(20).map(() => world.guest());
    const all = await Promise.all(
      guests.map((guest, i) =>
        children.run(world, guest, { attach: { to: "br1", addresses: [`10.0.0.${i + 1}/24`] } }),
      ),
    );
    expect(all.map(({ outcome, error }) => outcome ?? error)).toEqual(Array(20).fill("attached"));
    const links = world.json(world.host, "-d", "link");
    expect(links.filter(({ linkinfo }) => linkinfo?.info_kind === "bridge")).toMatchObject([
      { ifname: "br1", ifalias: "pipework:bridge", group: "default" },
    ]);
    expect(links.filter(({ master }) => master === "br1")).toHaveLength(20);
    expect(world.sysctl(world.host, "ipv6/conf/br1/accept_ra")).toBe("0");
    expect(world.shell(guests[0] as string, "ping -c 1 -W 5 10.0.0.20")).toContain("1 received");
  });

  test("one that is killed lets the next one go on at once", async () => {
    const { world, guest } = bridged();
    const act = { attach: { to: "br1", addresses: ["10.0.0.2/24"] } };
    expect((await children.run(world, guest, act, 3)).signal).toBe("SIGKILL");
    expect((await children.run(world, guest, act)).outcome).toBe("attached");
    expect(world.json(world.host, "link", "show", "master", "br1")).toHaveLength(2);
  });
});

describe("a guest that vanishes in the middle", () => {
  test("leaves nothing on the host, whether its attach succeeded or not", async () => {
    const { world } = bridged();
    const instance = world.instance();
    const before = await settled(world);
    for (const n of numbers(20)) {
      const doomed = world.namespace({ observed: false });
      // Not every round hits the middle; whatever it hits must come out clean.
      const attaching = attach(instance, { guest: `netns:${doomed}`, to: "br1", addresses: [`10.0.0.${n}/24`] }).then(
        ({ outcome }) => outcome,
        (error: unknown) => error,
      );
      if (n % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      run("ip", ["netns", "del", doomed]);
      const ended = await attaching;
      if (typeof ended !== "string")
        expect(["guest-gone", "guest-not-found", "kernel-refused"]).toContain((ended as PipeworkError).code);
    }
    // The kernel takes a dead namespace's links away when it comes to it.
    expect(await awaited(world, before)).toEqual(before);
  });
});
