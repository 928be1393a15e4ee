import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HostLinks } from "../../../src/cli/command-port.js";
import { readWords } from "../../../src/cli/dispatch.js";
import type { Invocation } from "../../../src/cli/invocation.js";
import { parseLegacy } from "../../../src/cli/legacy.js";
import { run } from "../../../src/cli/run.js";
import type { AttachRequest } from "../../../src/plan/request.js";
import { parseWish } from "../../../src/plan/wish.js";
import { PipeworkError } from "../../../src/values/error.js";
import { FakePort, hostWith } from "./fake-port.js";

const noLinks = hostWith();

/** Splits at spaces; a single-quoted part is one word. */
function split(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}

function parse(line: string, links: HostLinks = noLinks): Invocation {
  return parseLegacy(split(line), links);
}

function request(line: string, links?: HostLinks): AttachRequest {
  const invocation = parse(line, links);
  if (invocation.kind !== "attach") throw new Error(`${line} is ${invocation.kind}`);
  return invocation.request;
}

function warnings(line: string, links?: HostLinks): readonly string[] {
  const invocation = parse(line, links);
  if (invocation.kind !== "attach") throw new Error(`${line} is ${invocation.kind}`);
  return invocation.warnings;
}

function refusal(line: string | string[], links: HostLinks = noLinks): PipeworkError {
  try {
    parseLegacy(typeof line === "string" ? split(line) : line, links);
  } catch (error) {
    if (error instanceof PipeworkError) return error;
    throw error;
  }
  throw new Error(`"${String(line)}" was not refused`);
}

/** The whole command, from words to exit code. */
async function command(line: string, port: FakePort = new FakePort()): Promise<{ code: number; port: FakePort }> {
  return { code: await run(split(line), port), port };
}

/** The refusal that the whole command ends with; nothing was attached. */
async function refusedCommand(
  line: string,
  links: HostLinks = noLinks,
): Promise<{ code: string; message: string; hint?: string }> {
  const port = new FakePort(links);
  expect(await run([...split(line), "--json"], port)).toBe(1);
  expect(port.stdout).toBe("");
  return JSON.parse(port.stderr).error;
}

