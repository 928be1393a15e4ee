import type { NativeNetns } from "../kernel/native.js";
import type { DockerEngine } from "./docker.js";
import type { LxcHost } from "./lxc-host.js";

/** What finding a guest needs from outside; it opens nothing else and changes nothing. */
export interface ResolveContext {
  /** The addon's. Throws a NativeError. */
  readonly openNetns: (path: string) => NativeNetns;
  /** Identity of the namespace on the host side: a guest that lives in it is refused. */
  readonly home: { readonly dev: number; readonly ino: number };
  /** Called when an engine has to be asked, not before. */
  readonly docker: () => DockerEngine;
  /** As above. Absent: no Podman is asked. */
  readonly podman?: (() => DockerEngine) | undefined;
  /** As above. Absent: no LXC containers are looked for. */
  readonly lxc?: (() => LxcHost) | undefined;
  /** Milliseconds for an answer of the engine (default 10 000) and for a starting guest to run (default 3000). */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds for a starting guest to run, where that is another time; Infinity: no limit. */
  readonly patienceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where users have their runtime directories, rootless engines' sockets among them. Default: /run/user. */
  readonly userDirectories?: string | undefined;
  /** Where the process file system is mounted. Default: /proc. */
  readonly proc?: string | undefined;
  /** Where named namespaces are, in the order looked at. Default: /run/netns, /var/run/netns. */
  readonly netnsDirectories?: readonly string[] | undefined;
}

export function procOf(context: ResolveContext): string {
  return context.proc ?? "/proc";
}

export function netnsDirectoriesOf(context: ResolveContext): readonly string[] {
  return context.netnsDirectories ?? ["/run/netns", "/var/run/netns"];
}
