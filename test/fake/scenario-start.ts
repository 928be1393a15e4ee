import { type Act, killedAt, perform } from "./act.js";
import type { FakeMachine } from "./machine.js";
import type { Scenario } from "./scenario.js";
import type { Scene } from "./scene.js";

// What scenarios start from: requests, machines, and what people and killed runs did to them.

export const guest = "netns:blue";
export const to = "br1";
export const v4 = { guest, to, addresses: ["192.168.1.2/24"] };
export const v6 = { guest, to, addresses: ["fd00:1::2/64"] };
export const both = { guest, to, addresses: ["192.168.1.2/24", "fd00:1::2/64"], gateway: ["192.168.1.1", "fd00:1::1"] };
export const eth2 = {
  ...both,
  ifname: "eth2",
  addresses: ["192.168.2.2/24", "fd00:2::2/64"],
  gateway: ["192.168.2.1", "fd00:2::1"],
};
export const eth3 = {
  ...both,
  ifname: "eth3",
  addresses: ["192.168.3.2/24", "fd00:3::2/64"],
  gateway: ["192.168.3.1", "fd00:3::1"],
};
export const macvlan = { guest, to: "nic0", addresses: ["192.168.1.2/24"], gateway: "192.168.1.1" };

/** The same on VLAN 10 of it. */
export const on10 = { ...macvlan, vlan: 10 };

export const bridged = (scene: Scene) => {
  scene.guest("blue");
  scene.bridge("br1");
};

/** As in a container of an engine: eth0 with both defaults, IPv6 off for all other interfaces. */
export const engined = (scene: Scene) => {
  const blue = scene.guest("blue", { ipv6: false });
  scene.bridge("br1");
  const eth0 = scene.foreign(blue, "eth0", ["172.17.0.2/16", "fd17::2/64"]);
  scene.default4(eth0, "172.17.0.1");
  scene.default6(eth0, "fd17::1");
};

export const nicked = (scene: Scene) => {
  scene.guest("blue");
  scene.nic("nic0");
};

export const withBridge = (first: (scene: Scene) => void, name: string) => (scene: Scene) => {
  first(scene);
  scene.bridge(name);
};

export const withNic = (first: (scene: Scene) => void, name: string) => (scene: Scene) => {
  first(scene);
  scene.nic(name);
};

export function after(first: (scene: Scene) => void, ...acts: Act[]): Scenario["before"] {
  return async (scene, machine) => {
    first(scene);
    for (const act of acts) await perform(machine, act);
  };
}

/** What a killed run leaves when it dies in front of a step. */
export function debris(first: (scene: Scene) => void, act: Act, id: string): Scenario["before"] {
  return async (scene, machine) => {
    first(scene);
    await killedAt(machine, act, id);
  };
}

/** A replacement that died in front of a step, on top of what other attachments there are. */
export function asideBefore(id: string, ...others: Act[]): Scenario["before"] {
  return async (scene, machine) => {
    engined(scene);
    for (const act of [{ attach: both }, ...others]) await perform(machine, act);
    await killedAt(machine, { attach: { ...both, mtu: 1400, replace: true } }, id);
  };
}

/** Takes something away from what was attached, as a person would. */
export function spoiled(
  before: Scenario["before"],
  spoil: (machine: FakeMachine, scene: Scene) => void,
): Scenario["before"] {
  return async (scene, machine) => {
    await before(scene, machine);
    spoil(machine, scene);
  };
}

export const blueOf = (machine: FakeMachine) => {
  const blue = machine.kernel.namespaceAt("/run/netns/blue");
  if (blue === undefined) throw new Error("no blue");
  return blue;
};
export const linkOf = (machine: FakeMachine, name: string) => {
  const link = machine.kernel.links.find(blueOf(machine), name);
  if (link === undefined) throw new Error(`no ${name}`);
  return link;
};
export const loseDefaults = (machine: FakeMachine) => {
  const blue = blueOf(machine);
  blue.routes = blue.routes.filter((route) => route.dstLen !== 0);
};