describe("Legacy, unchanged in words, results and link names; options in any order", () => {
  test("`pipework <hostif> [-i ifname] [-l hostname] [-a 4|6] <guest> <addr/len[@gateway]|dhcp...|0/0> [mac][@vlan]`", () => {
    expect(request("br1 web1 192.168.1.2/24")).toEqual({ to: "br1", guest: "web1", addresses: ["192.168.1.2/24"] });
    expect(request("br1 -i eth2 -l hostapp1 -a 4 web1 192.168.4.25/20@192.168.4.1 26:2e:71:98:60:8f@100")).toEqual({
      to: "br1",
      guest: "web1",
      ifname: "eth2",
      hostIfname: "hostapp1",
      addresses: ["192.168.4.25/20"],
      gateway: "192.168.4.1",
      mac: "26:2e:71:98:60:8f",
      vlan: 100,
    });
    expect(request("br1 web1 0/0")).toEqual({ to: "br1", guest: "web1", addresses: [] });
    expect(request("br1 web1 fd00::2/64@fd00::1")).toEqual({
      to: "br1",
      guest: "web1",
      addresses: ["fd00::2/64"],
      gateway: "fd00::1",
    });
  });

  test.each(["-i eth2 -l h1 -a 4", "-l h1 -a 4 -i eth2", "-a 4 -i eth2 -l h1", "-a 4 -l h1 -i eth2"])(
    "options in any order: %s",
    (options) => {
      const expected = { to: "br1", guest: "web1", ifname: "eth2", hostIfname: "h1", addresses: ["10.0.0.2/24"] };
      expect(request(`br1 ${options} web1 10.0.0.2/24`)).toEqual(expected);
      expect(request(`${options} br1 web1 10.0.0.2/24`)).toEqual(expected);
      expect(request(`br1 web1 ${options} 10.0.0.2/24`)).toEqual(expected);
      expect(request(`br1 web1 10.0.0.2/24 ${options}`)).toEqual(expected);
    },
  );

  test("`mac:<mac>` as host interface, and further words that are no name", () => {
    expect(request("pci:00:05.0 web1 0/0").to).toBe("pci:0000:00:05.0");
    expect(request("enx-alternative-name web1 0/0").to).toBe("enx-alternative-name");
    expect(request("mac:00:f3:15:4a:42:c8 -i c0 web1 0/0")).toEqual({
      to: "mac:00:f3:15:4a:42:c8",
      guest: "web1",
      ifname: "c0",
      addresses: [],
    });
    for (const word of ["mac:00:f3", "pci:5", "a-name/longer-than-15-bytes"]) {
      expect(refusal(`${word} web1 0/0`)).toMatchObject({
        code: "invalid-request",
        message: expect.stringContaining("word 1"),
      });
    }
  });

  test("`--direct-phys`, anywhere", () => {
    const eth3 = hostWith({ eth3: "other" });
    for (const line of [
      "--direct-phys eth3 web1 10.0.0.2/24",
      "eth3 --direct-phys web1 10.0.0.2/24",
      "eth3 web1 10.0.0.2/24 --direct-phys",
    ]) {
      expect(request(line, eth3)).toEqual({ to: "eth3", guest: "web1", addresses: ["10.0.0.2/24"], directPhys: true });
    }
    expect(request("--direct-phys --force eth3 web1 0/0", eth3)).toMatchObject({ directPhys: true, force: true });
    expect(request("--direct-phys mac:00:f3:15:4a:42:c8 web1 0/0")).toMatchObject({ to: "mac:00:f3:15:4a:42:c8" });
  });

  test("with `--direct-phys` an interface that the host has not may be in the guest already", () => {
    expect(request("--direct-phys eth3 web1 0/0")).toMatchObject({ to: "eth3", directPhys: true });
    expect(refusal("eth3 web1 0/0").code).toBe("interface-not-found");
  });

  test("`dummy`", () => {
    expect(request("dummy web1 192.168.21.101/24@192.168.21.1")).toEqual({
      to: "dummy",
      type: "dummy",
      guest: "web1",
      addresses: ["192.168.21.101/24"],
      gateway: "192.168.21.1",
    });
  });

  test("`route|rule|tc <guest> <words>`", async () => {
    const output = { dryRun: false, json: false, quiet: false, verbose: false };
    expect(parse("route web1 add 10.0.5.6/24 via 192.168.2.1")).toEqual({
      kind: "route",
      guest: "web1",
      words: split("add 10.0.5.6/24 via 192.168.2.1"),
      at: 3,
      output,
    });
    expect(parse("--dry-run rule --timeout 2 web1 add from 172.19.0.2/32 table 1")).toEqual({
      kind: "rule",
      guest: "web1",
      words: split("add from 172.19.0.2/32 table 1"),
      at: 6,
      output: { ...output, dryRun: true },
      timeoutMs: 2000,
    });
    expect(parse("tc web1 qdisc add dev eth0 root netem loss 30%")).toEqual({
      kind: "tc",
      guest: "web1",
      words: split("qdisc add dev eth0 root netem loss 30%"),
      at: 3,
      output,
    });
    // Words of ours mean nothing of ours any more behind the guest.
    expect(parse("route web1 show --json -i x -- y")).toMatchObject({
      kind: "route",
      guest: "web1",
      words: ["show", "--json", "-i", "x", "--", "y"],
      output,
    });
    for (const word of ["route", "rule", "tc"]) {
      expect(refusal(word).message).toContain("the guest is missing");
      expect(refusal(`${word} -i eth2 web1 show`).message).toContain(`says nothing with ${word}`);
    }
    const { code, port } = await command("tc web1 show");
    expect(code).toBe(1);
    expect(port.opened).toBe(0);
    expect(port.stderr).toContain("pipework: pipework tc is not in this version yet\n");
  });

  test("`route` and `rule` hand their words on with their places, and print what comes back", async () => {
    for (const kind of ["route", "rule"] as const) {
      const port = new FakePort();
      port.shown = { output: "10.0.0.0/8 dev eth1 \n", objects: [], warnings: ["mind the gap"] };
      expect(await run(split(`${kind} web1 show table 100`), port)).toBe(0);
      expect(port.stdout).toBe("10.0.0.0/8 dev eth1 \n");
      expect(port.stderr).toBe("pipework: warning: mind the gap\n");
      expect(port.calls).toMatchObject([
        { name: kind, argument: { guest: "web1", lines: [["show", "table", "100"]], options: { firstWord: 3 } } },
      ]);
      expect(port.closed).toBe(1);
      const json = new FakePort();
      expect(await run(split(`--json ${kind} web1 show`), json)).toBe(0);
      expect(json.calls).toMatchObject([{ argument: { lines: [["-j", "show"]], options: { firstWord: 3 } } }]);
      const dry = new FakePort();
      expect(await run(split(`--dry-run ${kind} web1 add default dev eth1`), dry)).toBe(0);
      expect(dry.calls.map(({ name }) => name)).toEqual([kind === "route" ? "planRoute" : "planRule"]);
      expect(dry.stdout).toContain("plan of");
    }
  });

  test("`--wait [-i ifname]`", async () => {
    expect(parse("--wait")).toMatchObject({ kind: "wait", request: { ifname: "eth1", level: "up" } });
    expect(parse("--wait -i ib0")).toMatchObject({ kind: "wait", request: { ifname: "ib0" } });
    expect(parse("-i ib0 --timeout 2.5 --wait")).toMatchObject({
      kind: "wait",
      request: { ifname: "ib0", timeoutMs: 2500 },
    });
    for (const level of ["exists", "up", "address", "route"]) {
      expect(parse(`--wait ${level} -i ib0`)).toEqual(parse(`${level} -i ib0 --wait`));
      expect(parse(`--wait -i ib0 ${level}`)).toMatchObject({ kind: "wait", request: { ifname: "ib0", level } });
    }
    expect(refusal("--wait eth1").message).toContain('word 2: "eth1" is no level to wait for');
    expect(refusal("--wait adress").hint).toBe("did you mean address?");
    expect(refusal("--wait up route").message).toContain('word 3, "route": one word too many');
    expect(refusal("--wait -l x").message).toContain("says nothing with --wait");
    const { code, port } = await command("--wait -i eth7");
    expect(code).toBe(0);
    const argument = { ifname: "eth7", level: "up", signal: expect.any(AbortSignal) };
    expect(port.calls).toEqual([{ name: "waitHere", argument }]);
    expect(port.stdout + port.stderr).toBe("");
  });

  test("The gateway replaces the default route of its own family only", () => {
    // Of the request's gateway: one, and of the family of the address.
    expect(request("br1 web1 fd00::2/64@fd00::1").gateway).toBe("fd00::1");
    expect(refusal("br1 web1 fd00::2/64@192.168.1.1").message).toBe(
      'word 3, "fd00::2/64@192.168.1.1": the address is IPv6 and its gateway is IPv4',
    );
    expect(refusal("br1 web1 10.0.0.2/24@fd00::1").code).toBe("invalid-request");
  });

  test("`U:<text>` hashes as the script does", () => {
    expect(parseWish(request("br1 web1 0/0 U:myhost.foo.com")).mac).toBe("02:72:6c:cd:9b:8d");
  });

  test("The family follows from the address", () => {
    expect(parseWish(request("br1 web1 fd00::2/64")).addresses[0]?.family).toBe("inet6");
    expect(parseWish(request("br1 web1 10.0.0.2/24")).addresses[0]?.family).toBe("inet");
  });

  test("Repeating a command that already holds is success; another configuration is a refusal, unless `--replace`", async () => {
    expect(request("br1 web1 10.0.0.2/24")).not.toHaveProperty("replace");
    expect(request("br1 web1 10.0.0.2/24 --replace").replace).toBe(true);
    const port = new FakePort();
    port.attached = { ...port.attached, outcome: "unchanged" };
    expect((await command("br1 web1 10.0.0.2/24", port)).code).toBe(0);
    expect(port.stdout + port.stderr).toBe("");
  });

  test("Common options: `--dry-run --json --quiet --verbose --no-announce --replace --timeout S`", () => {
    const line = "--dry-run br1 --json web1 --quiet 10.0.0.2/24 --verbose --no-announce --replace --timeout 7";
    expect(parse(line)).toEqual({
      kind: "attach",
      request: {
        to: "br1",
        guest: "web1",
        addresses: ["10.0.0.2/24"],
        announce: false,
        replace: true,
        timeoutMs: 7000,
      },
      output: { dryRun: true, json: true, quiet: true, verbose: true },
      warnings: [],
    });
    expect(parse("br1 web1 0/0 -q -v")).toMatchObject({
      output: { quiet: true, verbose: true, dryRun: false, json: false },
    });
    expect(request("br1 web1 0/0 --timeout=0.25").timeoutMs).toBe(250);
    for (const bad of ["0", "5s", "1e3", "1e999", "9999999999"])
      expect(refusal(`br1 web1 0/0 --timeout ${bad}`).message).toContain("word 5");
  });
});

