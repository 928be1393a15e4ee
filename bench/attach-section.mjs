import assert from "node:assert/strict";
import { timed } from "./record.mjs";
import { sleep } from "./stage.mjs";
import { observe, reapMs, request, wish } from "./wiring.mjs";

/** Before anything is timed: both sides give the same result, as iproute2 reads it back. */
export async function checkSameResult({ floor, pw }, [one, two]) {
  await floor.attach({ path: one.path, ...wish(1) });
  const byFloor = observe(one.path, wish(1));
  await floor.detach(wish(1).hostIfname);
  await pw.attach(request(two.ref, 1));
  const byLibrary = observe(two.path, wish(1));
  await pw.detach({ guest: two.ref, ifname: "eth1" });
  await sleep(reapMs);
  assert.deepEqual(byLibrary, byFloor, "the library's attach and the floor's do not give the same state");
}

/** What is measured as warm runs in optimised code: V8 needs some hundred rounds for that, a C program none. */
export async function warmUp({ pw }, guests, passes) {
  for (let pass = 0; pass < passes; pass++) {
    for (const [i, guest] of guests.entries()) await pw.attach(request(guest.ref, i + 2));
    await Promise.all(guests.map(({ ref }) => pw.detach({ guest: ref, ifname: "eth1" })));
  }
  await sleep(2 * reapMs);
}

/**
 * Floor and library attach in turn, back to back (or with a pause before each), into guests of their own; sides and
 * order swap from block to block. Then both delete in turn, each once the machine is quiet again.
 */
export async function attachSection(
  { floor, pw, record },
  guests,
  rows,
  { blocks, warmBlocks = 1, pauseMs = 0, more },
) {
  const pairs = guests.length / 2;
  for (let block = -warmBlocks; block < blocks; block++) {
    const keep = (row, us) => {
      if (row && block >= 0) record.add(row, us);
    };
    const sides = [];
    for (let pair = 0; pair < pairs; pair++) {
      const swap = block & 1;
      const [ours, theirs] = [guests[2 * pair + (swap ? 0 : 1)], guests[2 * pair + (swap ? 1 : 0)]];
      const floorWish = wish(2 * pair + 2);
      const side = { ours, floorWish, floorFirst: ((block >> 1) + pair) % 2 === 0 };
      sides.push(side);
      const byFloor = async () =>
        keep(rows.floor, await floor.attach({ path: theirs.path, ...floorWish, announce: more?.announce !== false }));
      const wanted = request(ours.ref, 2 * pair + 3, more);
      const byLibrary = async () => keep(rows.library, await timed(() => pw.attach(wanted)));
      for (const attach of side.floorFirst ? [byFloor, byLibrary] : [byLibrary, byFloor]) {
        if (pauseMs > 0) await sleep(pauseMs);
        await attach();
      }
    }
    for (const { ours, floorWish, floorFirst } of sides) {
      const byFloor = async () => {
        const { noticeUs, ackUs } = await floor.detach(floorWish.hostIfname);
        keep(rows.notice, noticeUs);
        keep(rows.ack, ackUs);
      };
      const byLibrary = async () => {
        keep(rows.detach, await timed(() => pw.detach({ guest: ours.ref, ifname: "eth1" })));
        await sleep(reapMs);
      };
      for (const detach of floorFirst ? [byFloor, byLibrary] : [byLibrary, byFloor]) await detach();
    }
  }
}
