import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { run } from "../../../src/cli/run.js";
import type { Finding } from "../../../src/doctor/finding.js";
import type { ListedAttachment } from "../../../src/list.js";
import { PipeworkError } from "../../../src/values/error.js";
import { attachment, FakePort, hostWith, plan } from "./fake-port.js";

const legacy = ["br1", "web1", "192.168.1.2/24"];

async function runWith(
  words: readonly string[],
  change: (port: FakePort) => void = () => {},
): Promise<{ code: number; port: FakePort }> {
  const port = new FakePort();
  change(port);
  return { code: await run(words, port), port };
}

const failure = new PipeworkError({
  code: "kernel-refused",
  message: "address 192.168.1.2/24 on eth1 of web1 was refused",
  hint: "choose another one",
  guest: "web1",
  ifname: "eth1",
  step: "address 192.168.1.2/24 on eth1",
  netns: "guest",
  errno: 22,
  errnoName: "EINVAL",
  kernelText: "Invalid address",
  undo: [{ step: "veth", failure: "EBUSY" }, { step: "bridge br1" }],
});

function failingPort(error: unknown): FakePort {
  return new FakePort(hostWith(), {
    attach: async () => {
      throw error;
    },
  });
}

describe("attach", () => {
  test("success says nothing", async () => {
    const { code, port } = await runWith(legacy);
    expect([code, port.stdout, port.stderr, port.opened, port.closed]).toEqual([0, "", "", 1, 1]);
  });

  test("--json prints the Attachment on stdout, and that alone", async () => {
    const { code, port } = await runWith([...legacy, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(port.stdout)).toEqual(attachment);
    expect(port.stderr).toBe("");
  });

  test("--verbose says in one line on stderr what was done", async () => {
    const { port } = await runWith([...legacy, "-v"]);
    expect(port.stdout).toBe("");
    expect(port.stderr).toBe(
      "pipework: eth1 of web1 attached to br1: bridge, 192.168.1.2/24, MAC 02:00:00:00:00:01, MTU 1500, host end veth1pl42\n",
    );
    const again = await runWith([...legacy, "-v"], (one) => {
      one.attached = { ...attachment, outcome: "unchanged" };
    });
    expect(again.port.stderr).toBe("pipework: eth1 of web1 is as asked for already, nothing was changed\n");
  });

  test("warnings go to stderr unless --quiet", async () => {
    const warned = (port: FakePort) => {
      port.attached = { ...attachment, warnings: ["web1 is paused", "second"] };
    };
    expect((await runWith(legacy, warned)).port.stderr).toBe(
      "pipework: warning: web1 is paused\npipework: warning: second\n",
    );
    const quiet = await runWith([...legacy, "-q", "--json"], warned);
    expect(quiet.port.stderr).toBe("");
    expect(JSON.parse(quiet.port.stdout).warnings).toEqual(["web1 is paused", "second"]);
  });

  test("--dry-run prints the plan and attaches nothing", async () => {
    const { code, port } = await runWith([...legacy, "--dry-run"]);
    expect(code).toBe(0);
    expect(port.stdout).toBe("plan of eth1\n");
    expect(port.calls.map(({ name }) => name)).toEqual(["plan"]);
  });

  test("--dry-run --json prints the plan as data; bytes are hex", async () => {
    const { port } = await runWith([...legacy, "--dry-run", "--json"], (one) => {
      one.planned = {
        ...plan,
        warnings: ["careful"],
        steps: [{ id: "x", payload: Uint8Array.of(1, 255), large: 2n ** 60n }] as never,
      };
    });
    expect(JSON.parse(port.stdout)).toEqual({
      ...plan,
      warnings: ["careful"],
      steps: [{ id: "x", payload: "01ff", large: "1152921504606846976" }],
    });
    expect(port.stderr).toBe("pipework: warning: careful\n");
    expect(port.calls.map(({ name }) => name)).toEqual(["plan"]);
  });
});

describe("errors", () => {
  test("one sentence with the kernel's words on stderr, what is left behind, and the hint; exit 1", async () => {
    const port = failingPort(failure);
    expect(await run(legacy, port)).toBe(1);
    expect(port.stdout).toBe("");
    expect(port.stderr).toBe(
      "pipework: address 192.168.1.2/24 on eth1 of web1 was refused: Invalid address\n" +
        '  left behind, undoing "veth" failed as well: EBUSY\n' +
        "  choose another one\n",
    );
    expect([port.opened, port.closed]).toEqual([1, 1]);
  });

  test("the kernel's words are not said twice", async () => {
    const port = failingPort(
      new PipeworkError({ code: "kernel-refused", message: "eth1: File exists (EEXIST)", kernelText: "File exists" }),
    );
    await run(legacy, port);
    expect(port.stderr).toBe("pipework: eth1: File exists (EEXIST)\n");
  });

  test("--json: an object on stderr, for refusals of the words as well", async () => {
    const port = failingPort(failure);
    expect(await run([...legacy, "--json"], port)).toBe(1);
    expect(port.stdout).toBe("");
    expect(JSON.parse(port.stderr)).toEqual({ error: JSON.parse(JSON.stringify(failure)) });
    const words = await runWith(["--json", "br1", "web1", "nonsense"]);
    expect(words.code).toBe(1);
    expect(JSON.parse(words.port.stderr).error).toMatchObject({ name: "PipeworkError", code: "invalid-request" });
  });

  test("what is no PipeworkError is told as a fault of ours, with its stack when --verbose", async () => {
    const port = failingPort(new TypeError("undefined is not a function"));
    expect(await run(legacy, port)).toBe(1);
    expect(port.stderr).toMatch(
      /^pipework: this is a fault of pipework itself: undefined is not a function\n {2}please report it/,
    );
    expect(port.stderr).not.toContain("run.test");
    const verbose = failingPort(new TypeError("undefined is not a function"));
    await run([...legacy, "-v"], verbose);
    expect(verbose.stderr).toContain("run.test");
    const odd = failingPort("a string");
    expect(await run(legacy, odd)).toBe(1);
    expect(odd.stderr).toContain("a string");
  });

  test("control characters in names do not reach the terminal", async () => {
    const port = failingPort(
      new PipeworkError({ code: "guest-not-found", message: "no \u001b[31mguest\u0007\n", hint: "a\u009bb" }),
    );
    await run(legacy, port);
    expect(port.stderr).toBe("pipework: no \\x1b[31mguest\\x07\\x0a\n  a\\x9bb\n");
  });
});

describe("detach", () => {
  test("success says nothing; --json prints the outcomes; --verbose a line for each", async () => {
    const silent = await runWith(["detach", "web1"]);
    expect([silent.code, silent.port.stdout, silent.port.stderr]).toEqual([0, "", ""]);
    const outcomes = [
      { guest: "web1", ifname: "eth1", outcome: "detached" as const, warnings: ["one"] },
      { guest: "web1", ifname: "eth2", outcome: "absent" as const, warnings: [] },
    ];
    const { port } = await runWith(["detach", "web1", "--all", "--json", "-v"], (one) => {
      one.outcomes = outcomes;
    });
    expect(JSON.parse(port.stdout)).toEqual(outcomes);
    expect(port.stderr).toBe(
      "pipework: warning: one\npipework: eth1 of web1 detached\npipework: eth2 of web1 was not there, nothing was changed\n",
    );
  });

  test("--dry-run", async () => {
    const { port } = await runWith(["detach", "web1", "--dry-run"]);
    expect(port.stdout).toBe("plan of eth1\n");
    expect(port.calls.map(({ name }) => name)).toEqual(["planDetach"]);
    const json = await runWith(["detach", "web1", "--dry-run", "--json"]);
    expect(JSON.parse(json.port.stdout)).toMatchObject([{ action: "detach", ifname: "eth1" }]);
  });
});

describe("list", () => {
  const row: ListedAttachment = {
    guest: "a-long-container-name",
    guestId: "docker:01",
    ifname: "eth1",
    to: "br1",
    type: "bridge",
    hostIfname: "veth1pl42",
    ifindex: 3,
    addresses: ["10.0.0.2/24", "fd00::2/64"],
    mac: "02:00:00:00:00:01",
    mtu: 1500,
    state: "up",
  };
  const { hostIfname: _, ...macvlan } = row;
  const rows: ListedAttachment[] = [
    row,
    { ...macvlan, guest: "w\u001b2", type: "macvlan", addresses: [], state: "gone" },
  ];

  test("an aligned table", async () => {
    const { code, port } = await runWith(["list"], (one) => {
      one.rows = rows;
    });
    expect(code).toBe(0);
    expect(port.stdout.split("\n")).toEqual([
      "GUEST                  INTERFACE  STATE  TO   TYPE     HOST END   MAC                ADDRESSES",
      "a-long-container-name  eth1       up     br1  bridge   veth1pl42  02:00:00:00:00:01  10.0.0.2/24 fd00::2/64",
      "w\\x1b2                 eth1       gone   br1  macvlan  -          02:00:00:00:00:01  -",
      "",
    ]);
  });

  test("--json is the array itself; the guest is passed on", async () => {
    const { port } = await runWith(["list", "web1", "--json"], (one) => {
      one.rows = rows;
    });
    expect(JSON.parse(port.stdout)).toEqual(rows);
    expect(port.calls).toEqual([{ name: "list", argument: { guest: "web1" } }]);
    expect((await runWith(["list", "--json"])).port.stdout).toBe("[]\n");
  });
});

describe("doctor", () => {
  const findings: Finding[] = [
    { id: "privileges", level: "ok", what: "running as root" },
    { id: "ca", level: "warning", what: "slow start", remedy: "unset it" },
  ];
  const problem: Finding = { id: "bridge", level: "problem", what: "no bridges", remedy: "modprobe bridge" };

  test("plain text, remedies below; exit 1 only for a problem", async () => {
    const fine = await runWith(["doctor"], (port) => {
      port.findings = findings;
    });
    expect(fine.code).toBe(0);
    expect(fine.port.stdout).toBe("ok       running as root\nwarning  slow start\n         unset it\n");
    const broken = await runWith(["doctor"], (port) => {
      port.findings = [...findings, problem];
    });
    expect(broken.code).toBe(1);
    expect(broken.port.stdout).toContain("problem  no bridges\n         modprobe bridge\n");
  });

  test("colour only where stdout takes it", async () => {
    const { port } = await runWith(["doctor"], (one) => {
      one.findings = findings;
      one.colourful = true;
    });
    expect(port.stdout).toContain("\u001b[32mok     \u001b[39m  running as root");
  });

  test("--json", async () => {
    const { code, port } = await runWith(["doctor", "--json"], (one) => {
      one.findings = [problem];
      one.colourful = true;
    });
    expect(code).toBe(1);
    expect(JSON.parse(port.stdout)).toEqual([problem]);
  });
});

test("demo prints its lines on stdout", async () => {
  const { code, port } = await runWith(["demo"]);
  expect([code, port.stdout, port.stderr]).toEqual([0, "first line\nsecond line\n", ""]);
});

describe("signals", () => {
  /** A port whose attach settles when told; `signal` is what it was given. */
  function slowPort(): { port: FakePort; started: Promise<AbortSignal>; settle: (error?: unknown) => void } {
    let settle: (error?: unknown) => void = () => {};
    let begun: (signal: AbortSignal) => void = () => {};
    const started = new Promise<AbortSignal>((resolve) => {
      begun = resolve;
    });
    const port = new FakePort(hostWith(), {
      attach: (request) =>
        new Promise((resolve, reject) => {
          settle = (error) => (error === undefined ? resolve(attachment) : reject(error));
          begun(request.signal as AbortSignal);
        }),
    });
    return { port, started, settle: (error) => settle(error) };
  }

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s during a plan: it runs to its end, then exit %d", async (name, expected) => {
    const { port, started, settle } = slowPort();
    let code: number | undefined;
    const running = run(legacy, port).then((value) => {
      code = value;
    });
    const signal = await started;
    expect(signal.aborted).toBe(false);
    port.raise(name);
    expect(signal.aborted).toBe(true);
    // A second one, even of the other kind, does not cut it short.
    port.raise("SIGINT");
    port.raise("SIGTERM");
    await new Promise((resolve) => setImmediate(resolve));
    expect([code, port.closed]).toEqual([undefined, 0]);
    settle();
    await running;
    expect([code, port.closed]).toEqual([expected, 1]);
    expect(port.stderr).toBe(`pipework: warning: ${name} came when the work had begun, so it was brought to its end\n`);
  });

  test("what had not begun is refused, and the exit code is still the signal's", async () => {
    const { port, started, settle } = slowPort();
    const running = run([...legacy, "--json"], port);
    await started;
    port.raise("SIGINT");
    settle(new PipeworkError({ code: "aborted", message: "attaching to web1 was aborted; nothing was changed" }));
    expect(await running).toBe(130);
    expect(JSON.parse(port.stderr).error.code).toBe("aborted");
  });

  test("--wait ends at once", async () => {
    const port = new FakePort();
    port.waiting = ({ signal }) =>
      new Promise<never>((_, reject) =>
        signal?.addEventListener("abort", () =>
          reject(new PipeworkError({ code: "aborted", message: "waiting for eth1 was aborted" })),
        ),
      );
    const running = run(["--wait"], port);
    await new Promise((resolve) => setImmediate(resolve));
    port.raise("SIGTERM");
    expect(await running).toBe(143);
    expect(port.stderr).toBe("pipework: waiting for eth1 was aborted\n");
  });

  test("--wait out of time is exit 1", async () => {
    const port = new FakePort();
    port.waiting = async () => {
      throw new PipeworkError({ code: "timeout", message: "eth1 is not there, and the time to wait for it is up" });
    };
    expect(await run(["--wait", "--timeout", "1"], port)).toBe(1);
  });
});

