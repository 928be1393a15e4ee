import { type ChildProcess, spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import type { Instance } from "../../src/instance.js";
import type { Waited, WaitRequest } from "../../src/plan/request.js";
import { wait, waitHere } from "../../src/wait.js";
import { expectRefusal, refusalOf } from "./support/refusal.js";
import { descriptors, eventually, threadNames } from "./support/stage.js";
import { closeWorlds, run, World } from "./support/world.js";

let world: World;
let instance: Instance;
let guest: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  world = new World();
  instance = world.instance();
  guest = world.guest();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await world.close();
});
afterAll(closeWorlds);

const ref = () => `netns:${guest}`;

/** A wait, and whether it is over. */
class Waiting {
  over = false;
  readonly ended: Promise<Waited>;

  constructor(request: Partial<WaitRequest> = {}) {
    this.ended = wait(instance, { guest: ref(), ...request });
    const settled = () => {
      this.over = true;
    };
    this.ended.then(settled, settled);
  }
}

/**
 * Makes a change that ends a wait of its own in the same namespace, so that what was to be learned from changes before it
 * has been by then.
 */
async function passed(): Promise<void> {
  const marker = new Waiting({ ifname: "marker", level: "exists" });
  world.ip(guest, "link add marker type bridge");
  await marker.ended;
  world.ip(guest, "link delete marker");
}

/** A veth into the guest, down at both ends. */
function veth(name = "eth1"): void {
  world.ip(world.host, `link add h${name} type veth peer name ${name} netns ${guest}`);
}

function up(name = "eth1"): void {
  world.ip(world.host, `link set h${name} up`);
  world.ip(guest, `link set ${name} up`);
}

