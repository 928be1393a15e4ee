import { readdirSync, readFileSync } from "node:fs";
import { type Names, namesFrom } from "../iproute/names.js";

/** Where distributions keep the tables, and where administrators do: what stands there counts more. */
const SHIPPED = ["/usr/lib/iproute2", "/usr/share/iproute2"];
const LOCAL = "/etc/iproute2";

function contents(path: string): string[] {
  try {
    return [readFileSync(path, "utf8")];
  } catch {
    // Not there, or nothing to read: iproute2 knows the usual names without it.
    return [];
  }
}

function confFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(".conf") && !name.startsWith("."))
      .sort()
      .flatMap((name) => contents(`${directory}/${name}`));
  } catch {
    return [];
  }
}

function read(file: string): string[] {
  if (file === "protocols") return contents("/etc/protocols");
  // Of the main file the administrator's is the only one; the pieces beside it add up.
  const own = contents(`${LOCAL}/${file}`);
  const main = own.length > 0 ? own : SHIPPED.flatMap((directory) => contents(`${directory}/${file}`)).slice(-1);
  return [...main, ...[...SHIPPED, LOCAL].flatMap((directory) => confFiles(`${directory}/${file}.d`))];
}

/** The names that this machine has for routing tables, protocols, realms..., each file read when it is first needed. */
export function hostNames(): Names {
  return namesFrom(read);
}
