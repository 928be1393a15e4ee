import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { SpawnTimer } from "./floor.mjs";
import { inGuest, scratch } from "./stage.mjs";
import { bridge, gateway, wish } from "./wiring.mjs";

/** A PATH with every program of this one but `absent`. */
function pathWithout(absent) {
  const directory = join(scratch, `without-${absent}`);
  mkdirSync(directory);
  const seen = new Set([absent]);
  for (const from of (process.env.PATH ?? "").split(":").filter(Boolean)) {
    let names = [];
    try {
      names = readdirSync(from);
    } catch {
      continue; // a PATH may name directories that do not exist
    }
    for (const name of names) {
      if (seen.has(name)) continue;
      seen.add(name);
      symlinkSync(join(from, name), join(directory, name));
    }
  }
  return directory;
}

/** The real shell script, with arping and without, and our command line, given the same words for Docker containers. */
export async function shellSection({ floor, record, engine, cli, spawnTimer }, script, { rounds, arpingRounds }) {
  const plain = new SpawnTimer(spawnTimer, { ...process.env, PATH: pathWithout("arping") });
  const full = new SpawnTimer(spawnTimer, process.env);
  const contestants = [
    { row: "shell.plain", timer: plain, start: ["sh", script], rounds },
    { row: "shell.arping", timer: full, start: ["sh", script], rounds: arpingRounds },
    { row: "shell.cli", timer: full, start: [process.execPath, cli], rounds },
  ];
  try {
    for (let round = -1; round < rounds; round++) {
      for (const [i, { row, timer, start, rounds: own }] of contestants.entries()) {
        if (round >= own) continue;
        const { name, pid } = engine.containers[i];
        const { hostIfname, address, mac } = wish(400 + i);
        const us = await timer.run(...start, bridge, "-l", hostIfname, name, `${address}@${gateway}`, mac);
        if (round >= 0) record.add(row, us);
        else inGuest(`/proc/${pid}/ns/net`, "ip", "route", "get", gateway); // throws when the job was not done
        await floor.detach(hostIfname);
      }
    }
  } finally {
    await plain.close();
    await full.close();
  }
}