describe("Legacy grammar, pinned (where the script is loose, ours decides; every line a test)", () => {
  test("An existing host interface beats every word", async () => {
    const words = ["route", "rule", "tc", "dummy", "dummy0", "ovs1", "br1", "attach", "list", "help", "bridge", "wait"];
    for (const word of words) {
      const links = hostWith({ [word]: "other" });
      expect(await readWords([word, "web1", "10.0.0.2/24"], links)).toMatchObject({
        kind: "attach",
        request: { to: word, guest: "web1" },
      });
      expect(request(`${word} web1 10.0.0.2/24`, links)).not.toHaveProperty("type");
    }
  });

  test("`route`, `rule`, `tc` are exact, `dummy*`, `br*`, `ovs*` prefixes (only when no such interface exists)", () => {
    for (const word of ["route1", "routes", "rules", "tcp"]) {
      expect(refusal(`${word} web1 10.0.0.2/24`).code).toBe("interface-not-found");
    }
    expect(request("dummy0 web1 0/0")).toMatchObject({ to: "dummy0", type: "dummy" });
    expect(request("br0 web1 0/0")).toEqual({ to: "br0", guest: "web1", addresses: [] });
    expect(request("breakfast web1 0/0").to).toBe("breakfast");
    expect(request("ovsbr0 web1 0/0")).toMatchObject({ to: "ovsbr0", type: "ovs" });
  });

  test("A verb of ours followed by an address as third word, or naming an existing interface, is the legacy form", async () => {
    expect(await readWords(split("bridge web1 10.0.0.2/24"), noLinks)).toMatchObject({
      kind: "attach",
      request: { to: "bridge" },
    });
    expect(await readWords(split("bridge -i eth2 web1 fd00::2/64@fd00::1"), noLinks)).toMatchObject({
      kind: "attach",
      request: { to: "bridge", ifname: "eth2" },
    });
    expect(await readWords(split("bridge web1 0/0"), noLinks)).toMatchObject({ kind: "attach" });
    expect(await readWords(split("list web1 10.0.0.2/24"), hostWith({ list: "bridge" }))).toMatchObject({
      kind: "attach",
      request: { to: "list" },
    });
    expect(await readWords(split("list web1"), noLinks)).toMatchObject({ kind: "list", guest: "web1" });
    await expect(readWords(split("attach web1 10.0.0.2/24"), noLinks)).rejects.toMatchObject({
      code: "interface-not-found",
      hint: "write pipework attach web1 --to IF --address 10.0.0.2/24, or pipework IF web1 10.0.0.2/24",
    });
    expect(await readWords(split("bridge br1 --uplink eth0"), noLinks)).toMatchObject({ kind: "bridge" });
    await expect(readWords(split("export br1"), noLinks)).rejects.toMatchObject({ code: "unsupported" });
  });

  describe("`br63@bond0 ... @63`: a bridge over a VLAN", () => {
    const over = { to: "br63", uplink: "bond0", vlan: 63, guest: "web1", addresses: ["10.0.0.2/24"] };
    test("that is to be made, or is there, of whatever name", () => {
      expect(request("br63@bond0 web1 10.0.0.2/24 @63")).toEqual(over);
      expect(request("br63@bond0 -i eth0 web1 10.0.0.2/24@10.0.0.1 U:web1@63")).toEqual({
        ...over,
        ifname: "eth0",
        gateway: "10.0.0.1",
        mac: "U:web1",
      });
      expect(request("lan@bond0 web1 10.0.0.2/24 @63", hostWith({ lan: "bridge" }))).toEqual({ ...over, to: "lan" });
    });
    test("an interface that has that very name beats it", () => {
      const links = hostWith({ "br63@bond0": "other" });
      expect(request("br63@bond0 web1 10.0.0.2/24 @63", links)).toMatchObject({ to: "br63@bond0", vlan: 63 });
      expect(request("br63@bond0 web1 10.0.0.2/24 @63", links)).not.toHaveProperty("uplink");
    });
    test.each([
      ["br63@bond0 web1 10.0.0.2/24", "which VLAN of bond0"],
      ["br63@bond0 web1 10.0.0.2/24 02:00:00:00:00:05", "which VLAN of bond0"],
      ["br63@ web1 10.0.0.2/24 @63", "interface behind the @ is empty"],
      ["@bond0 web1 10.0.0.2/24 @63", "no bridge"],
      ["eth3@bond0 web1 10.0.0.2/24 @63", "no bridge"],
      ["br63@bond0@x web1 10.0.0.2/24 @63", "no bridge"],
      ["--direct-phys br63@bond0 web1 10.0.0.2/24 @63", "br63 is a bridge"],
    ])("%s is refused", (line, sentence) => {
      expect(refusal(line, hostWith({ eth3: "other" }))).toMatchObject({
        code: "invalid-request",
        message: expect.stringContaining(sentence),
      });
    });
  });

  describe("`[mac][@vlan]` splits at the first `@`", () => {
    test("both parts, either, none", () => {
      const eth3 = hostWith({ eth3: "other" });
      expect(request("eth3 web1 0/0 02:00:00:00:00:05@10", eth3)).toMatchObject({ mac: "02:00:00:00:00:05", vlan: 10 });
      expect(request("eth3 web1 0/0 @10", eth3)).toEqual({ to: "eth3", guest: "web1", addresses: [], vlan: 10 });
      expect(request("eth3 web1 0/0 02:00:00:00:00:05@", eth3)).toEqual({
        to: "eth3",
        guest: "web1",
        addresses: [],
        mac: "02:00:00:00:00:05",
      });
      expect(request("eth3 web1 0/0 ''", eth3)).toEqual({ to: "eth3", guest: "web1", addresses: [] });
    });
    test("a trunk of several VLANs", () => {
      expect(request("br1 web1 0/0 02:00:00:00:00:05@10,20-30")).toMatchObject({
        mac: "02:00:00:00:00:05",
        vlan: "10,20-30",
      });
      for (const tag of ["10,", "30-20", "10,4095", "1-2-3"])
        expect(refusal(`br1 web1 0/0 @${tag}`)).toMatchObject({ code: "invalid-request" });
    });
    test.each(["0", "4095", "9999999", "010", "1x", "-1"])("@%s is no VLAN id", (vlan) => {
      expect(refusal(`br1 web1 0/0 @${vlan}`)).toMatchObject({
        code: "invalid-request",
        message: expect.stringMatching(/^word 4: /),
      });
    });
    test("a second `@` is refused", () => {
      expect(refusal("br1 web1 0/0 02:00:00:00:00:05@10@20").message).toBe(
        'word 4, "02:00:00:00:00:05@10@20": has more than one @',
      );
      expect(refusal("br1 web1 0/0 U:me@host@10").message).toContain("the text behind U: cannot hold one");
    });
    test("extra words are refused", () => {
      expect(refusal("br1 web1 0/0 @10 more").message).toBe('word 5, "more": one word too many');
      expect(refusal("br1 web1 0/0 U:my host").hint).toBe('a text with spaces is quoted: "U:my host"');
    });
    test("`U:` alone is refused", () => {
      expect(refusal("br1 web1 0/0 U:").message).toMatch(/^word 4: "U:" needs a text/);
      expect(refusal(["br1", "web1", "0/0", "U:  "]).message).toContain("needs a text");
    });
    test("`@` on dummy is refused", () => {
      expect(refusal("dummy web1 10.0.0.2/24 @10").message).toBe('word 4, "@10": a dummy interface has no VLAN');
    });
    test("`--direct-phys` on a bridge is refused", () => {
      expect(refusal("--direct-phys br1 web1 0/0").message).toContain("br1 is a bridge");
      expect(refusal("--direct-phys lan web1 0/0", hostWith({ lan: "bridge" })).message).toContain("lan is a bridge");
      expect(refusal("--direct-phys dummy web1 0/0").code).toBe("invalid-request");
    });
    test("`-a` not matching the address is refused", () => {
      expect(refusal("br1 -a 6 web1 10.0.0.2/24").message).toBe(
        'word 5, "10.0.0.2/24": this is IPv4, and -a 6 asks for IPv6',
      );
      expect(refusal("br1 -a inet web1 fd00::2/64").message).toContain("this is IPv6, and -a inet asks for IPv4");
      expect(refusal("br1 -a 4 web1 0/0@fd00::1").message).toContain("-a 4 asks for IPv4");
    });
    test.each([
      "01:00:00:00:00:05",
      "00:00:00:00:00:00",
      "ff:ff:ff:ff:ff:ff",
      "02:00:00:00:00",
      "hello",
      "02:00:00:00:00:0g",
    ])("MAC %s is refused", (mac) => {
      expect(refusal(`br1 web1 0/0 ${mac}`)).toMatchObject({
        code: "invalid-request",
        message: expect.stringMatching(/^word 4: /),
      });
    });
  });

  test("`U:` text: the script hashes the words joined by one space plus a newline", () => {
    const hash = createHash("md5").update("my host name\n").digest("hex");
    const expected = `02:${[0, 2, 4, 6, 8].map((i) => hash.slice(i, i + 2)).join(":")}`;
    expect(parseWish(request("br1 web1 0/0 'U:my  host \t name '")).mac).toBe(expected);
    // A shell itself, as the script does it.
    const shell = execFileSync("sh", [
      "-c",
      'echo $1 | md5sum | sed "s/^\\(..\\)\\(..\\)\\(..\\)\\(..\\)\\(..\\).*$/02:\\1:\\2:\\3:\\4:\\5/"',
      "sh",
      "my  host \t name ",
    ]);
    expect(shell.toString().trim()).toBe(expected);
  });

  test("`-a` takes 4, 6, inet, inet6", () => {
    for (const family of ["4", "inet"])
      expect(request(`br1 -a ${family} web1 10.0.0.2/24`).addresses).toEqual(["10.0.0.2/24"]);
    for (const family of ["6", "inet6"])
      expect(request(`br1 -a ${family} web1 fd00::2/64`).addresses).toEqual(["fd00::2/64"]);
    for (const family of ["4", "6", "inet", "inet6"])
      expect(request(`br1 -a ${family} web1 0/0`).addresses).toEqual([]);
    for (const family of ["5", "link", "ipv4", "constructor"]) {
      expect(refusal(`br1 -a ${family} web1 10.0.0.2/24`)).toMatchObject({
        hint: "-a takes 4, 6, inet or inet6",
        message: expect.stringContaining("word 3"),
      });
    }
  });

  test("`-l` where there is no host end: a warning", async () => {
    const eth3 = hostWith({ eth3: "other" });
    expect(warnings("eth3 -l h1 web1 0/0", eth3)).toEqual([
      "-l h1 has no effect: it names the host end, and a macvlan on eth3 has none",
    ]);
    expect(request("eth3 -l h1 web1 0/0", eth3)).not.toHaveProperty("hostIfname");
    expect(warnings("dummy -l h1 web1 0/0")).toHaveLength(1);
    expect(warnings("ib0 -l h1 web1 0/0", hostWith({ ib0: "infiniband" }))).toHaveLength(1);
    expect(warnings("--direct-phys eth3 -l h1 web1 0/0", eth3)).toHaveLength(1);
    expect(warnings("br1 -l h1 web1 0/0")).toEqual([]);
    expect(warnings("lan -l h1 web1 0/0", hostWith({ lan: "bridge" }))).toEqual([]);
    const { code, port } = await command("eth3 -l h1 web1 10.0.0.2/24", new FakePort(eth3));
    expect(code).toBe(0);
    expect(port.stderr).toBe(
      "pipework: warning: -l h1 has no effect: it names the host end, and a macvlan on eth3 has none\n",
    );
  });

  test("`addr/len@` without gateway = none", () => {
    expect(request("br1 web1 10.0.0.2/24@")).toEqual({ to: "br1", guest: "web1", addresses: ["10.0.0.2/24"] });
    expect(request("br1 web1 0/0@")).toEqual({ to: "br1", guest: "web1", addresses: [] });
    expect(refusal("br1 web1 10.0.0.2/24@10.0.0.1@10.0.0.3").message).toContain("more than one @");
  });

  test("`/255.255.255.0` is accepted", () => {
    expect(request("br1 web1 10.0.0.2/255.255.255.0@10.0.0.1").addresses).toEqual(["10.0.0.2/24"]);
    expect(refusal("br1 web1 10.0.0.2/255.0.255.0").code).toBe("invalid-request");
  });

  test("`10.1/16`, octal-looking and zero-padded parts are refused with the right spelling", () => {
    expect(refusal("br1 web1 10.1/16")).toMatchObject({
      message: expect.stringMatching(/^word 3: /),
      hint: expect.stringContaining("10.1.0.0"),
    });
    expect(refusal("br1 web1 010.1.1.2/24").hint).toBe("write 10.1.1.2");
    expect(refusal("br1 web1 10.001.1.2/24").hint).toBe("write 10.1.1.2");
    expect(refusal("br1 web1 10.1.1.2/024").hint).toBe("write /24");
    expect(refusal("br1 web1 10.1.1.2/24@10.1.1.01").hint).toBe("write 10.1.1.1");
    expect(refusal("br1 web1 10.1.1.2").message).toContain("Maybe you meant 10.1.1.2/24 ?");
  });

  test("`0/0@GW` gives host route plus default", () => {
    expect(request("br1 web1 0/0@192.168.1.1")).toEqual({
      to: "br1",
      guest: "web1",
      addresses: [],
      gateway: "192.168.1.1",
    });
    expect(parseWish(request("br1 web1 0/0@192.168.1.1"))).toMatchObject({
      addresses: [],
      gateways: { inet: "192.168.1.1" },
    });
  });

  test("other zero addresses are refused", () => {
    for (const zero of ["0.0.0.0/24", "0.0.0.0/8", "::/64", "0.0.0.0/32"]) {
      expect(refusal(`br1 web1 ${zero}`)).toMatchObject({
        code: "invalid-request",
        hint: "write 0/0 for an interface without an address",
      });
    }
    expect(refusal("br1 web1 0/8").code).toBe("invalid-request");
    for (const none of ["0.0.0.0/0", "::/0"]) expect(request(`br1 web1 ${none}`).addresses).toEqual([]);
  });

  test("`mac:` compares case-insensitively, current then permanent MAC, physical links first; several matches are refused, listed", () => {
    // The words' part of it: one spelling reaches the search, whatever was typed.
    expect(request("mac:00:F3:15:4A:42:C8 web1 0/0").to).toBe("mac:00:f3:15:4a:42:c8");
    expect(request("mac:00-F3-15-4a-42-c8 web1 0/0").to).toBe("mac:00:f3:15:4a:42:c8");
  });

  test("IPoIB's `@` is a hex pkey", () => {
    const ib0 = hostWith({ ib0: "infiniband" });
    expect(request("ib0 web1 10.10.10.10/24 @8001", ib0)).toEqual({
      to: "ib0",
      type: "ipoib",
      guest: "web1",
      ifname: "ib0",
      addresses: ["10.10.10.10/24"],
      vlan: "0x8001",
    });
    expect(request("ib0 -i ib7 web1 0/0 @0x7FFF", ib0)).toMatchObject({ vlan: "0x7fff", ifname: "ib7" });
    for (const key of ["g", "18001", "0", "0x"])
      expect(refusal(`ib0 web1 0/0 @${key}`, ib0).message).toContain("no partition key");
    expect(refusal("ib0 web1 0/0 02:00:00:00:00:05@8001", ib0).message).toContain("takes no MAC address");
  });

  test("The script deletes a down link that has our host-end name: we never delete a link that is not ours", () => {
    // No legacy word asks for a replacement or a deletion; only --replace does.
    expect(parseWish(request("br1 -l h1 web1 10.0.0.2/24")).replace).toBe(false);
  });

  test("It waits 3 s on PID 0: created or restarting containers are awaited by events up to 3 s (`--timeout`), exited ones refused at once", () => {
    expect(request("br1 web1 10.0.0.2/24")).not.toHaveProperty("timeoutMs");
    expect(request("br1 --timeout 12 web1 10.0.0.2/24").timeoutMs).toBe(12_000);
  });

  test("An off-link gateway gets a host route (/32, /128) like the script's. Only the default of the same family and metric goes", () => {
    expect(parseWish(request("br1 web1 192.0.2.10/32@198.51.100.1"))).toMatchObject({
      gateways: { inet: "198.51.100.1" },
      routes: [],
    });
    expect(parseWish(request("br1 web1 fd00::2/128@fe80::1"))).toMatchObject({ gateways: { inet6: "fe80::1" } });
    expect(parseWish(request("br1 web1 fd00::2/128@fe80::1")).metric).toBeUndefined();
  });

  test("Parents are brought up and stay up after detach; bridges stay; rollback undoes both when we did them", async () => {
    // The command line adds nothing of its own: one attach, whose plan does it all or nothing.
    const { port } = await command("br1 web1 10.0.0.2/24");
    expect(port.calls).toEqual([
      {
        name: "attach",
        argument: { to: "br1", guest: "web1", addresses: ["10.0.0.2/24"], signal: expect.any(AbortSignal) },
      },
    ]);
    expect([port.opened, port.closed]).toEqual([1, 1]);
  });

  test("No arguments: usage on stderr, exit 1; refusals exit 1; success prints nothing on stdout", async () => {
    expect(parseLegacy([], noLinks)).toEqual({ kind: "usage" });
    const nothing = await command("");
    expect(nothing.code).toBe(1);
    expect(nothing.port.stdout).toBe("");
    expect(nothing.port.stderr).toMatch(/^Syntax:\n {2}pipework <hostif>/);
    const refused = await command("br1 web1 10.1/16");
    expect(refused.code).toBe(1);
    expect(refused.port.stdout).toBe("");
    expect(refused.port.opened).toBe(0);
    const done = await command("br1 web1 10.0.0.2/24");
    expect(done.code).toBe(0);
    expect(done.port.stdout + done.port.stderr).toBe("");
  });

  test("`route <guest>` alone shows", () => {
    expect(parse("route web1")).toMatchObject({ kind: "route", guest: "web1", words: ["show"] });
    expect(parse("rule web1")).toMatchObject({ kind: "rule", guest: "web1", words: ["show"] });
    expect(refusal("tc web1").message).toContain("the words for tc are missing");
  });

  test("`tc` flags (`-s -d -j`) pass, `-batch` is refused", () => {
    expect(parse("tc web1 -s -d -j qdisc show")).toMatchObject({
      kind: "tc",
      guest: "web1",
      words: ["-s", "-d", "-j", "qdisc", "show"],
    });
    for (const batch of ["-batch", "-b", "-bat"])
      expect(refusal(`tc web1 -s ${batch} file`).message).toContain(`word 4, "${batch}"`);
    expect(parse("tc web1 qdisc show -b")).toMatchObject({ words: ["qdisc", "show", "-b"] });
  });

  test("**Repeating**: only what the request states is compared", () => {
    // No default is filled in by the words: what they do not say is not in the request.
    expect(Object.keys(request("br1 web1 10.0.0.2/24")).sort()).toEqual(["addresses", "guest", "to"]);
  });
});

