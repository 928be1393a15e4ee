import type { NativeNetns } from "../kernel/native.js";

export type GuestKind = "docker" | "podman" | "lxc" | "pid" | "netns";

/** A guest whose network namespace is open. The descriptor keeps a dead container's links alive: close it soon. */
export interface LiveGuest {
  /** As the caller named it. */
  readonly ref: string;
  /** Kind-qualified identity that survives renames: docker:<64 hex>, podman:<64 hex>, lxc:NAME, pid:N, netns:NAME, netns:/path. */
  readonly id: string;
  readonly kind: GuestKind;
  /** The container's name, without Docker's leading slash. */
  readonly name?: string;
  /** Main process, where the guest has one: it is part of the host end's name. */
  readonly pid?: number;
  readonly hostname?: string;
  readonly netns: NativeNetns;
  /** What the person should know, such as: shares the network of another container. */
  readonly warnings: readonly string[];
  close(): void;
}

/** A file whose inode is that of the guest's namespace while it lives. */
export function aliveFile({ id, pid }: LiveGuest): string | undefined {
  if (pid !== undefined) return `/proc/${pid}/ns/net`;
  const name = id.startsWith("netns:") ? id.slice(6) : undefined;
  return name === undefined ? undefined : name.startsWith("/") ? name : `/run/netns/${name}`;
}
