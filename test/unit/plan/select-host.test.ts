import { describe, expect, test } from "vitest";
import { selectByMac, selectByPci } from "../../../src/plan/select-host.js";
import type { LinkView } from "../../../src/plan/view.js";

const MAC = "02:00:00:00:00:01";
const OTHER = "02:00:00:00:00:02";
let index = 1;

function link(name: string, more: Partial<LinkView> = {}): LinkView {
  return { index: index++, name, type: 1, flags: 1, mtu: 1500, group: 0, operstate: 6, address: OTHER, ...more };
}

const byMac = (...links: LinkView[]) => selectByMac({ by: "mac", mac: MAC }, links)?.name;

describe("by MAC", () => {
  test("what has it now, before what was made with it", () => {
    expect(byMac(link("a", { permAddress: MAC }), link("b", { address: MAC }))).toBe("b");
    expect(byMac(link("a", { permAddress: MAC }), link("b"))).toBe("a");
    expect(byMac(link("a"))).toBeUndefined();
  });

  test("a NIC before what was made on it and took its MAC over", () => {
    const vlan = link("a.10", { address: MAC, kind: "vlan" });
    const bridge = link("br0", { address: MAC, kind: "bridge" });
    expect(byMac(vlan, bridge, link("a", { address: MAC }))).toBe("a");
    expect(byMac(vlan)).toBe("a.10");
  });

  test("several are refused, listed", () => {
    expect(() => byMac(link("a", { address: MAC }), link("b", { address: MAC }))).toThrow(
      expect.objectContaining({ code: "interface-ambiguous", message: expect.stringMatching(/a, b$/) }),
    );
  });

  test("what has it now and is no NIC, before a NIC that was made with it", () => {
    expect(byMac(link("br0", { address: MAC, kind: "bridge" }), link("a", { permAddress: MAC }))).toBe("br0");
  });
});

describe("by PCI address", () => {
  const pciOf = ({ parentDev }: LinkView) => parentDev;
  const byPci = (...links: LinkView[]) => selectByPci({ by: "pci", address: "0000:00:05.0" }, links, pciOf)?.name;

  test("the one link of that device", () => {
    expect(byPci(link("a", { parentDev: "0000:00:04.0" }), link("b", { parentDev: "0000:00:05.0" }), link("c"))).toBe(
      "b",
    );
    expect(byPci(link("c"))).toBeUndefined();
  });

  test("several ports of one device are refused, listed", () => {
    const port = (name: string) => link(name, { parentDev: "0000:00:05.0" });
    expect(() => byPci(port("p0"), port("p1"))).toThrow(
      expect.objectContaining({ code: "interface-ambiguous", message: expect.stringMatching(/p0, p1$/) }),
    );
  });
});
