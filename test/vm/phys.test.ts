import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { attach } from "../../src/attach.js";
import { detach, planDetachOnly } from "../../src/detach.js";
import { Instance } from "../../src/instance.js";
import { list } from "../../src/list.js";
import { refusalOf } from "../kernel/support/refusal.js";
import { run } from "../kernel/support/world.js";
import { needs } from "./support/needs.js";

needs("virtio_net", "veth", "bridge", "dummy", "bonding");

const MAC = "52:54:00:00:00:01";
const GUEST = "netns:pwnic";

// biome-ignore lint/suspicious/noExplicitAny: iproute2's JSON is its own
type Fact = any;
const ip = (...words: string[]): Fact[] => JSON.parse(run("ip", ["-j", ...words]).trim() || "[]");
const batch = (...lines: string[]) => run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
const inGuest = (...lines: string[]) => run("ip", ["-n", "pwnic", "-batch", "-"], `${lines.join("\n")}\n`);
const linkByMac = (mac: string): Fact =>
  ip("-d", "addr").find(({ address, permaddr }) => (permaddr ?? address) === mac);

/** What is to be the same again of the NIC: no counters, and nothing that its carrier decides. */
function state(): unknown {
  const { flags, qdisc: _, operstate: __, addr_info, promiscuity: ___, allmulti: ____, ...rest } = linkByMac(MAC);
  const name = rest.ifname as string;
  return {
    ...rest,
    flags: (flags as string[]).filter((flag) => !["NO-CARRIER", "LOWER_UP", "RUNNING"].includes(flag)),
    addresses: (addr_info as Fact[])
      .filter(({ scope }) => scope !== "link")
      .map(({ tentative: _, ...one }) => JSON.stringify(one))
      .sort(),
    routes: ["-4", "-6"]
      .flatMap((family) =>
        ip(family, "route", "show", "table", "all", "dev", name).filter(({ protocol }) => protocol === "boot"),
      )
      .map(({ flags: _, ...one }) => one),
    rpFilter: run("cat", [`/proc/sys/net/ipv4/conf/${name}/rp_filter`]),
  };
}

let instance: Instance;
let runDir: string;
let nic: string;
let before: unknown;

function newGuest(): void {
  run("ip", ["netns", "add", "pwnic"]);
  inGuest("link set lo up");
}