describe("DHCP words", () => {
  test.each([
    "dhcp",
    "dhcp:-f",
    "udhcpc",
    "udhcpc-f",
    "udhcpc:-x hostname:me",
    "dhcpcd",
    "dhclient",
    "dhclient-f:-H me",
  ])("%s parses, and is refused as of a later version", async (word) => {
    expect(request(`br1 web1 '${word}' U:x`)).toEqual({
      to: "br1",
      guest: "web1",
      addresses: [],
      dhcp: word,
      mac: "U:x",
    });
    expect(await refusedCommand(`br1 web1 '${word}'`)).toMatchObject({
      code: "unsupported",
      message: "DHCP is not in this version yet",
    });
  });
  test("a misspelt one", () => {
    expect(refusal("br1 web1 dhpc")).toMatchObject({
      message: 'word 3, "dhpc": neither an address nor a DHCP word',
      hint: "did you mean dhcp?",
    });
  });
});

describe("refusals name the word, its place, and the nearest known one", () => {
  test("an unknown first word", () => {
    const eth0 = hostWith({ eth0: "other" });
    expect(refusal("eth9 web1 10.0.0.2/24", eth0)).toMatchObject({
      code: "interface-not-found",
      message: 'word 1, "eth9": there is no such host interface, and it is no command',
      hint: "did you mean eth0?",
    });
    expect(refusal("atach web1", eth0).hint).toBe("did you mean attach?");
    expect(refusal("completely-else").hint).toContain("pipework --help");
  });
  test("unknown options", () => {
    expect(refusal("br1 --replce web1 10.0.0.2/24")).toMatchObject({
      message: 'word 2, "--replce": unknown option',
      hint: "did you mean --replace?",
    });
    expect(refusal("br1 -x web1 10.0.0.2/24").hint).toContain("-i -l -a");
    expect(refusal("br1 --constructor web1 10.0.0.2/24").message).toContain("unknown option");
    expect(refusal("br1 --__proto__ web1 10.0.0.2/24").message).toContain("unknown option");
  });
  test("missing values and words", () => {
    expect(refusal("br1 -i").message).toBe('word 2, "-i": -i needs an interface name after it');
    expect(refusal("br1 -i -l h1 web1 0/0").message).toContain("-i needs an interface name");
    expect(refusal("br1 -i a -i b web1 0/0").message).toContain("-i is given twice");
    expect(refusal("br1").message).toBe('the guest is missing behind "br1"');
    expect(refusal("br1 web1").message).toBe('the address is missing behind "web1"');
    expect(refusal(["br1", "web1", ""]).message).toBe('the address is missing behind "web1"');
    expect(refusal(["br1", "", "10.0.0.2/24"]).message).toBe('the guest is missing behind "br1"');
    expect(refusal([""]).message).toBe("the host interface is missing");
  });
  test.each(["abcdefghijklmnop", "a/b", "a b", "eth0:3", "eth%d", ".", "..", "all"])("interface name %j", (name) => {
    expect(refusal(["br1", "-i", name, "web1", "0/0"])).toMatchObject({
      code: "invalid-request",
      message: expect.stringMatching(/^word 3: the interface name/),
    });
    expect(refusal(["br1", "-l", name, "web1", "0/0"])).toMatchObject({
      code: "invalid-request",
      message: expect.stringMatching(/^word 3: the host-end name/),
    });
  });
  test("-- ends the options", () => {
    expect(request("br1 -- web1 0/0").guest).toBe("web1");
    expect(refusal("br1 -- -i eth2 web1 0/0").message).toContain("word 4");
  });
});