describe("levels", () => {
  test("exists: as soon as it is there, down or not", async () => {
    const waiting = new Waiting({ level: "exists" });
    await passed();
    expect(waiting.over).toBe(false);
    veth();
    const { operstate, ifindex, mac } = await waiting.ended;
    const link = world.link(guest, "eth1");
    expect({ operstate, ifindex, mac }).toEqual({ operstate: "down", ifindex: link.ifindex, mac: link.address });
  });

  test("up, which is the default: not while it is down, not without a carrier", async () => {
    veth();
    const waiting = new Waiting();
    await passed();
    expect(waiting.over).toBe(false);
    world.ip(guest, "link set eth1 up");
    await passed();
    expect(waiting.over).toBe(false);
    world.ip(world.host, "link set heth1 up");
    expect(await waiting.ended).toMatchObject({
      guest: ref(),
      ifname: "eth1",
      level: "up",
      operstate: "up",
      mtu: 1500,
    });
    expect(world.link(guest, "eth1")).toMatchObject({ operstate: "UP", flags: expect.arrayContaining(["LOWER_UP"]) });
    expect(await wait(instance, { guest: ref() })).toMatchObject({ operstate: "up" });
  });

  test("up with an operational state that is never known", async () => {
    expect(world.link(guest, "lo").operstate).toBe("UNKNOWN");
    expect(await wait(instance, { guest: ref(), ifname: "lo" })).toMatchObject({ operstate: "unknown" });
    world.ip(guest, "link set lo down");
    const waiting = new Waiting({ ifname: "lo" });
    await passed();
    expect(waiting.over).toBe(false);
    world.ip(guest, "link set lo up");
    await waiting.ended;
  });

  test("up is not what is dormant, carrier or not", async () => {
    veth();
    up();
    await wait(instance, { guest: ref() });
    world.ip(guest, "link set eth1 mode dormant", "link set eth1 down", "link set eth1 up");
    await eventually(() => world.link(guest, "eth1").operstate === "DORMANT");
    const error = await refusalOf(wait(instance, { guest: ref(), timeoutMs: 0 }));
    expect(error.message).toContain("is up, and its operational state is dormant");
    const waiting = new Waiting();
    await passed();
    expect(waiting.over).toBe(false);
    world.ip(guest, "link set eth1 state up");
    expect(await waiting.ended).toMatchObject({ operstate: "up" });
  });

  test("address: of global scope, and of the interface itself", async () => {
    veth();
    up();
    const waiting = new Waiting({ level: "address" });
    world.ip(guest, "address add 127.9.9.9/32 scope host dev eth1", "address add 169.254.1.1/16 scope link dev eth1");
    world.ip(guest, "address add 192.0.2.9/24 dev lo");
    await passed();
    expect(waiting.over).toBe(false);
    world.ip(guest, "address add 192.0.2.2/24 dev eth1");
    expect(await waiting.ended).toMatchObject({ level: "address", addresses: ["192.0.2.2/24"] });
  });

  test("address: not while duplicates are looked for", async () => {
    const conf = "/proc/sys/net/ipv6/conf/default";
    // Three probes, a second apart, and none before there is a carrier.
    world.shell(guest, `echo 1 > ${conf}/accept_dad; echo 3 > ${conf}/dad_transmits`);
    veth();
    world.ip(guest, "link set eth1 up", "address add fd00::2/64 dev eth1");
    const waiting = new Waiting({ level: "address" });
    world.ip(world.host, "link set heth1 up");
    await wait(instance, { guest: ref() });
    const tentative = () =>
      world.link(guest, "eth1").addr_info.filter((one: Record<string, unknown>) => one.tentative === true);
    expect(tentative()).toContainEqual(expect.objectContaining({ local: "fd00::2" }));
    expect(waiting.over).toBe(false);
    expect((await refusalOf(wait(instance, { guest: ref(), level: "address", timeoutMs: 0 }))).message).toContain(
      "is up, and its address fd00::2 is still being checked for duplicates",
    );
    expect(await waiting.ended).toMatchObject({ addresses: ["fd00::2/64"] });
    expect(tentative()).not.toContainEqual(expect.objectContaining({ local: "fd00::2" }));
  });

  test("address: not one that another has as well", async () => {
    world.ip(world.host, "link set lo up");
    world.shell(guest, "echo 1 > /proc/sys/net/ipv6/conf/default/accept_dad");
    veth();
    world.ip(world.host, "link set heth1 up", "address add fd00::2/64 dev heth1 nodad");
    world.ip(guest, "link set eth1 up", "address add fd00::2/64 dev eth1");
    const flags = () => world.link(guest, "eth1").addr_info.find((one: { local: string }) => one.local === "fd00::2");
    await eventually(() => flags().dadfailed === true);
    const error = await refusalOf(wait(instance, { guest: ref(), level: "address", timeoutMs: 0 }));
    expect(error.message).toContain("is up, and its address fd00::2 is another's as well");
  });

  test.each([
    ["IPv4", ["route add default via 192.0.2.1 dev eth1"]],
    ["IPv4, without an address or a gateway", ["address delete 192.0.2.2/24 dev eth1", "route add default dev eth1"]],
    ["IPv6", ["-6 route add default via fd00::1 dev eth1"]],
    ["one of several hops", ["route add default nexthop via 198.51.100.1 dev eth0 nexthop via 192.0.2.1 dev eth1"]],
    ["IPv6, one of several hops", ["-6 route add default nexthop via fd01::1 dev eth0 nexthop via fd00::1 dev eth1"]],
  ])("route: a default route through it: %s", async (_, lines) => {
    for (const name of ["eth0", "eth1"]) {
      veth(name);
      up(name);
    }
    world.ip(guest, "address add 192.0.2.2/24 dev eth1", "address add fd00::2/64 dev eth1");
    world.ip(guest, "address add 198.51.100.2/24 dev eth0", "address add fd01::2/64 dev eth0");
    const waiting = new Waiting({ level: "route" });
    // Others, and other tables, are no default route through it.
    world.ip(
      guest,
      "route add 10.0.0.0/8 via 192.0.2.1",
      "route add default via 192.0.2.1 table 99",
      "route add default via 198.51.100.1 metric 7",
      "route add default via fd01::1 metric 7",
      "route add unreachable default metric 900",
    );
    await passed();
    expect(waiting.over).toBe(false);
    world.shell(guest, lines.map((line) => `ip ${line}`).join(" && "));
    expect(await waiting.ended).toMatchObject({ level: "route", ifname: "eth1" });
  });

  test("out of time: a sentence says what is lacking", async () => {
    const lacks = async (level: WaitRequest["level"]) => {
      const error = await refusalOf(wait(instance, { guest: ref(), level, timeoutMs: 0 }));
      expect(error).toMatchObject({ code: "timeout", guest: ref(), ifname: "eth1" });
      return error.message;
    };
    const rest = ", and the time to wait for it is up";
    for (const level of ["exists", "up", "address", "route"] as const)
      expect(await lacks(level)).toBe(`eth1 of ${ref()} is not there${rest}`);
    veth();
    for (const level of ["up", "address", "route"] as const)
      expect(await lacks(level)).toBe(`eth1 of ${ref()} is there and down${rest}`);
    world.ip(guest, "link set eth1 up");
    for (const level of ["up", "address", "route"] as const)
      expect(await lacks(level)).toBe(`eth1 of ${ref()} is up and has no carrier${rest}`);
    world.ip(world.host, "link set heth1 up");
    await wait(instance, { guest: ref() });
    expect(await lacks("address")).toBe(`eth1 of ${ref()} is up and has no address${rest}`);
    expect(await lacks("route")).toBe(`eth1 of ${ref()} is up and has no default route${rest}`);
    // What went away meanwhile is not there, whatever it was before.
    const waiting = refusalOf(wait(instance, { guest: ref(), level: "route", timeoutMs: 300 }));
    world.ip(guest, "link delete eth1");
    expect((await waiting).message).toBe(`eth1 of ${ref()} is not there${rest}`);
  });
});

