import { describe, expect, test } from "vitest";
import { readWords } from "../../../src/cli/dispatch.js";
import { run } from "../../../src/cli/run.js";
import { FakePort, hostWith } from "./fake-port.js";

const plain = { dryRun: false, json: false, quiet: false, verbose: false };

const read = (line: string) => readWords(line.split(" "), hostWith());

async function said(line: string, change: (port: FakePort) => void = () => {}) {
  const port = new FakePort();
  change(port);
  const code = await run(line.split(" "), port);
  return { code, out: port.stdout, err: port.stderr, calls: port.calls };
}

describe("words", () => {
  test("an uplink with every option", async () => {
    expect(await read("bridge br0 --uplink eth1 --vlan 20 --force --dry-run --json --timeout 2")).toEqual({
      kind: "bridge",
      request: { name: "br0", uplink: "eth1", vlan: "20", force: true, timeoutMs: 2000 },
      output: { ...plain, dryRun: true, json: true },
    });
    expect(await read("bridge --release br0")).toMatchObject({ request: { name: "br0", release: true } });
    expect(await read("--json bridge br0 --release")).toMatchObject({ kind: "bridge", output: { json: true } });
  });

  test("a VXLAN with every option", async () => {
    expect(
      await read("bridge br7 --vxlan 7 --remote 192.0.2.1 --remote 192.0.2.2 --local 192.0.2.9 --port 8472 --dev eth0"),
    ).toMatchObject({
      request: {
        name: "br7",
        vxlan: { id: 7, remotes: ["192.0.2.1", "192.0.2.2"], local: "192.0.2.9", port: 8472, dev: "eth0" },
      },
    });
  });

  test.each([
    ["bridge br0", "nothing is said about what to do with it"],
    ["bridge br0 --uplink eth1 --release", "one thing at a time"],
    ["bridge br0 --uplink br0", "its own uplink"],
    ["bridge br0 --release --vlan 5", "a VLAN is one of an uplink"],
    ["bridge br0 --uplink eth1 --vlan 4095", "not a VLAN id"],
    ["bridge br0 --uplink eth1 --remote 192.0.2.1", "--remote is part of a VXLAN"],
    ["bridge br0 --vxlan seven --remote 192.0.2.1", "not a whole number"],
    ["bridge br0 --vxlan 16777216 --remote 192.0.2.1", "16777215"],
    ["bridge br0 --vxlan 7", "leads nowhere"],
    ["bridge br0 --vxlan 7 --remote 239.1.1.1", "multicast"],
    ["bridge br0 --vxlan 7 --remote ff02::1", "multicast"],
    ["bridge br0 --vxlan 7 --remote 0.0.0.0", "no host's address"],
    ["bridge br0 --vxlan 7 --remote 192.0.2.1 --local fd00::1", "different families"],
    ["bridge br0 --vxlan 7 --remote 192.0.2.1 --local 192.0.2.1", "both our own address and a remote one"],
    ["bridge br0 --vxlan 7 --remote 192.0.2.1 --force", "nothing to force"],
    ["bridge a-name-much-too-long --release", "15"],
    ["bridge br0 --uplynk eth1", "--uplink"],
  ])("%s is refused", async (line, word) => {
    const { code, err } = await said(line);
    expect(code).toBe(1);
    expect(err).toContain(word);
  });
});

describe("what is said", () => {
  test("success says nothing; --json is the outcome, --verbose one line", async () => {
    expect(await said("bridge br0 --uplink eth1")).toMatchObject({ code: 0, out: "", err: "" });
    const { out } = await said("bridge br0 --uplink eth1 --json");
    expect(JSON.parse(out)).toEqual({
      bridge: "br0",
      uplink: "eth1",
      addresses: ["192.0.2.5/24"],
      outcome: "bridged",
      warnings: [],
    });
    const { err } = await said("bridge br0 --uplink eth1 -v");
    expect(err).toBe("pipework: br0 has the uplink eth1, and has its 192.0.2.5/24\n");
  });

  test.each([
    ["unchanged", "pipework: eth1 is the uplink of br0 already, nothing was changed\n"],
    ["released", "pipework: eth1 is no port of br0 any more, and has back 192.0.2.5/24\n"],
    ["absent", "pipework: br0 has no uplink by pipework, nothing was changed\n"],
  ] as const)("--verbose: %s", async (outcome, line) => {
    const { err } = await said("bridge br0 --release -v", (port) => {
      port.bridged = { ...port.bridged, outcome };
    });
    expect(err).toBe(line);
  });

  test("--dry-run shows the plan and does nothing", async () => {
    const { out, calls } = await said("bridge br0 --uplink eth1 --dry-run");
    expect(out).toBe("plan of br0\n");
    expect(calls.map(({ name }) => name)).toEqual(["planBridge"]);
  });

  test("warnings, which --quiet silences", async () => {
    const careful = (port: FakePort) => {
      port.bridged = { ...port.bridged, warnings: ["NetworkManager looks after eth1"] };
    };
    expect((await said("bridge br0 --uplink eth1", careful)).err).toContain("warning: NetworkManager looks after eth1");
    expect((await said("bridge br0 --uplink eth1 -q", careful)).err).toBe("");
  });
});
