import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type Memory, parseAlias, parseRecord, recordName } from "../plan/memory.js";

/** Reads one record; undefined when there is none or it is damaged. Nothing but our own files lie there: root only, 0700. */
export function readRecord(dir: string, name: string): Memory | undefined {
  // Most look-ups find none, and an exception costs twenty times the question.
  if (!existsSync(`${dir}/${name}`)) return undefined;
  try {
    return parseRecord(readFileSync(`${dir}/${name}`, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** What an alias says, itself or by the record it names; undefined when it is no attachment's of ours, or the record is lost. */
export function memoryBehind(alias: string | undefined, dir: string): Memory | undefined {
  const parsed = parseAlias(alias);
  if (parsed === undefined || "made" in parsed) return undefined;
  return "memory" in parsed ? parsed.memory : readRecord(dir, parsed.record);
}

/** The record of one attachment. */
export function recordOf(dir: string, guestId: string, ifname: string): Memory | undefined {
  return readRecord(dir, recordName(guestId, ifname));
}

/** Whether there is one, damaged ones included. */
export function hasRecord(dir: string, guestId: string, ifname: string): boolean {
  return existsSync(`${dir}/${recordName(guestId, ifname)}`);
}

/** All records of a host namespace. */
export function readRecords(dir: string): Memory[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch (error) {
    // What is in the directory's place is told when a record is to be written there.
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
  return names.filter((name) => name.endsWith(".json")).flatMap((name) => readRecord(dir, name) ?? []);
}