describe("changes", () => {
  test("made, deleted, made again, renamed", async () => {
    const waiting = new Waiting();
    for (let i = 0; i < 3; i++) {
      veth();
      world.ip(guest, "link set eth1 up");
      world.ip(guest, "link delete eth1");
    }
    await passed();
    expect(waiting.over).toBe(false);
    veth("other");
    world.ip(world.host, "link set hother up");
    world.ip(guest, "link set other name eth1", "link set eth1 up");
    await waiting.ended;
  });

  test("moved into the guest", async () => {
    const waiting = new Waiting({ level: "exists" });
    world.ip(world.host, "link add away type veth peer name far", `link set away netns ${guest} name eth1`);
    await waiting.ended;
  });

  test("in a burst that is more than the socket holds", async () => {
    const waiting = new Waiting();
    const lines = Array.from({ length: 3000 }, (_, i) => `link set lo alias ${i}`);
    veth();
    // Nobody reads meanwhile: this blocks.
    world.ip(guest, ...lines);
    await passed();
    expect(waiting.over).toBe(false);
    up();
    await waiting.ended;
  });

  test("while a guest's routes change all the time", async () => {
    veth();
    up();
    world.ip(guest, "address add 192.0.2.2/24 dev eth1");
    const waiting = new Waiting({ level: "route" });
    const lines = Array.from({ length: 5000 }, (_, i) => `route add 10.${i >> 8}.${i & 255}.0/24 via 192.0.2.1`);
    world.ip(guest, ...lines);
    expect(waiting.over).toBe(false);
    world.ip(guest, "route add default via 192.0.2.1");
    await waiting.ended;
  });

  test("an attachment of ours, at every level", async () => {
    const all = (["exists", "up", "address", "route"] as const).map((level) => new Waiting({ level }));
    await passed();
    await attach(instance, { guest: ref(), to: "br1", addresses: ["192.0.2.2/24"], gateway: "192.0.2.1" });
    await Promise.all(all.map(({ ended }) => ended));
    expect(world.addresses(guest, "eth1")).toEqual(["192.0.2.2/24"]);
  });

  test("in another namespace mean nothing", async () => {
    const other = world.guest();
    const waiting = new Waiting({ level: "exists" });
    world.ip(other, "link add eth1 type bridge");
    world.ip(world.host, "link add eth1 type bridge");
    await passed();
    expect(waiting.over).toBe(false);
    world.ip(guest, "link add eth1 type bridge");
    await waiting.ended;
  });
});