/** Comes back when the kernel has taken the namespace apart. */
async function guestDies(): Promise<void> {
  run("ip", ["netns", "del", "pwnic"]);
  while (linkByMac(MAC) === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
}

beforeAll(() => {
  nic = linkByMac(MAC).ifname;
  batch(
    `link set ${nic} mtu 1400 txqueuelen 300 alias the-uplink group 7`,
    `link property add dev ${nic} altname enp0s17 altname a-very-long-alternative-name`,
    `address add 10.0.0.1/24 brd + dev ${nic}`,
    `address add fd00:aa::1/64 dev ${nic} nodad`,
    `link set ${nic} up`,
    `route add 10.5.0.0/16 via 10.0.0.9 dev ${nic} metric 7`,
    `route add 10.6.0.0/16 dev ${nic} table 77`,
  );
  run("sh", ["-c", `echo 2 > /proc/sys/net/ipv4/conf/${nic}/rp_filter`]);
  before = state();
});

beforeEach(() => {
  runDir = mkdtempSync(`${tmpdir()}/pipework-nic-`);
  instance = new Instance({ runDir });
  newGuest();
});

afterEach(async () => {
  await detach(instance, { guest: GUEST, all: true }).catch(() => {});
  await instance.close();
  rmSync(runDir, { recursive: true, force: true });
  if (run("ip", ["netns"]).includes("pwnic")) run("ip", ["netns", "del", "pwnic"]);
});

afterAll(() => {
  expect(state()).toEqual(before);
});

/** Its name in the guest is one that the host has not: the machine's second NIC is called eth1. */
const phys = (to: string) => ({ guest: GUEST, to, ifname: "lan0", directPhys: true, addresses: ["10.0.0.1/24"] });
const lan0 = { guest: GUEST, ifname: "lan0" };

describe("a PCI NIC", () => {
  test.each(["pci:0000:00:11.0", "pci:00:11.0", "mac:52:54:00:00:00:01", "a-very-long-alternative-name", "enp0s17"])(
    "by %s moves into the guest, and comes back as it was",
    async (to) => {
      expect(await attach(instance, phys(to))).toMatchObject({ type: "phys", to: nic, mac: MAC, warnings: [] });
      expect(linkByMac(MAC)).toBeUndefined();
      expect((await attach(instance, phys(to))).outcome).toBe("unchanged");
      expect(await list(instance)).toMatchObject([{ type: "phys", to: nic, state: "up" }]);
      expect(await detach(instance, lan0)).toMatchObject([{ outcome: "detached", warnings: [] }]);
      expect(state()).toEqual(before);
    },
  );

  test("reaches another on its wire", async () => {
    run("ip", ["netns", "add", "pwother"]);
    try {
      const other = { ...phys("pci:0000:00:12.0"), guest: "netns:pwother", addresses: ["10.0.0.2/24"] };
      await attach(instance, other);
      await attach(instance, phys(nic));
      expect(run("ip", ["netns", "exec", "pwnic", "ping", "-c", "1", "-W", "5", "10.0.0.2"])).toContain("1 received");
      await detach(instance, { ...lan0, guest: "netns:pwother" });
    } finally {
      run("ip", ["netns", "del", "pwother"]);
    }
  });
});

describe("a guest that died with a NIC", () => {
  const changed = { ...phys(`mac:${MAC}`), mac: "02:00:00:00:00:77", mtu: 1300 };

  test("gives it back by detach, whatever the guest made of it", async () => {
    await attach(instance, changed);
    inGuest(
      "link set lan0 promisc on alias mine group 9 txqueuelen 5",
      "link property add dev lan0 altname my-own-name-for-it",
    );
    await guestDies();
    expect(linkByMac(MAC)).toMatchObject({ ifname: "lan0", mtu: 1300 });
    const [plan] = await planDetachOnly(instance, lan0);
    expect(plan).toMatchObject({ outcome: "detached" });
    expect(plan?.steps.length).toBeGreaterThan(5);
    expect(await list(instance)).toMatchObject([{ state: "gone", to: nic }]);
    const [outcome] = await detach(instance, lan0);
    expect(outcome).toMatchObject({ outcome: "detached", warnings: [] });
    expect(state()).toEqual(before);
    expect(await list(instance)).toEqual([]);
    newGuest();
    expect(await detach(instance, lan0)).toMatchObject([{ outcome: "absent" }]);
  });

  test("and was started anew gets it again by the same command, and detach knows what it was before all that", async () => {
    for (const request of [changed, phys(nic)]) {
      await attach(instance, request);
      await guestDies();
      newGuest();
      expect(await attach(instance, request)).toMatchObject({ outcome: "attached", to: nic, warnings: [] });
      expect(await list(instance)).toMatchObject([{ state: "up", to: nic }]);
      expect(await detach(instance, lan0)).toMatchObject([{ outcome: "detached", warnings: [] }]);
      expect(state()).toEqual(before);
    }
  });

  test("and was started anew gives it back when something else is attached under that name, or all is detached", async () => {
    await attach(instance, changed);
    await guestDies();
    newGuest();
    await attach(instance, { ...lan0, to: "brnic", addresses: ["10.9.0.2/24"] });
    expect(state()).toEqual(before);
    await detach(instance, lan0);
    batch("link del brnic");
    await attach(instance, changed);
    await guestDies();
    newGuest();
    expect(await detach(instance, { guest: GUEST, all: true })).toMatchObject([{ outcome: "detached" }]);
    expect(state()).toEqual(before);
  });

  test("another guest can have it at once", async () => {
    await attach(instance, changed);
    await guestDies();
    run("ip", ["netns", "add", "pwother"]);
    try {
      const other = { ...phys(nic), guest: "netns:pwother" };
      expect(await attach(instance, other)).toMatchObject({ outcome: "attached", to: nic, mac: MAC, mtu: 1400 });
      expect(await list(instance)).toMatchObject([{ guestId: "netns:pwother", state: "up" }]);
      await detach(instance, { ...lan0, guest: "netns:pwother" });
    } finally {
      run("ip", ["netns", "del", "pwother"]);
    }
    expect(state()).toEqual(before);
  });

  test("comes home under its own name although the host has the guest's, and under a free one when that is taken", async () => {
    batch("link add lan0 type dummy");
    await attach(instance, phys(nic));
    await guestDies();
    expect(linkByMac(MAC).ifname).toMatch(/^dev\d+$/);
    await detach(instance, lan0);
    expect(state()).toEqual(before);
    batch("link del lan0");
    newGuest();
    await attach(instance, phys(`mac:${MAC}`));
    await guestDies();
    batch(`link add ${nic} type dummy`);
    const [outcome] = await detach(instance, lan0);
    expect(outcome?.warnings.join()).toContain(`${nic}_1`);
    expect(linkByMac(MAC)).toMatchObject({ ifname: `${nic}_1`, mtu: 1400 });
    batch(`link del ${nic}`, `link set ${nic}_1 down`, `link set ${nic}_1 name ${nic}`, `link set ${nic} up`);
    batch(`route add 10.5.0.0/16 via 10.0.0.9 dev ${nic} metric 7`, `route add 10.6.0.0/16 dev ${nic} table 77`);
    batch(`address replace fd00:aa::1/64 dev ${nic} nodad`);
    expect(state()).toEqual(before);
  });

  test("brought up by somebody under the guest's name, it gets its own all the same", async () => {
    await attach(instance, phys(nic));
    await guestDies();
    batch("link set lan0 up", "address add 10.44.0.1/24 dev lan0");
    expect(await detach(instance, lan0)).toMatchObject([{ outcome: "detached", warnings: [] }]);
    expect(linkByMac(MAC).addr_info.map(({ local }: Fact) => local)).toContain("10.44.0.1");
    batch(`address del 10.44.0.1/24 dev ${nic}`);
    expect(state()).toEqual(before);
  });

  test("a namespace that something holds keeps it: that is said, and its record waits", async () => {
    await attach(instance, phys(nic));
    const holder: ChildProcess = spawn("ip", ["netns", "exec", "pwnic", "sleep", "1000"]);
    const inode = statSync("/run/netns/pwnic").ino;
    while (statSync(`/proc/${holder.pid}/ns/net`).ino !== inode)
      await new Promise((resolve) => setTimeout(resolve, 20));
    run("ip", ["netns", "del", "pwnic"]);
    const error = await refusalOf(detach(instance, { ...lan0, timeoutMs: 100 }));
    expect(error.code).toBe("interface-away");
    expect(error.message).toContain(`process ${holder.pid}`);
    newGuest();
    expect(await refusalOf(attach(instance, { ...phys(nic), timeoutMs: 100 }))).toMatchObject({
      code: "interface-away",
    });
    const ended = new Promise((resolve) => holder.on("close", resolve));
    holder.kill("SIGKILL");
    await ended;
    // The kernel takes its time; that is waited for.
    expect(await detach(instance, { ...lan0, timeoutMs: 10_000 })).toMatchObject([{ outcome: "detached" }]);
    expect(state()).toEqual(before);
  });
});

describe("what the kernel does not move, or not back", () => {
  test("a bond is refused by name", async () => {
    batch("link add bond7 type bond");
    try {
      expect(await refusalOf(attach(instance, phys("bond7")))).toMatchObject({
        code: "interface-unsuitable",
        message: expect.stringContaining("bond7 is a bond"),
      });
      batch(`link set ${nic} down`, `link set ${nic} master bond7`);
      expect(await refusalOf(attach(instance, phys(nic)))).toMatchObject({
        message: expect.stringContaining("port of bond7"),
      });
    } finally {
      batch("link del bond7");
      batch(`link set ${nic} mtu 1400`, `link set ${nic} up`, `address replace fd00:aa::1/64 dev ${nic} nodad`);
      batch(
        `route replace 10.5.0.0/16 via 10.0.0.9 dev ${nic} metric 7`,
        `route replace 10.6.0.0/16 dev ${nic} table 77`,
      );
    }
  });

  test("a dummy interface goes with the guest: a warning before, and one after", async () => {
    batch("link add dumb0 type dummy");
    expect((await attach(instance, phys("dumb0"))).warnings.join()).toContain("goes with");
    run("ip", ["netns", "del", "pwnic"]);
    const [outcome] = await detach(instance, lan0);
    expect(outcome).toMatchObject({ outcome: "absent", warnings: [expect.stringContaining("dumb0")] });
    expect(await list(instance)).toEqual([]);
  });
});
