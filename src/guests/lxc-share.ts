import { configurationOf, valuesIn } from "./lxc-directory.js";

/** Keys of lxc.container.conf(5) that put a container into another's network, the one of LXC 3 and later first. */
const KEYS = ["lxc.namespace.share.net", "lxc.namespace.net"];

/** The name of the container whose network this one is told to share; null when it has its own, or a process's. */
export function networkOwner(directory: string, name: string): string | null {
  const file = configurationOf(directory, name);
  for (const key of KEYS) {
    // LXC takes the last one, and quotes as no part of it.
    const value = valuesIn(file, key)
      .at(-1)
      ?.replace(/^(["'])(.*)\1$/, "$2");
    if (value === undefined || value === "") continue;
    return /^\d+$/.test(value) || value.includes("/") ? null : value;
  }
  return null;
}