/** A process in a network namespace of its own, with a veth to the host side. */
async function processGuest(): Promise<{ pid: number; kill: () => void }> {
  const child = spawn("unshare", ["--net", "sleep", "1000"], { stdio: "ignore" });
  children.push(child);
  const own = readlinkSync("/proc/self/ns/net");
  await eventually(() => readlinkSync(`/proc/${child.pid}/ns/net`) !== own);
  world.ip(world.host, `link add hproc type veth peer name eth1 netns ${child.pid}`);
  return { pid: child.pid as number, kill: () => child.kill("SIGKILL") };
}

/** The namespace at the other end is no more: its links went with it. */
const gone = () => world.link(world.host, "hproc") === undefined;

describe("the end of the guest", () => {
  test("a process: the wait ends, and its namespace", async () => {
    const { pid, kill } = await processGuest();
    const waiting = refusalOf(wait(instance, { guest: `pid:${pid}` }));
    await wait(instance, { guest: `pid:${pid}`, level: "exists" });
    kill();
    const error = await waiting;
    expect(error).toMatchObject({ code: "guest-gone", guest: `pid:${pid}`, ifname: "eth1" });
    expect(error.message).toBe(
      `guest pid:${pid}: it ended or was restarted while its eth1 was waited for, when it is there and down`,
    );
    await eventually(gone);
  });

  test("the same by the path of its namespace", async () => {
    const { pid, kill } = await processGuest();
    const waiting = refusalOf(wait(instance, { guest: `netns:/proc/${pid}/ns/net` }));
    await wait(instance, { guest: `netns:/proc/${pid}/ns/net`, level: "exists" });
    kill();
    expect((await waiting).code).toBe("guest-gone");
    await eventually(gone);
  });

  test("nothing holds its namespace while JavaScript is busy with something else", async () => {
    const { pid, kill } = await processGuest();
    const waiting = refusalOf(wait(instance, { guest: `pid:${pid}` }));
    await wait(instance, { guest: `pid:${pid}`, level: "exists" });
    kill();
    // Not a turn of the event loop in here: `ip` is awaited by blocking.
    const deadline = performance.now() + 10_000;
    while (!gone() && performance.now() < deadline) run("sleep", ["0.02"]);
    expect(gone()).toBe(true);
    expect((await waiting).code).toBe("guest-gone");
  });

  test("a named namespace: when its name is removed", async () => {
    world.ip(world.host, `link add hproc type veth peer name eth1 netns ${guest}`);
    const waiting = refusalOf(wait(instance, { guest: ref() }));
    await wait(instance, { guest: ref(), level: "exists" });
    run("ip", ["netns", "delete", guest]);
    world.namespaces.splice(world.namespaces.indexOf(guest), 1);
    expect((await waiting).code).toBe("guest-gone");
    await eventually(gone);
  });

  test("the removal of another name is no end", async () => {
    const waiting = new Waiting({ level: "exists" });
    const other = world.guest();
    await passed();
    run("ip", ["netns", "delete", other]);
    world.namespaces.splice(world.namespaces.indexOf(other), 1);
    await passed();
    expect(waiting.over).toBe(false);
    veth();
    await waiting.ended;
  });
});

