import { afterAll, expect, test } from "vitest";
import { bridge } from "../../src/bridge.js";
import { pinging, talk } from "./support/traffic.js";
import { uplinked } from "./support/uplink.js";
import { closeWorlds } from "./support/world.js";

afterAll(closeWorlds);

const pause = () => new Promise((resolve) => setTimeout(resolve, 150));

/** At most the request that was on its way at the end. */
function expectNothingLost({ sent, received }: { sent: number; received: number }): void {
  expect(sent).toBeGreaterThan(50);
  expect(sent - received).toBeLessThanOrEqual(1);
}

test("pings from outside and to the outside lose nothing while the bridge takes over and gives back", async () => {
  const { world, host, far } = uplinked({ dad: true });
  const instance = world.instance();
  // One into the host from its own network, one from behind a router, one out of the host, and IPv6 both ways.
  world.ip(far, "address add 10.99.0.1/24 dev lo", "address add fd99::1/64 dev lo", "route add fd09::/64 via fd07::1");
  const pings = await Promise.all([
    pinging(far, "10.7.0.1"),
    pinging(far, "fd07::1"),
    pinging(host, "10.7.0.2"),
    pinging(host, "10.99.0.1"),
    pinging(host, "fd99::1"),
  ]);
  await pause();
  expect((await bridge(instance, { name: "br0", uplink: "nic0" })).outcome).toBe("bridged");
  await pause();
  expect((await bridge(instance, { name: "br0", release: true })).outcome).toBe("released");
  await pause();
  const results = await Promise.all(pings.map((stop) => stop()));
  for (const result of results) expectNothingLost(result);
});

test.each([
  ["IPv4", "10.7.0.1"],
  ["IPv6", "fd07::9"],
])("a session over TCP and %s goes on, with every byte in its place", async (_, address) => {
  const { world, host, far } = uplinked({ dad: true });
  const instance = world.instance();
  const end = await talk(far, host, address);
  await bridge(instance, { name: "br0", uplink: "nic0" });
  await pause();
  await bridge(instance, { name: "br0", release: true });
  await pause();
  expect(await end()).toMatch(/^sent (\d{2,}) back \1 whole$/);
});

test("strict reverse path filtering costs no session", async () => {
  const { world, host, far } = uplinked();
  world.shell(host, "for i in all default nic0; do echo 1 > /proc/sys/net/ipv4/conf/$i/rp_filter; done");
  const instance = world.instance();
  const end = await talk(far, host, "10.7.0.1");
  await bridge(instance, { name: "br0", uplink: "nic0" });
  await pause();
  expect(world.sysctl(host, "ipv4/conf/br0/rp_filter")).toBe("1");
  await bridge(instance, { name: "br0", release: true });
  await pause();
  expect(await end()).toMatch(/ whole$/);
});
