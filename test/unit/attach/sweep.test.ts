import { afterEach, describe, expect, test } from "vitest";
import { sweep } from "../../../src/sweep.js";
import { type Act, perform, performWith, planned } from "../../fake/act.js";
import type { Fault } from "../../fake/fault.js";
import type { FakeLink } from "../../fake/link.js";
import { FakeMachine } from "../../fake/machine.js";
import { guest, nicked, on10 } from "../../fake/scenario-start.js";
import { Scene } from "../../fake/scene.js";
import { snapshot } from "../../fake/snapshot.js";

const machines: FakeMachine[] = [];

afterEach(() => {
  for (const machine of machines.splice(0)) machine.dispose();
});

const attach10: Act = { attach: on10 };
const detach10: Act = { detach: { guest } };

function stage() {
  const machine = new FakeMachine();
  machines.push(machine);
  const scene = new Scene(machine);
  nicked(scene);
  return { machine, scene };
}

/** A VLAN of ours that nothing uses: the process died between the detach and its sweep. */
async function left() {
  const { machine, scene } = stage();
  const before = snapshot(machine);
  await perform(machine, attach10);
  const { steps } = await planned(machine, detach10);
  await performWith(machine, detach10, { kind: "kill", at: steps.length });
  return { machine, scene, before };
}

const find = (machine: FakeMachine, name: string) => machine.kernel.links.find(machine.host, name);

async function swept(machine: FakeMachine, fault?: Fault): Promise<string[]> {
  const instance = machine.instance();
  machine.fault = fault;
  try {
    return await sweep(instance, instance.lockFor({}));
  } finally {
    machine.fault = undefined;
    await instance.close();
  }
}

const added = (machine: FakeMachine, wanted: Partial<FakeLink> & { name: string; kind: string }) =>
  machine.kernel.links.create(machine.host, wanted);

describe("a sweep", () => {
  test("removes a VLAN of ours that nothing uses, and the process that should have done so is dead", async () => {
    const { machine, before } = await left();
    expect(find(machine, "nic0.10")).toBeDefined();
    expect(await swept(machine)).toEqual([]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("is done by the same detach again, and by that of any other attachment that may have been on one", async () => {
    const { machine, before } = await left();
    expect(await perform(machine, detach10)).toMatchObject([{ outcome: "absent", warnings: [] }]);
    expect(snapshot(machine)).toEqual(before);
    const other = await left();
    await perform(other.machine, { attach: { ...on10, vlan: 20 } });
    await perform(other.machine, detach10);
    expect(snapshot(other.machine)).toEqual(other.before);
  });

  test("asks nothing where there is no VLAN of ours", async () => {
    const { machine, scene } = stage();
    scene.vlan("nic0", "nic0.10", 10);
    await perform(machine, attach10);
    machine.programs.length = 0;
    await perform(machine, detach10);
    expect(machine.programs).toHaveLength(1);
    expect(find(machine, "nic0.10")).toBeDefined();
  });

  test.each<[string, (machine: FakeMachine, vlan: FakeLink, scene: Scene) => void]>([
    [
      "a macvlan in another namespace, down",
      (machine, lower, scene) => {
        machine.kernel.links.create(scene.guest("red"), { name: "x", kind: "macvlan", lower });
      },
    ],
    [
      "an ipvlan in another namespace",
      (machine, lower, scene) => {
        machine.kernel.links.create(scene.guest("red"), { name: "x", kind: "ipvlan", lower });
      },
    ],
    ["a macvlan of the host's", (machine, lower) => void added(machine, { name: "x", kind: "macvlan", lower })],
    ["a VLAN on it", (machine, lower) => void added(machine, { name: "x", kind: "vlan", lower, vlanId: 7 })],
    ["a bridge", (machine, lower, scene) => machine.kernel.links.enslave(lower, scene.bridge("br7"))],
    [
      "an address",
      (machine, link) => {
        machine.host.addresses.push({
          family: "inet",
          link,
          address: "10.0.0.1",
          prefixlen: 24,
          broadcast: undefined,
          secondary: false,
        });
      },
    ],
    [
      "another alias",
      (_, link) => {
        link.alias = "mine";
      },
    ],
  ])("leaves one that has %s", async (_, use) => {
    const { machine, scene } = await left();
    use(machine, find(machine, "nic0.10") as FakeLink, scene);
    const before = snapshot(machine);
    expect(await swept(machine)).toEqual([]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("leaves one on which a guest has a VLAN of ours, until that is gone", async () => {
    const { machine, before } = await left();
    await perform(machine, { attach: { ...on10, to: "nic0.10", type: "vlan", vlan: 7 } });
    expect(await swept(machine)).toEqual([]);
    expect(find(machine, "nic0.10")).toBeDefined();
    await perform(machine, detach10);
    expect(snapshot(machine)).toEqual(before);
  });

  test("killed in front of each of its steps, is finished by the next, and an attach can use the VLAN", async () => {
    for (let at = 0; at <= 3; at++) {
      const { machine, before } = await left();
      const { deaths } = machine;
      await swept(machine, { kind: "kill", at });
      expect(machine.deaths).toBe(deaths + 1);
      expect(await swept(machine)).toEqual([]);
      expect(snapshot(machine), `killed at ${at}`).toEqual(before);

      const again = await left();
      await swept(again.machine, { kind: "kill", at });
      expect(await perform(again.machine, attach10)).toMatchObject({ outcome: "attached", warnings: [] });
      await perform(again.machine, detach10);
      expect(snapshot(again.machine, { acrossRuns: true }), `killed at ${at}`).toEqual(
        snapshot((await settledStage()).machine, { acrossRuns: true }),
      );
    }
  });

  test("that the kernel refuses is a warning of a detach that has succeeded, and leaves no probe", async () => {
    for (let at = 0; at <= 2; at++) {
      const { machine } = await left();
      const before = snapshot(machine);
      const warnings = await swept(machine, { kind: "refuse", at });
      expect(warnings.join()).toContain("nic0.10");
      expect(snapshot(machine), `refused at ${at}`).toEqual(before);
    }
  });
});

/** A machine on which the VLAN came and went. */
async function settledStage() {
  const { machine } = stage();
  await perform(machine, attach10);
  await perform(machine, detach10);
  return { machine };
}
