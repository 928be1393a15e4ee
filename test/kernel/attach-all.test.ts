import { afterAll, afterEach, expect, test } from "vitest";
import { Pipework } from "../../src/pipework.js";
import { PipeworkError } from "../../src/values/error.js";
import { closeWorlds, World } from "./support/world.js";

afterEach(closeWorlds);
afterAll(closeWorlds);

async function withPipework(world: World, use: (pw: Pipework) => Promise<void>): Promise<void> {
  const pw = new Pipework({ host: `netns:${world.host}`, runDir: world.runDir });
  try {
    await use(pw);
  } finally {
    await pw.close();
  }
}

const names = (world: World, namespace: string): string[] =>
  world.json(namespace, "link").map((link) => link.ifname as string);

test("attachAll settles per request, in order, whatever fails in between", async () => {
  const world = new World();
  const guests = [world.guest(), world.guest(), world.guest()];
  await withPipework(world, async (pw) => {
    const settled = await pw.attachAll([
      { guest: `netns:${guests[0]}`, to: "br1", addresses: ["192.0.2.1/24"] },
      { guest: "netns:pwt-nowhere", to: "br1" },
      { guest: `netns:${guests[1]}`, to: "br1", addresses: ["192.0.2.2/24"] },
      { guest: `netns:${guests[2]}`, to: "br1", addresses: ["192.0.2.300/24"] },
    ]);
    expect(
      settled.map((one) => (one.status === "fulfilled" ? one.value.outcome : (one.reason as PipeworkError).code)),
    ).toEqual(["attached", "guest-not-found", "attached", "invalid-request"]);
    expect(world.addresses(guests[0] as string, "eth1")).toEqual(["192.0.2.1/24"]);
    expect(world.addresses(guests[1] as string, "eth1")).toEqual(["192.0.2.2/24"]);
    expect(names(world, guests[2] as string)).toEqual(["lo"]);
    const gone = await pw.detachAll([
      { guest: `netns:${guests[0]}` },
      { guest: "netns:pwt-nowhere" },
      { guest: `netns:${guests[1]}`, all: true },
    ]);
    expect(gone.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect([names(world, guests[0] as string), names(world, guests[1] as string)]).toEqual([["lo"], ["lo"]]);
  });
});

test("atomic: one failure takes back all that was attached, and tells what failed", async () => {
  const world = new World();
  const guest = world.guest();
  world.foreign(guest, "eth0", ["198.51.100.2/24"]);
  world.ip(guest, "route add default via 198.51.100.1");
  const routes = world.json(guest, "route");
  await withPipework(world, async (pw) => {
    const requests = [1, 2, 3, 4].map((n) => ({
      guest: `netns:${guest}`,
      to: "br1",
      ifname: `eth${n}`,
      addresses: [`10.0.${n}.2/24`],
      gateway: `10.0.${n}.1`,
    }));
    const bad = {
      guest: `netns:${guest}`,
      to: "br1",
      ifname: "eth9",
      addresses: ["10.0.9.2/24"],
      routes: ["172.16.0.0/12 via 203.0.113.1"],
    };
    const error: unknown = await pw.attachAll([...requests, bad], { atomic: true }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PipeworkError);
    expect(error).toMatchObject({ code: "kernel-refused", ifname: "eth9" });
    expect(names(world, guest)).toEqual(["lo", "eth0"]);
    expect(world.json(guest, "route")).toEqual(routes);
    const all = await pw.attachAll(requests, { atomic: true });
    expect(all.map((one) => one.ifname)).toEqual(["eth1", "eth2", "eth3", "eth4"]);
  });
});

test("an abort before the plan starts changes nothing; afterwards it is too late", async () => {
  const world = new World();
  const guest = world.guest();
  await withPipework(world, async (pw) => {
    const early: unknown = await pw
      .attach({ guest: `netns:${guest}`, to: "br1", addresses: ["192.0.2.1/24"], signal: AbortSignal.abort() })
      .catch((reason: unknown) => reason);
    expect(early).toMatchObject({ code: "aborted" });
    expect(names(world, guest)).toEqual(["lo"]);
    expect(names(world, world.host)).toEqual(["lo"]);
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController();
      const attaching = pw.attach({
        guest: `netns:${guest}`,
        to: "br1",
        addresses: ["192.0.2.1/24"],
        signal: controller.signal,
      });
      setTimeout(() => controller.abort(), i / 10);
      const outcome = await attaching.then(
        () => "attached",
        (error: PipeworkError) => error.code,
      );
      expect(world.addresses(guest, "eth1")).toEqual(outcome === "attached" ? ["192.0.2.1/24"] : []);
      if (outcome !== "attached") expect(outcome).toBe("aborted");
      await pw.detach({ guest: `netns:${guest}` });
    }
  });
});

test("a misspelt field is refused with the right one, not left out", async () => {
  const world = new World();
  await withPipework(world, async (pw) => {
    const request = { guest: `netns:${world.guest()}`, to: "br1", adresses: ["192.0.2.1/24"] };
    await expect(pw.attach(request as never)).rejects.toMatchObject({
      code: "invalid-request",
      hint: "did you mean addresses?",
    });
  });
});

test("closed, an instance refuses and says so", async () => {
  const world = new World();
  const guest = world.guest();
  const pw = new Pipework({ host: `netns:${world.host}`, runDir: world.runDir });
  await pw.attach({ guest: `netns:${guest}`, to: "br1", addresses: ["192.0.2.1/24"] });
  await pw.close();
  await pw.close();
  await expect(pw.attach({ guest: `netns:${guest}`, to: "br1" })).rejects.toMatchObject({
    name: "PipeworkError",
    code: "closed",
  });
  await expect(pw.list()).rejects.toMatchObject({ code: "closed" });
});