describe("standard streams", () => {
  const script = `
    import { writeAll } from "./src/cli/standard-stream.ts";
    writeAll(1, "x".repeat(300_000) + "\\n");
    writeAll(2, "done\\n");
  `;
  // The sources themselves, in a process of their own: descriptors 1 and 2 are what this is about.
  async function bundle(): Promise<string> {
    const { build } = await import("esbuild");
    const built = await build({
      stdin: { contents: script, resolveDir: process.cwd(), loader: "ts" },
      bundle: true,
      platform: "node",
      format: "cjs",
      write: false,
    });
    return built.outputFiles[0]?.text ?? "";
  }

  test("a reader that went away is no failure", async () => {
    const result = spawnSync(
      "sh",
      ["-c", '{ "$0" -e "$1"; echo "exit $?" >&2; } | head -c 1', process.execPath, await bundle()],
      { encoding: "utf8" },
    );
    expect(result.stderr).toBe("done\nexit 0\n");
  });

  test("a slow reader of a non-blocking pipe gets everything", async () => {
    // The flag belongs to the open pipe, so it outlives the program that sets it: what a neighbour in a pipeline can do.
    const nonBlocking = "use Fcntl; fcntl(STDOUT, F_SETFL, O_WRONLY | O_NONBLOCK) or die";
    const reader =
      "setTimeout(() => { let n = 0; process.stdin.on('data', (d) => { n += d.length; }).on('end', () => console.log(n)); }, 200)";
    const line = '{ perl -e "$1"; "$0" -e "$2"; } | "$0" -e "$3"';
    const result = spawnSync("sh", ["-c", line, process.execPath, nonBlocking, await bundle(), reader], {
      encoding: "utf8",
    });
    expect(result.stdout).toBe("300001\n");
  });
});