describe("ways to end a wait", () => {
  test("the caller's signal", async () => {
    const controller = new AbortController();
    veth();
    const waiting = refusalOf(wait(instance, { guest: ref(), signal: controller.signal }));
    await passed();
    controller.abort(new Error("enough"));
    const error = await waiting;
    expect(error).toMatchObject({ code: "aborted", cause: expect.objectContaining({ message: "enough" }) });
    expect(error.message).toBe(`waiting for eth1 of ${ref()} was aborted: it is there and down`);
    expect((await refusalOf(wait(instance, { guest: ref(), signal: controller.signal }))).code).toBe("aborted");
  });

  test("closing the instance", async () => {
    const waiting = refusalOf(wait(instance, { guest: ref() }));
    await passed();
    await instance.close();
    expect((await waiting).code).toBe("closed");
    expect((await refusalOf(wait(instance, { guest: ref() }))).code).toBe("closed");
  });

  test("a hundred at once, ended each in one of these ways, leave neither descriptor nor thread", async () => {
    await wait(instance, { guest: ref(), ifname: "lo" });
    const before = descriptors();
    const controller = new AbortController();
    const ends = Array.from({ length: 100 }, (_, i) => {
      const level = (["exists", "up", "address", "route"] as const)[i % 4];
      const more = i < 40 ? {} : i < 70 ? { signal: controller.signal } : { timeoutMs: 300, ifname: "never0" };
      return wait(instance, { guest: ref(), level, ...more });
    });
    const all = Promise.allSettled(ends);
    await passed();
    await attach(instance, {
      guest: ref(),
      to: "br1",
      addresses: ["192.0.2.2/24"],
      gateway: "192.0.2.1",
      ifname: "eth2",
    });
    controller.abort();
    veth();
    up();
    world.ip(guest, "address add 198.51.100.2/24 dev eth1", "route replace default via 198.51.100.1");
    const count: Record<string, number> = {};
    for (const one of await all) {
      const what = one.status === "fulfilled" ? "ended" : String(one.reason.code);
      count[what] = (count[what] ?? 0) + 1;
    }
    expect(count).toEqual({ ended: 40, aborted: 30, timeout: 30 });
    // The attach's own sockets are closed a moment after its promise is settled.
    await eventually(() => descriptors() <= before);
    await eventually(() => !threadNames().includes("pw-reap"));
  });
});

describe("refused at once", () => {
  test.each([
    ["a namespace that is not there", { guest: "netns:no-such-namespace" }, "guest-not-found", "no-such-namespace"],
    ["a process that is not there", { guest: "pid:999999999" }, "guest-not-found", "999999999"],
    ["no guest", { guest: "" }, "invalid-request", "guest"],
    ["an impossible name", { ifname: "a/b" }, "invalid-request", "a/b"],
    ["an unknown level", { level: "adress" as "address" }, "invalid-request", "did you mean address?"],
    ["a level that is no text", { level: 3 as never }, "invalid-request", "level"],
    ["a time that is none", { timeoutMs: -1 }, "invalid-request", "timeoutMs"],
    ["a field that there is not", { iface: "eth1" } as object, "invalid-request", "iface"],
  ] as const)("%s", async (_, request, code, words) => {
    await expectRefusal(world, () => wait(instance, { guest: ref(), ...request }), code, words);
  });

  test("what is the host's own network", async () => {
    await expectRefusal(world, () => wait(instance, { guest: `netns:${world.host}` }), "guest-host-network");
  });
});

test("the caller's own namespace needs no guest", async () => {
  expect(await waitHere(instance, { ifname: "lo", level: "up" })).toEqual({
    ifname: "lo",
    level: "up",
    ifindex: 1,
    mac: "00:00:00:00:00:00",
    mtu: 65536,
    operstate: "unknown",
    warnings: [],
  });
  const error = await refusalOf(waitHere(instance, { ifname: "never0", timeoutMs: 0 }));
  expect(error.message).toBe("never0 is not there, and the time to wait for it is up");
});
