import { spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { attach } from "../../src/attach.js";
import type { WaitRequest } from "../../src/plan/request.js";
import { wait } from "../../src/wait.js";
import { refusalOf } from "../kernel/support/refusal.js";
import { eventually } from "../kernel/support/stage.js";
import { closeWorlds, run, World } from "../kernel/support/world.js";
import { needs } from "./support/needs.js";

needs("veth", "bridge", "dummy");
afterAll(closeWorlds);

function stage() {
  const world = new World();
  const guest = world.guest();
  const instance = world.instance();
  const ref = `netns:${guest}`;
  const waiting = (more: Partial<WaitRequest> = {}) => {
    const state = { over: false, ended: wait(instance, { guest: ref, ...more }) };
    const settled = () => {
      state.over = true;
    };
    state.ended.then(settled, settled);
    return state;
  };
  return { world, guest, ref, instance, waiting };
}

test("a dummy interface is up though its operational state is never known", async () => {
  const { world, guest, waiting } = stage();
  const [there, up, address] = [waiting({ level: "exists" }), waiting(), waiting({ level: "address" })];
  world.ip(guest, "link add eth1 type dummy");
  expect(await there.ended).toMatchObject({ operstate: "down" });
  expect([up.over, address.over]).toEqual([false, false]);
  world.ip(guest, "link set eth1 up");
  expect(await up.ended).toMatchObject({ operstate: "unknown" });
  expect(world.link(guest, "eth1").operstate).toBe("UNKNOWN");
  expect(address.over).toBe(false);
  world.ip(guest, "address add 192.0.2.2/24 dev eth1");
  expect(await address.ended).toMatchObject({ addresses: ["192.0.2.2/24"] });
});

test("an attachment, at every level", async () => {
  const { instance, ref, waiting } = stage();
  const all = (["exists", "up", "address", "route"] as const).map((level) => waiting({ level }));
  const six = waiting({ level: "route", ifname: "eth6" });
  await attach(instance, { guest: ref, to: "br1", addresses: ["192.0.2.2/24"], gateway: "192.0.2.1" });
  await Promise.all(all.map(({ ended }) => ended));
  expect(six.over).toBe(false);
  await attach(instance, { guest: ref, to: "br1", ifname: "eth6", addresses: ["fd00::2/64"], gateway: "fd00::1" });
  await six.ended;
});

describe("the end of the guest lets go of its namespace", () => {
  const gone = (world: World) => eventually(() => world.link(world.host, "far") === undefined);

  test("a name", async () => {
    const { world, guest, waiting } = stage();
    world.ip(world.host, `link add far type veth peer name eth1 netns ${guest}`);
    const refused = refusalOf(waiting().ended);
    await waiting({ level: "exists" }).ended;
    run("ip", ["netns", "delete", guest]);
    world.namespaces.splice(world.namespaces.indexOf(guest), 1);
    expect((await refused).code).toBe("guest-gone");
    await gone(world);
  });

  test("a process", async () => {
    const { world, waiting } = stage();
    const child = spawn("unshare", ["--net", "sleep", "1000"], { stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
    const own = readlinkSync("/proc/self/ns/net");
    await eventually(() => readlinkSync(`/proc/${child.pid}/ns/net`) !== own);
    world.ip(world.host, `link add far type veth peer name eth1 netns ${child.pid}`);
    const refused = refusalOf(waiting({ guest: `pid:${child.pid}` }).ended);
    await waiting({ guest: `pid:${child.pid}`, level: "exists" }).ended;
    child.kill("SIGKILL");
    expect((await refused).code).toBe("guest-gone");
    await gone(world);
  });
});
