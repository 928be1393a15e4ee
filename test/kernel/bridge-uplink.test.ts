import { afterAll, expect, test } from "vitest";
import { bridge } from "../../src/bridge.js";
import { settled, snapshot } from "./support/snapshot.js";
import { holdings, nothing, uplinked } from "./support/uplink.js";
import { closeWorlds } from "./support/world.js";

afterAll(closeWorlds);

const request = { name: "br0", uplink: "nic0" };

test("a bridge takes over addresses, routes and neighbours of every sort, and gives them back", async () => {
  const { world, host } = uplinked();
  const instance = world.instance();
  const before = holdings(world, host, "nic0");
  const whole = await settled(world);
  const done = await bridge(instance, request);
  expect(done).toMatchObject({ bridge: "br0", uplink: "nic0", outcome: "bridged", warnings: [] });
  expect(holdings(world, host, "br0")).toEqual(before);
  expect(holdings(world, host, "nic0")).toEqual(nothing);
  const [nic, br] = [world.link(host, "nic0"), world.link(host, "br0")];
  expect(nic.master).toBe("br0");
  expect(br.address).toBe(nic.address);
  expect(br.ifalias).toBe("pipework:bridge");
  const now = snapshot(world);
  expect((await bridge(instance, request)).outcome).toBe("unchanged");
  expect(snapshot(world)).toEqual(now);
  expect((await bridge(instance, { name: "br0", release: true })).outcome).toBe("released");
  expect(holdings(world, host, "nic0")).toEqual(before);
  expect(await settled(world)).toEqual(whole);
  expect((await bridge(instance, { name: "br0", release: true })).outcome).toBe("absent");
});
