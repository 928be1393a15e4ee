import { afterAll, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach } from "../../src/detach.js";
import type { Instance } from "../../src/instance.js";
import { list } from "../../src/list.js";
import type { AttachRequest } from "../../src/plan/request.js";
import { expectRefusal } from "./support/refusal.js";
import { awaited, settled } from "./support/snapshot.js";
import { closeWorlds, World } from "./support/world.js";

afterAll(closeWorlds);

const both = { to: "br1", addresses: ["192.168.1.2/24", "fd00:1::2/64"], gateway: ["192.168.1.1", "fd00:1::1"] };

async function attached(
  request: Omit<AttachRequest, "guest"> = both,
): Promise<{ world: World; guest: string; ref: string; instance: Instance }> {
  const world = new World();
  const guest = world.guest();
  const ref = `netns:${guest}`;
  world.bridge("br1");
  world.bridge("br2");
  world.bridge("docker0");
  world.foreign(guest, "eth0", ["172.17.0.2/16"], "docker0");
  world.ip(guest, "route add default via 172.17.0.1");
  const instance = world.instance();
  await settled(world);
  await attach(instance, { guest: ref, ...request });
  return { world, guest, ref, instance };
}

describe("the same again", () => {
  test("is success and changes nothing, counters of the links' changes included", async () => {
    const { world, guest, ref, instance } = await attached();
    const before = await settled(world);
    const changes = () => world.link(guest, "eth1");
    const link = changes();
    const again = await attach(instance, { guest: ref, ...both });
    expect(again).toMatchObject({
      outcome: "unchanged",
      addresses: both.addresses,
      gateway: both.gateway,
      ifindex: link.ifindex,
      mac: link.address,
      mtu: 1500,
      type: "bridge",
    });
    expect(again.hostIfname).toBe((await list(instance))[0]?.hostIfname);
    expect(await awaited(world, before)).toEqual(before);
    expect(changes()).toEqual(link);
  });

  test("in fewer words is the same", async () => {
    const { world, ref, instance } = await attached();
    const before = await settled(world);
    expect((await attach(instance, { guest: ref, to: "br1" })).outcome).toBe("unchanged");
    expect(
      (await attach(instance, { guest: ref, to: "br1", addresses: ["192.168.1.2/24"], mtu: 1500, queues: 1 })).outcome,
    ).toBe("unchanged");
    expect(await awaited(world, before)).toEqual(before);
  });

  test("from another process is the same", async () => {
    const { world, ref } = await attached();
    expect((await attach(world.instance(), { guest: ref, ...both })).outcome).toBe("unchanged");
  });
});

describe("what is missing is added", () => {
  test("further addresses", async () => {
    const { world, guest, ref, instance } = await attached();
    const addresses = [...both.addresses, "192.168.1.9/24", "fd00:1::9/64"];
    const at = await attach(instance, { guest: ref, ...both, addresses });
    expect(at.outcome).toBe("completed");
    expect([...at.addresses].sort()).toEqual([...addresses].sort());
    expect(world.addresses(guest, "eth1").sort()).toEqual([...addresses].sort());
  });

  test("a lost default, a lost route, a link that is down", async () => {
    const { world, guest, ref, instance } = await attached({ ...both, routes: ["10.4.0.0/16"] });
    const before = await settled(world);
    world.ip(guest, "route del default", "route del 10.4.0.0/16");
    expect((await attach(instance, { guest: ref, ...both, routes: ["10.4.0.0/16"] })).outcome).toBe("completed");
    expect(await awaited(world, before)).toEqual(before);
    world.ip(guest, "link set eth1 down");
    expect((await attach(instance, { guest: ref, ...both, routes: ["10.4.0.0/16"] })).outcome).toBe("completed");
    expect(await awaited(world, before)).toEqual(before);
  });
});

describe("another configuration under that name", () => {
  test.each([
    [{ to: "br2" }, "br2"],
    [{ mac: "02:00:00:00:00:09" }, "02:00:00:00:00:09"],
    [{ mtu: 1400 }, "1400"],
    [{ queues: 2 }, "queues"],
    [{ hostIfname: "other" }, "other"],
    [{ gateway: "192.168.1.254" }, "192.168.1.254"],
  ])("is refused, naming what is there: %j", async (more, word) => {
    const { world, guest, ref, instance } = await attached();
    await expectRefusal(
      world,
      () => attach(instance, { guest: ref, ...both, ...more }),
      "name-taken",
      "eth1",
      guest,
      "192.168.1.2/24",
      word,
      "--replace",
    );
  });

  test("replaces it when that is said, and the guest is as if it had been so from the beginning", async () => {
    const wanted = { to: "br2", addresses: ["10.0.0.2/8"], gateway: "10.0.0.1", mac: "02:00:00:00:00:09", mtu: 1400 };
    const { world, guest, ref, instance } = await attached();
    const at = await attach(instance, { guest: ref, ...wanted, replace: true });
    expect(at).toMatchObject({
      outcome: "replaced",
      to: "br2",
      mtu: 1400,
      mac: wanted.mac,
      addresses: wanted.addresses,
    });
    expect(world.addresses(guest, "eth1")).toEqual(["10.0.0.2/8"]);
    expect(world.json(guest, "-4", "route", "show", "default")).toMatchObject([{ dev: "eth1", gateway: "10.0.0.1" }]);
    expect(world.json(guest, "-6", "route", "show", "default")).toEqual([]);
    expect(world.json(world.host, "link", "show", "master", "br1")).toHaveLength(1);
    expect(await list(instance)).toMatchObject([{ ifname: "eth1", to: "br2", state: "up" }]);
    const fresh = await attached(wanted);
    expect(await awaited(world, await settled(fresh.world, { acrossWorlds: true }), { acrossWorlds: true })).toEqual(
      await settled(fresh.world, { acrossWorlds: true }),
    );
    await detach(instance, { guest: ref });
    expect(world.json(guest, "-4", "route", "show", "default")).toMatchObject([{ dev: "eth0", gateway: "172.17.0.1" }]);
  });

  test("a veth for a macvlan and back", async () => {
    const { world, guest, ref, instance } = await attached();
    world.ip(world.host, "link add nic0 type veth peer name nic0far", "link set nic0 up", "link set nic0far up");
    expect((await attach(instance, { guest: ref, ...both, to: "nic0", replace: true })).outcome).toBe("replaced");
    expect(world.link(guest, "eth1").linkinfo.info_kind).toBe("macvlan");
    expect((await list(instance)).map(({ type, state }) => `${type} ${state}`)).toEqual(["macvlan up"]);
    expect((await attach(instance, { guest: ref, ...both, replace: true })).outcome).toBe("replaced");
    expect(world.link(guest, "eth1").linkinfo.info_kind).toBe("veth");
    expect((await list(instance)).map(({ type, state }) => `${type} ${state}`)).toEqual(["bridge up"]);
    await detach(instance, { guest: ref });
    expect(world.json(guest, "-4", "route", "show", "default")).toMatchObject([{ dev: "eth0" }]);
    expect(await list(instance)).toEqual([]);
  });

  test("the same with --replace changes nothing", async () => {
    const { world, ref, instance } = await attached();
    const before = await settled(world);
    expect((await attach(instance, { guest: ref, ...both, replace: true })).outcome).toBe("unchanged");
    expect(await awaited(world, before)).toEqual(before);
  });
});
