import { describe, expect, test } from "vitest";
import { parseWish } from "../../../src/plan/wish.js";
import { PipeworkError } from "../../../src/values/error.js";

const wish = (more: object) => () =>
  parseWish({ guest: "web1", to: "br1", addresses: ["10.7.0.2/24", "2001:db8::2/64"], ...more } as never);

function refusal(act: () => unknown): PipeworkError {
  try {
    act();
  } catch (error) {
    if (error instanceof PipeworkError) return error;
    throw error;
  }
  throw new Error("not refused");
}

describe("a gateway through which no packet can be sent", () => {
  for (const [gateway, why] of [
    ["0.0.0.0", "unspecified"],
    ["0.1.2.3", "unspecified"],
    ["127.0.0.1", "loopback"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.255", "multicast"],
    ["240.0.0.1", "reserved"],
    ["255.255.255.255", "broadcast"],
    ["10.7.0.255", "broadcast address of 10.7.0.0/24"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["ff02::1", "multicast"],
  ] as const) {
    test(gateway, () => {
      const error = refusal(wish({ gateway }));
      expect(error.code).toBe("invalid-request");
      expect(error.message).toContain(gateway);
      expect(error.message).toContain(why);
    });
    test(`${gateway} as the next hop of a route`, () => {
      const destination = gateway.includes(":") ? "2001:db8:9::/48" : "10.9.0.0/16";
      expect(refusal(wish({ routes: [`${destination} via ${gateway}`] })).message).toContain(why);
    });
  }

  test.each(["10.7.0.1", "10.7.0.254", "192.0.2.1", "fe80::1", "ff::1", "2001:db8::1"])("%s is one", (gateway) => {
    expect(
      Object.values(
        parseWish({ guest: "web1", to: "br1", addresses: ["10.7.0.2/24", "2001:db8::2/64"], gateway }).gateways,
      ),
    ).toEqual([gateway]);
  });
});

describe("a request that is not of its form is refused by name, not by a TypeError", () => {
  for (const [field, value] of [
    ["addresses", "10.1.1.1/24"],
    ["addresses", [5]],
    ["gateway", 5],
    ["gateway", [5]],
    ["mac", 5],
    ["ifname", 5],
    ["hostIfname", {}],
    ["routes", "10.0.0.0/8"],
    ["routes", [null]],
    ["timeoutMs", Number.NaN],
    ["timeoutMs", -1],
    ["timeoutMs", 1.5],
    ["mtu", "1500"],
    ["queues", 0],
    ["guest", 5],
    ["to", ""],
    ["adresses", []],
  ] as const) {
    test(`${field}: ${JSON.stringify(value)}`, () => {
      expect(refusal(wish({ [field]: value }))).toMatchObject({ name: "PipeworkError", code: "invalid-request" });
    });
  }
});
