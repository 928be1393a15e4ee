import type { Family } from "../netlink/family.js";
import { identityDigest } from "../values/identity.js";
import { byteLength } from "../values/ifname.js";
import type { NicMemory } from "./nic.js";
import type { LinkMode, LinkType } from "./request.js";
import type { LinkView, RouteView } from "./view.js";

/** A default route that an attach displaced, complete enough to be put back. */
export interface DisplacedRoute {
  readonly family: Family;
  /** Interface inside the guest; the index decides, the name is for people. */
  readonly ifindex: number;
  readonly dev: string;
  readonly via?: string;
  readonly metric: number;
  readonly protocol: number;
  readonly scope: number;
  readonly onlink?: boolean;
  readonly prefsrc?: string;
  /** The whole route message in hex, when the fields above cannot hold it. */
  readonly raw?: string;
}

/** What must be known of an attachment to take it back: who it belongs to and what it displaced. */
export interface Memory {
  /** Guest identity, such as docker:<64 hex digits>. */
  readonly guest: string;
  readonly ifname: string;
  /** Inode of the guest's namespace: a restarted container has another one, and this memory is void. */
  readonly netns: number;
  readonly displaced: readonly DisplacedRoute[];
  /** Kinds that leave nothing on the host are remembered in a file alone; these say what the link is. */
  readonly type?: LinkType;
  readonly mac?: string;
  readonly to?: string;
  /** The VLAN of `to` that the link is on. */
  readonly vlan?: number;
  /** Name of the host link that it is on. */
  readonly parent?: string;
  readonly mode?: LinkMode;
  /** The host's way to it. */
  readonly hostAccess?: HostAccess;
  /** Of a host interface that was moved into the guest itself: what it was before, and the words that it was asked for by. */
  readonly nic?: NicMemory;
  readonly asked?: string;
}

/** Routes of the host to a macvlan's addresses. */
export interface HostAccess {
  /** Name of the macvlan that is the host's own. */
  readonly shim: string;
  readonly routes: readonly { readonly dst: string; readonly prefsrc?: string }[];
}

/** Where the memory of an attachment is kept: in the alias of its host end, or in a record alone. */
export interface MemoryHolder {
  readonly memory: Memory;
  readonly hostEnd?: LinkView;
}

/** IFALIASZ is 256, the terminating zero included (linux/if.h). */
const ALIAS_MAX = 255;
const PREFIX = "pipework:";
const VERSION = "1";

/** Alias of a bridge that we made. */
export const BRIDGE_ALIAS = "pipework:bridge";

/** Alias of a VLAN link of the host that we made: it goes again when nothing uses it any more. */
export const VLAN_ALIAS = "pipework:vlan";

/** Alias of the host's own macvlan on a parent. */
export const SHIM_ALIAS = "pipework:shim";

/** Name of the record of one attachment; unique by guest and interface. */
export function recordName(guest: string, ifname: string): string {
  return `${identityDigest(guest, ifname)}.json`;
}

function escapeBlanks(text: string): string {
  return text.replace(/[%\s]/g, encodeURIComponent);
}

/** Undefined for what escapeBlanks never writes: an alias may be anybody's. */
function unescapeBlanks(text: string): string | undefined {
  try {
    return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeURIComponent);
  } catch {
    return undefined;
  }
}

function routeWords(route: DisplacedRoute): string {
  const { via, metric, protocol, scope, ifindex, onlink, prefsrc, dev } = route;
  const fields = [
    via ?? "-",
    metric,
    protocol,
    scope,
    ifindex,
    onlink === true ? 1 : 0,
    prefsrc ?? "-",
    escapeBlanks(dev),
  ];
  return `${route.family === "inet" ? 4 : 6}=${fields.join(",")}`;
}

function parseRouteWords(words: string): DisplacedRoute | undefined {
  const match = /^([46])=([^,]+),(\d+),(\d+),(\d+),(\d+),([01]),([^,]+),(.+)$/.exec(words);
  if (match === null) return undefined;
  const [, family, via, metric, protocol, scope, ifindex, onlink, prefsrc, escaped] = match as unknown as string[];
  const dev = unescapeBlanks(escaped as string);
  if (dev === undefined) return undefined;
  return {
    family: family === "4" ? "inet" : "inet6",
    ...(via === "-" ? {} : { via: via as string }),
    metric: Number(metric),
    protocol: Number(protocol),
    scope: Number(scope),
    ifindex: Number(ifindex),
    ...(onlink === "1" ? { onlink: true } : {}),
    ...(prefsrc === "-" ? {} : { prefsrc: prefsrc as string }),
    dev,
  };
}

