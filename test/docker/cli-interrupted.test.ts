import { setTimeout as pause } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import type { Ended } from "./fixture/command.js";
import { silent } from "./fixture/command.js";
import { filesBelow } from "./fixture/side.js";
import type { Guest } from "./fixture/stage.js";
import { Stage } from "./fixture/stage.js";

const RUNS = 30;

const stage = new Stage("pwi");
const { host, command } = stage;
afterAll(() => stage.remove());

/** A command and what it is about: all that an undisturbed run leaves is known by `attached`. */
interface Scene {
  readonly one: Guest;
  readonly words: string[];
  readonly to: string;
}

async function bridgeScene(): Promise<Scene> {
  const one = await stage.running("bridge");
  const to = stage.bridge();
  return { one, to, words: [to, one.name, "192.168.1.2/24@192.168.1.1"] };
}

async function macvlanScene(): Promise<Scene> {
  const one = await stage.running("macvlan");
  const to = stage.nic();
  return { one, to, words: [to, one.name, "192.168.1.2/24@192.168.1.1"] };
}

/** Facts that are the same for every undisturbed run: no indexes, no MACs drawn at random, no state of IPv6's own making. */
function facts({ one, to }: Scene): unknown {
  const { guest, pid } = one;
  const link = guest.link("eth1");
  const end = host.link(`veth1pl${pid}`);
  const bridge = host.link(to);
  return {
    links: { guest: guest.links(), host: host.links() },
    eth1: link && { up: up(link), mac: link["address"], group: link["group"], mtu: link["mtu"] },
    addresses: guest.addresses("eth1"),
    defaults: guest.defaults().map(({ dev, gateway }) => ({ dev, gateway })),
    hostEnd: end && { up: up(end), master: end["master"], alias: end["ifalias"], group: end["group"] },
    to: bridge && {
      up: up(bridge),
      alias: bridge["ifalias"],
      group: bridge["group"],
      accept_ra: host.sysctl(`ipv6/conf/${to}/accept_ra`),
    },
    files: Object.keys(filesBelow(stage.records)),
    arp_notify: link && guest.sysctl("ipv4/conf/eth1/arp_notify"),
  };
}

function up(link: Record<string, unknown>): boolean {
  return (link["flags"] as string[]).includes("UP");
}

/** Takes the attachment and its bridge away again, and waits until they are. */
async function clear(scene: Scene, untouched: unknown): Promise<void> {
  const { one, to } = scene;
  expect(await command.run("detach", one.name)).toEqual(silent);
  // A bridge stays after detach, and a parent stays up: each of the next run's making again.
  if (!to.startsWith("br")) host.run("ip", "link", "set", to, "down");
  else if (host.link(to) !== undefined) host.run("ip", "link", "delete", to);
  expect(facts(scene)).toEqual(untouched);
}

/** How long an undisturbed run takes here, so that random moments fall into it. A measure, and no assertion. */
async function duration(scene: Scene, untouched: unknown): Promise<number> {
  let longest = 0;
  for (let i = 0; i < 3; i++) {
    const started = performance.now();
    expect(await command.run(...scene.words)).toEqual(silent);
    longest = Math.max(longest, performance.now() - started);
    await clear(scene, untouched);
  }
  return longest;
}

async function disturbed(scene: Scene, signal: NodeJS.Signals, afterMs: number): Promise<Ended> {
  const { child, ended } = command.start(scene.words);
  await pause(afterMs);
  child.kill(signal);
  return ended;
}

it.each([
  ["a bridge that is not there yet", bridgeScene],
  ["a NIC", macvlanScene],
])(
  `ctrl-C at ${RUNS} random moments of an attach to %s leaves it whole or untouched`,
  async (_, make) => {
    const scene = await make();
    const untouched = facts(scene);
    const length = await duration(scene, untouched);
    expect(await command.run(...scene.words)).toEqual(silent);
    const attached = facts(scene);
    await clear(scene, untouched);
    const seen = { attached: 0, untouched: 0 };
    for (let run = 0; run < RUNS; run++) {
      const ended = await disturbed(scene, "SIGINT", Math.random() * length);
      const now = facts(scene);
      if (JSON.stringify(now) === JSON.stringify(untouched)) {
        seen.untouched++;
        // Before Node itself is up a signal ends the process, which a shell shows as 130 as well.
        expect([ended.signal, ended.code]).toEqual(ended.signal === null ? [null, 130] : ["SIGINT", null]);
      } else {
        seen.attached++;
        expect(now).toEqual(attached);
        expect([0, 130]).toContain(ended.code);
        expect(ended.stdout).toBe("");
        if (ended.code === 130) expect(ended.stderr).toMatch(/^pipework: warning: SIGINT came when the work had begun/);
      }
      await clear(scene, untouched);
    }
    expect(seen.attached + seen.untouched).toBe(RUNS);
  },
  120_000,
);

it.each([
  ["a bridge that is not there yet", bridgeScene],
  ["a NIC", macvlanScene],
])(
  `after kill -9 at ${RUNS} random moments of an attach to %s the same command finishes the job`,
  async (_, make) => {
    const scene = await make();
    const untouched = facts(scene);
    const length = await duration(scene, untouched);
    expect(await command.run(...scene.words)).toEqual(silent);
    const attached = facts(scene);
    await clear(scene, untouched);
    for (let run = 0; run < RUNS; run++) {
      await disturbed(scene, "SIGKILL", Math.random() * length);
      const between = facts(scene);
      const again = await command.run(...scene.words);
      expect(again, JSON.stringify(between)).toEqual(silent);
      expect(facts(scene), JSON.stringify(between)).toEqual(attached);
      await clear(scene, untouched);
    }
  },
  180_000,
);

it("after kill -9 of an attach and then a detach nothing is left", async () => {
  const scene = await bridgeScene();
  const untouched = facts(scene);
  const length = await duration(scene, untouched);
  for (let run = 0; run < RUNS; run++) {
    await disturbed(scene, "SIGKILL", Math.random() * length);
    await clear(scene, untouched);
  }
}, 120_000);
