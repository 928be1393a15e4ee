import { describe, expect, test } from "vitest";
import { readWords } from "../../../src/cli/dispatch.js";
import type { Invocation } from "../../../src/cli/invocation.js";
import { run } from "../../../src/cli/run.js";
import { PipeworkError } from "../../../src/values/error.js";
import { FakePort, hostWith, waited } from "./fake-port.js";

const noLinks = hostWith();
const plainOutput = { dryRun: false, json: false, quiet: false, verbose: false };

function read(line: string): Promise<Invocation> {
  return readWords(words(line), noLinks);
}

function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}

async function refusal(line: string): Promise<PipeworkError> {
  const error: unknown = await read(line).then(
    (invocation) => invocation,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PipeworkError);
  return error as PipeworkError;
}

describe("attach", () => {
  test("all options of this version", async () => {
    const line =
      "attach web1 --to br1 --type bridge --ifname eth2 --host-ifname h2 --address 10.0.0.2/24 --address fd00::2/64 " +
      '--gateway 10.0.0.1 --gateway fd00::1 --route "10.9.0.0/16 via 10.0.0.1" --route 10.8.0.0/16 --metric 50 --mac U:web1 ' +
      "--mtu 1400 --queues 2 --no-announce --replace --timeout 1.5 --json --verbose";
    expect(await read(line)).toEqual({
      kind: "attach",
      request: {
        guest: "web1",
        to: "br1",
        type: "bridge",
        ifname: "eth2",
        hostIfname: "h2",
        addresses: ["10.0.0.2/24", "fd00::2/64"],
        gateway: ["10.0.0.1", "fd00::1"],
        routes: ["10.9.0.0/16 via 10.0.0.1", "10.8.0.0/16"],
        metric: 50,
        mac: "U:web1",
        mtu: 1400,
        queues: 2,
        announce: false,
        replace: true,
        timeoutMs: 1500,
      },
      output: { ...plainOutput, json: true, verbose: true },
      warnings: [],
    });
    expect(await read("attach --to eth0 web1 --mode bridge -i lan0")).toEqual({
      kind: "attach",
      request: { guest: "web1", to: "eth0", mode: "bridge", ifname: "lan0" },
      output: plainOutput,
      warnings: [],
    });
  });

  test("an address that is an option's value does not make it the legacy form, wherever it stands", async () => {
    for (const line of [
      "attach --to br1 --address 10.0.0.2/24 web1",
      "attach --address 10.0.0.2/24 --to br1 web1",
      "attach web1 --address 10.0.0.2/24 --to br1",
      "attach web1 --address=10.0.0.2/24 --to=br1",
    ]) {
      expect(await read(line)).toMatchObject({
        kind: "attach",
        request: { guest: "web1", to: "br1", addresses: ["10.0.0.2/24"] },
      });
    }
  });

  test("common options may stand before the verb", async () => {
    expect(await read("--json --timeout 3 attach web1 --to br1 --dry-run")).toMatchObject({
      kind: "attach",
      request: { timeoutMs: 3000 },
      output: { json: true, dryRun: true },
    });
  });

  test.each([
    ["attach web1", "attach web1: the host interface is missing", "add --to IF"],
    ["attach", 'attach: missing required argument "guest"', "pipework attach --help"],
    ["attach web1 br1 --to br1", "attach: too many arguments", "pipework attach --help"],
    ["attach web1 --to", 'attach: option "--to <interface>" argument missing', "pipework attach --help"],
    ["attach web1 --to br1 --adress 10.0.0.2/24", 'attach: unknown option "--adress"', "did you mean --address?"],
    ["attach web1 --to br1 --mtu 1e3", '--mtu "1e3" is not a whole number', undefined],
    ["attach web1 --to br1 --metric -5", '--metric "-5" is not a whole number', undefined],
    ["attach web1 --to br1 --timeout soon", '--timeout "soon" is not a number of seconds', "such as 5 or 0.5"],
    [
      "attach web1 --to br1 --address 10.0.0.2/24@10.0.0.1",
      "--address 10.0.0.2/24@10.0.0.1: the part behind the @",
      "write --address 10.0.0.2/24 --gateway 10.0.0.1",
    ],
  ])("%s is refused", async (line, sentence, hint) => {
    const error = await refusal(line);
    expect(error.code).toBe("invalid-request");
    expect(error.message).toContain(sentence);
    if (hint === undefined) expect(error.hint).toBeUndefined();
    else expect(error.hint).toContain(hint);
  });

  test.each([
    ["--vlan 0", "invalid-request"],
    ["--dhcp", "unsupported"],
    ["--ovsdb unix:/x", "unsupported"],
    ["--datapath-type netdev", "unsupported"],
    ["--type ovs", "unsupported"],
    ["--type vlan", "invalid-request"],
    ["--vlan 010", "invalid-request"],
    ["--vlan 4095", "invalid-request"],
    ["--uplink eth0", "invalid-request"],
    ["--uplink eth0 --vlan 10,20", "invalid-request"],
    ["--uplink a/b --vlan 10", "invalid-request"],
    ["--type bridge --mode vepa", "invalid-request"],
    ["--type vlan --direct-phys", "invalid-request"],
    ["--type brdige", "invalid-request"],
    ["--mode sideways", "invalid-request"],
    ["--address 10.0.0.2", "invalid-request"],
    ["--address 10.0.0.2/24 --gateway fd00::1", "invalid-request"],
    ["--address 10.0.0.2/24 --gateway 10.0.0.1 --gateway 10.0.0.3", "invalid-request"],
    ["--mtu 67", "invalid-request"],
    ["--mac 01:00:00:00:00:01", "invalid-request"],
    ["-i a/b", "invalid-request"],
  ])("attach ... %s: %s, before anything is done", async (options, code) => {
    const port = new FakePort();
    expect(await run(words(`attach web1 --to br1 --json ${options}`), port)).toBe(1);
    expect(JSON.parse(port.stderr).error.code).toBe(code);
    expect(port.stdout).toBe("");
    expect(port.closed).toBe(port.opened);
  });
});

