import { existsSync, readFileSync } from "node:fs";

/** What LXC is built with, and where root's configuration may say otherwise: lxc.system.conf(5). */
const LXCPATH = "/var/lib/lxc";
const LXC_GLOBAL_CONF = "/etc/lxc/lxc.conf";

/** The directory of LXC's containers, without a slash at the end: it is part of the names of their sockets. */
export function lxcDirectory(given: string | undefined, configuration = LXC_GLOBAL_CONF): string {
  return withoutSlashes(given ?? configured(configuration) ?? LXCPATH);
}

/** LXC itself takes the first line that has a value. */
function configured(path: string): string | undefined {
  return valuesIn(path, "lxc.lxcpath")[0];
}

/** Values of a key in a file of LXC's, in their order; none when it cannot be read. A value that is empty says nothing. */
export function valuesIn(path: string, key: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const equals = line.indexOf("=");
    if (equals === -1 || line.slice(0, equals).trim() !== key) return [];
    const value = line.slice(equals + 1).trim();
    return value === "" ? [] : [value];
  });
}

/** Whether a container of that name has been made there, running or not. */
export function isDefined(directory: string, name: string): boolean {
  return existsSync(configurationOf(directory, name));
}

export function configurationOf(directory: string, name: string): string {
  return `${directory}/${name}/config`;
}

function withoutSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, "");
}