/** How a memory is kept on the host end of a veth: in its alias, or, when that is too small, in a file it names. */
export function memoryAlias(memory: Memory): { alias: string; record?: { name: string; content: string } } {
  if (!memory.displaced.some((route) => route.raw !== undefined)) {
    const words = [
      VERSION,
      escapeBlanks(memory.guest),
      escapeBlanks(memory.ifname),
      memory.netns,
      ...memory.displaced.map(routeWords),
    ];
    const alias = PREFIX + words.join(" ");
    if (byteLength(alias) <= ALIAS_MAX) return { alias };
  }
  const name = recordName(memory.guest, memory.ifname);
  return { alias: `${PREFIX}${VERSION} @${name}`, record: { name, content: memoryRecord(memory) } };
}

export function memoryRecord(memory: Memory): string {
  return `${JSON.stringify({ version: 1, ...memory })}\n`;
}

export type ParsedAlias =
  | { readonly memory: Memory }
  | { readonly record: string }
  | { readonly made: "bridge" | "vlan" | "shim" };

/** Reads an alias of ours; undefined when it is somebody else's, or of a version we do not know. */
export function parseAlias(alias: string | undefined): ParsedAlias | undefined {
  if (alias === undefined || !alias.startsWith(PREFIX)) return undefined;
  if (alias === BRIDGE_ALIAS) return { made: "bridge" };
  if (alias === VLAN_ALIAS) return { made: "vlan" };
  if (alias === SHIM_ALIAS) return { made: "shim" };
  const [version, guest, ifname, netns, ...routes] = alias.slice(PREFIX.length).split(" ");
  if (version !== VERSION || guest === undefined) return undefined;
  if (/^@[0-9a-f]{32}\.json$/.test(guest)) return { record: guest.slice(1) };
  if (ifname === undefined || netns === undefined || !/^\d+$/.test(netns)) return undefined;
  const displaced = routes.map(parseRouteWords);
  const [guestId, name] = [unescapeBlanks(guest), unescapeBlanks(ifname)];
  if (guestId === undefined || name === undefined || displaced.includes(undefined)) return undefined;
  return {
    memory: {
      guest: guestId,
      ifname: name,
      netns: Number(netns),
      displaced: displaced as DisplacedRoute[],
    },
  };
}

function isDisplaced(value: unknown): value is DisplacedRoute {
  if (typeof value !== "object" || value === null) return false;
  const v = value as Record<string, unknown>;
  return (
    (v["family"] === "inet" || v["family"] === "inet6") &&
    ["ifindex", "metric", "protocol", "scope"].every((field) => Number.isInteger(v[field])) &&
    typeof v["dev"] === "string" &&
    ["via", "prefsrc", "raw"].every((field) => v[field] === undefined || typeof v[field] === "string")
  );
}

/** Reads a record file; undefined when it is damaged or of another version. */
export function parseRecord(content: string): Memory | undefined {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const v = value as Record<string, unknown>;
  if (v["version"] !== 1 || typeof v["guest"] !== "string" || typeof v["ifname"] !== "string") return undefined;
  if (!Number.isInteger(v["netns"]) || !Array.isArray(v["displaced"]) || !v["displaced"].every(isDisplaced))
    return undefined;
  const { version: _, ...memory } = v;
  return memory as unknown as Memory;
}

/** The memory of a route about to be displaced. */
export function displacedRoute(route: RouteView, dev: string): DisplacedRoute {
  return {
    family: route.family,
    ifindex: route.oif ?? 0,
    dev,
    ...(route.via === undefined ? {} : { via: route.via }),
    metric: route.metric,
    protocol: route.protocol,
    scope: route.scope,
    ...(route.onlink ? { onlink: true } : {}),
    ...(route.prefsrc === undefined ? {} : { prefsrc: route.prefsrc }),
    ...(route.raw === undefined ? {} : { raw: route.raw }),
  };
}

export function sameDisplaced(a: readonly DisplacedRoute[], b: readonly DisplacedRoute[]): boolean {
  return a.length === b.length && a.every((route, i) => JSON.stringify(route) === JSON.stringify(b[i]));
}