describe("the other verbs", () => {
  test("detach", async () => {
    expect(await read("detach web1")).toEqual({ kind: "detach", request: { guest: "web1" }, output: plainOutput });
    expect(await read("detach web1 -i eth2 --timeout 2 -q")).toEqual({
      kind: "detach",
      request: { guest: "web1", ifname: "eth2", timeoutMs: 2000 },
      output: { ...plainOutput, quiet: true },
    });
    expect(await read("detach web1 --all --dry-run")).toMatchObject({
      request: { guest: "web1", all: true },
      output: { dryRun: true },
    });
    expect((await refusal("detach web1 -i eth2 --all")).message).toBe("detach web1: both -i eth2 and --all are given");
    expect((await refusal("detach")).message).toContain("missing required argument");
  });

  test("wait", async () => {
    expect(await read("wait web1")).toEqual({ kind: "wait", request: { guest: "web1" }, output: plainOutput });
    expect(await read("wait web1 -i eth2 address --timeout 2.5 --json")).toEqual({
      kind: "wait",
      request: { guest: "web1", ifname: "eth2", level: "address", timeoutMs: 2500 },
      output: { ...plainOutput, json: true },
    });
    expect(await read("wait --ifname eth2 web1 route")).toMatchObject({
      request: { guest: "web1", ifname: "eth2", level: "route" },
    });
    expect(await refusal("wait web1 adress")).toMatchObject({
      code: "invalid-request",
      message: '"adress" is no level to wait for',
      hint: "did you mean address?",
    });
    expect((await refusal("wait")).message).toBe('wait: missing required argument "guest"');
    expect((await refusal("wait web1 up now")).message).toContain("wait: too many arguments");
    expect((await refusal("wait web1 --dry-run")).message).toBe('wait: unknown option "--dry-run"');
  });

  test("wait: what it says, and to whom", async () => {
    const said = async (line: string) => {
      const port = new FakePort();
      port.waiting = async ({ guest }) => ({ ...waited, guest: guest as string, warnings: ["it is paused"] });
      expect(await run(words(line), port)).toBe(0);
      expect(port.closed).toBe(port.opened);
      return [port.stdout, port.stderr];
    };
    expect(await said("wait web1")).toEqual(["", "pipework: warning: it is paused\n"]);
    expect(await said("wait web1 -q")).toEqual(["", ""]);
    expect(await said("wait web1 -q -v")).toEqual(["", "pipework: eth1 of web1 is up\n"]);
    const [out, err] = await said("wait web1 -q --json");
    expect([JSON.parse(out as string), err]).toEqual([{ ...waited, guest: "web1", warnings: ["it is paused"] }, ""]);
  });

  test("list, doctor, demo", async () => {
    expect(await read("list")).toEqual({ kind: "list", output: plainOutput });
    expect(await read("list web1 --json")).toEqual({
      kind: "list",
      guest: "web1",
      output: { ...plainOutput, json: true },
    });
    expect(await read("--json list")).toMatchObject({ kind: "list", output: { json: true } });
    expect(await read("doctor --json")).toEqual({ kind: "doctor", output: { ...plainOutput, json: true } });
    expect(await read("demo")).toEqual({ kind: "demo" });
    expect((await refusal("list --dry-run")).message).toBe('list: unknown option "--dry-run"');
    expect((await refusal("demo web1")).code).toBe("invalid-request");
  });

  test.each(["apply -f topology.yaml", "watch", "export"])("%s is of a later version", async (line) => {
    expect(await refusal(line)).toMatchObject({
      code: "unsupported",
      message: `pipework ${line.split(" ")[0]} is not in this version yet`,
    });
  });
});

