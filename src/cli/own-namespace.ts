import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { HostLinkKind, HostLinks } from "./command-port.js";

/** One directory per interface of the caller's own namespace, which /sys shows only when it was mounted from there. */
const SYSCTL = "/proc/sys/net/ipv4/conf";
const NO_INTERFACES = ["all", "default"];
/** ARPHRD_INFINIBAND, linux/if_arp.h. */
const INFINIBAND = "32";

function isName(name: string): boolean {
  return name !== "" && !name.includes("/") && name !== "." && name !== ".." && !NO_INTERFACES.includes(name);
}

function kindOf(name: string): HostLinkKind | undefined {
  const directory = `/sys/class/net/${name}`;
  try {
    if (existsSync(`${directory}/bridge`)) return "bridge";
    return readFileSync(`${directory}/type`, "latin1").trim() === INFINIBAND ? "infiniband" : "other";
  } catch {
    // Another namespace's /sys: the plan finds out from the kernel itself.
    return undefined;
  }
}

/** The interfaces of the namespace that this process runs in. */
export const ownLinks: HostLinks = {
  hostLinkExists: (name) => isName(name) && existsSync(`${SYSCTL}/${name}`),
  hostLinkKind: (name) => (isName(name) ? kindOf(name) : undefined),
  hostLinkNames: () => {
    try {
      return readdirSync(SYSCTL).filter(isName);
    } catch {
      return [];
    }
  },
};