describe("properties", () => {
  const word = fc.oneof(
    fc.constantFrom(
      "br1",
      "eth0",
      "route",
      "rule",
      "tc",
      "dummy",
      "ovs0",
      "mac:02:00:00:00:00:01",
      "web1",
      "10.0.0.2/24",
      "10.0.0.2/24@10.0.0.1",
      "0/0",
      "dhcp",
    ),
    fc.constantFrom(
      "-i",
      "-l",
      "-a",
      "4",
      "6",
      "--wait",
      "--direct-phys",
      "--timeout",
      "--timeout=1",
      "--",
      "-",
      "",
      "@",
      "U:",
      "U:x@5",
      "@5",
      "--json",
      "-b",
    ),
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.ipV4().map((ip) => `${ip}/24`),
    fc.ipV6().map((ip) => `${ip}/64`),
  );
  const links = hostWith({ eth0: "other", ib0: "infiniband", lan: "bridge" });

  test("whatever the words, parseLegacy answers or throws a PipeworkError with a sentence", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 9 }), (words) => {
        try {
          expect(parseLegacy(words, links).kind).toMatch(/^(attach|wait|route|rule|tc|usage)$/);
        } catch (error) {
          if (!(error instanceof PipeworkError)) throw error;
          expect(["invalid-request", "interface-not-found"]).toContain(error.code);
          expect(error.message).not.toBe("");
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("where options stand makes no difference", () => {
    const options = [["-i", "eth5"], ["-l", "h5"], ["-a", "4"], ["--replace"], ["--timeout", "3"], ["--json"]];
    const base = ["br1", "web1", "10.0.0.2/24@10.0.0.1", "02:00:00:00:00:05"];
    const straight = parseLegacy([...base, ...options.flat()], links);
    const places = fc.array(fc.nat({ max: base.length }), { minLength: options.length, maxLength: options.length });
    fc.assert(
      fc.property(fc.shuffledSubarray(options, { minLength: options.length }), places, (order, at) => {
        const words = [...base.map((text) => [text]), []].flatMap((text, i) => [
          ...order.filter((_, n) => at[n] === i).flat(),
          ...text,
        ]);
        expect(parseLegacy(words, links)).toEqual(straight);
      }),
    );
  });
});