describe("help and version: stdout, exit 0, nothing opened", () => {
  test.each([
    ["--help", "Usage:\n  pipework <hostif>"],
    ["-h", "Usage:\n  pipework <hostif>"],
    ["help", "Usage:\n  pipework <hostif>"],
    ["br1 --help", "Usage:\n  pipework <hostif>"],
    ["br1 web1 10.0.0.2/24 -h", "Usage:\n  pipework <hostif>"],
    ["help attach", "Usage: pipework attach [options] <guest>"],
    ["attach --help", "Examples:\n  pipework attach web1 --to br1"],
    ["attach web1 -h", "Usage: pipework attach"],
    ["help detach", "pipework detach netns:blue --all"],
    ["list --help", "pipework list web1 --json"],
    ["help wait", "pipework wait web1 address --timeout 10"],
    ["help doctor", "pipework doctor --json"],
    ["help demo", "Usage: pipework demo"],
    ["--version", "9.8.7\n"],
    ["-V", "9.8.7\n"],
  ])("%s", async (line, text) => {
    const port = new FakePort();
    const code = await run(words(line), port);
    expect([code, port.stderr, port.opened]).toEqual([0, "", 0]);
    expect(port.stdout).toContain(text);
  });

  test("the help of attach names every option that it takes, but those of later versions", async () => {
    const port = new FakePort();
    await run(["attach", "--help"], port);
    for (const option of "to type mode ifname host-ifname address gateway route metric mac vlan uplink mtu queues replace direct-phys force no-announce dry-run json quiet verbose timeout".split(
      " ",
    )) {
      expect(port.stdout).toContain(`--${option}`);
    }
    for (const option of ["--dhcp", "--ovsdb"]) expect(port.stdout).not.toContain(option);
  });

  test("a link of the host that is called help", async () => {
    await expect(readWords(["help"], hostWith({ help: "bridge" }))).rejects.toMatchObject({
      message: 'the guest is missing behind "help"',
    });
  });

  test("help of an unknown verb", async () => {
    expect(await refusal("help atach")).toMatchObject({
      code: "invalid-request",
      message: 'there is no command "atach"',
      hint: "did you mean attach?",
    });
    expect(await refusal("help watch")).toMatchObject({ code: "unsupported" });
    expect(await refusal("help tc")).toMatchObject({ code: "unsupported" });
  });
});
