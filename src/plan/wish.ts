import type { Family } from "../netlink/family.js";
import { invalid, PipeworkError } from "../values/error.js";
import { type HostSelector, parseHostSelector, selectorText } from "../values/host-selector.js";
import { parseIfname } from "../values/ifname.js";
import { familyOf, parseIp } from "../values/ipaddress.js";
import { parseMac, uniqueMac } from "../values/mac.js";
import { type Prefix, parseNetwork, parsePrefix } from "../values/prefix.js";
import { suggest } from "../values/suggest.js";
import { parseTag, type Tag } from "../values/tag.js";
import { kindOf } from "./kinds.js";
import type { AttachRequest, LinkMode, LinkType } from "./request.js";

/** A further route of a request. */
export interface RouteWish {
  readonly destination: Prefix;
  readonly via?: string;
}

/** A request, parsed once: from here on every value is canonical and of the right form. */
export interface AttachWish {
  readonly guest: string;
  readonly to: string;
  /** What `to` was said as; the view finds the link, and from then on `to` is its name. */
  readonly selector: HostSelector;
  readonly type?: LinkType;
  readonly mode?: LinkMode;
  /** VLAN, trunk or partition key. */
  readonly tag?: Tag;
  /** MACs that a macvlan of mode source listens to; empty: none stated. */
  readonly sources: readonly string[];
  /** The interface whose VLAN is a port of the bridge `to`. */
  readonly uplink?: HostSelector;
  readonly hostAccess: boolean;
  readonly force: boolean;
  readonly ifname: string;
  readonly hostIfname?: string;
  readonly addresses: readonly Prefix[];
  readonly gateways: { readonly [F in Family]?: string };
  readonly routes: readonly RouteWish[];
  readonly metric?: number;
  readonly mac?: string;
  readonly mtu?: number;
  readonly queues?: number;
  readonly announce: boolean;
  readonly replace: boolean;
}

/** Every type a request may name; whether this version attaches it is the table of kinds' to say. */
const types = {
  bridge: true,
  macvlan: true,
  ipvlan: true,
  vlan: true,
  phys: true,
  dummy: true,
  ipoib: true,
  ovs: true,
} as const satisfies Record<LinkType, true>;

/** Every mode a request may name, and the type it belongs to. */
const modes = {
  bridge: "macvlan",
  private: "macvlan",
  vepa: "macvlan",
  passthru: "macvlan",
  source: "macvlan",
  l2: "ipvlan",
  l3: "ipvlan",
  l3s: "ipvlan",
} as const satisfies Record<LinkMode, LinkType>;

function unsupported(what: string): PipeworkError {
  return new PipeworkError({ code: "unsupported", message: `${what} is not in this version yet` });
}

/** The type that was asked for, by itself, by a mode that only one has, or by `directPhys`. */
function parseType({ type, mode, directPhys }: AttachRequest): LinkType | undefined {
  if (type !== undefined && !Object.hasOwn(types, type))
    throw invalid(`"${String(type)}" is no type of link`, `one of ${Object.keys(types).join(", ")}`);
  if (directPhys === true && type !== undefined && type !== "phys")
    throw invalid(`directPhys moves the host interface itself, and type ${type} is asked for`, "leave one of them out");
  const asked = directPhys === true ? "phys" : type;
  if (mode === undefined) return asked;
  if (!Object.hasOwn(modes, mode)) {
    const fitting = Object.entries(modes).filter(([, of]) => of === (asked ?? of));
    throw invalid(`"${String(mode)}" is no mode of a link`, `one of ${fitting.map(([name]) => name).join(", ")}`);
  }
  const of = modes[mode];
  if (asked !== undefined && asked !== of)
    throw invalid(`mode ${mode} is for ${of}, and type ${asked} is asked for`, "leave one of them out");
  // A mode alone decides for an ipvlan; for a macvlan the host interface is to agree.
  return asked ?? (of === "ipvlan" ? of : undefined);
}

function wholeNumber(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(`${name} ${String(value)} is not a whole number from ${min} to ${max}`);
  }
  return value;
}

function text(value: unknown, name: string): string {
  if (typeof value !== "string" || value === "") throw invalid(`the request needs ${name}, a non-empty string`);
  return value;
}

function list(value: unknown, name: string, example: string): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) {
    throw invalid(`${name} of a request is a list of texts, not ${JSON.stringify(value)}`, `such as [${example}]`);
  }
  return value;
}

function optionalText(value: unknown, name: string): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw invalid(`${name} of a request is a text, not ${JSON.stringify(value)}`);
}

/** Why no packet can be sent through this address, or undefined. */
function unfitNextHop(address: string, addresses: readonly Prefix[]): string | undefined {
  if (familyOf(address) === "inet6") {
    if (address === "::") return "is the unspecified address";
    if (address === "::1") return "is the loopback address";
    return address.startsWith("ff") && address.indexOf(":") === 4 ? "is a multicast address" : undefined;
  }
  const first = Number.parseInt(address, 10);
  if (first === 0) return "is the unspecified address, or lies in its network";
  if (first === 127) return "is a loopback address";
  if (first >= 224)
    return first < 240
      ? "is a multicast address"
      : "lies in the reserved range, or is the broadcast address of every network";
  const net = addresses.find((one) => one.broadcast === address);
  return net === undefined ? undefined : `is the broadcast address of ${net.network}/${net.prefixlen}`;
}

function nextHop(text: string, what: string, addresses: readonly Prefix[]): string {
  const address = parseIp(text);
  const why = unfitNextHop(address, addresses);
  if (why !== undefined) throw invalid(`${what} ${address} ${why}: no packet can be sent through it`);
  return address;
}

function parseRoute(words: string, addresses: readonly Prefix[]): RouteWish {
  const match = /^\s*(\S+?)(?:\s+via\s+(\S+)|@(\S+))?\s*$/.exec(words);
  if (match === null) {
    throw invalid(
      `"${words}" is not a route`,
      'write it as "10.0.0.0/8 via 192.168.1.1", or "10.0.0.0/8" for one on the link',
    );
  }
  const destination = parseNetwork(match[1] as string);
  const via = match[2] ?? match[3];
  if (destination.prefixlen === 0) throw invalid(`"${words}" is a default route`, "give its next hop as the gateway");
  if (destination.address !== destination.network) {
    throw invalid(
      `"${words}": ${destination.address} has bits outside its prefix`,
      `did you mean ${destination.network}/${destination.prefixlen}?`,
    );
  }
  if (via === undefined) return { destination };
  const gateway = nextHop(via, `"${words}": the next hop`, addresses);
  if (familyOf(gateway) !== destination.family)
    throw invalid(`"${words}": the next hop is of the other address family`);
  return { destination, via: gateway };
}

function parseGateways(gateway: AttachRequest["gateway"], addresses: readonly Prefix[]): AttachWish["gateways"] {
  const gateways: { inet?: string; inet6?: string } = {};
  for (const one of typeof gateway === "string" ? [gateway] : list(gateway, "gateway", '"192.168.1.1"')) {
    const parsed = nextHop(one, "gateway", addresses);
    const family = familyOf(parsed);
    if (gateways[family] !== undefined && gateways[family] !== parsed) {
      throw invalid(
        `two ${family === "inet" ? "IPv4" : "IPv6"} gateways, ${gateways[family]} and ${parsed}`,
        "one per family is possible",
      );
    }
    if (addresses.length > 0 && !addresses.some((address) => address.family === family)) {
      throw invalid(
        `gateway ${parsed} is ${family === "inet" ? "IPv4" : "IPv6"}, and no address of that family is asked for`,
        `add one, or give the gateway of ${addresses[0]?.address}/${addresses[0]?.prefixlen}`,
      );
    }
    if (addresses.some((address) => address.address === parsed)) {
      throw invalid(`gateway ${parsed} is the interface's own address`);
    }
    gateways[family] = parsed;
  }
  return gateways;
}

/** The uplink of a bridge is a VLAN of that interface, never the interface itself, whose addresses would be cut off. */
function parseUplink({ uplink, to }: AttachRequest, tag: Tag | undefined): HostSelector | undefined {
  const name = optionalText(uplink, "uplink");
  if (name === undefined) return undefined;
  if (tag === undefined || !("vlan" in tag))
    throw invalid(`the uplink ${name} of ${to} needs the id of a VLAN`, "the bridge gets a port in that VLAN of it");
  return parseHostSelector(name, "uplink");
}

/** Every field of AttachRequest: one that is misspelt must not be as good as left out. */
const fields = {
  guest: true,
  to: true,
  type: true,
  mode: true,
  ifname: true,
  hostIfname: true,
  addresses: true,
  gateway: true,
  routes: true,
  metric: true,
  mac: true,
  vlan: true,
  uplink: true,
  mtu: true,
  queues: true,
  dhcp: true,
  announce: true,
  replace: true,
  directPhys: true,
  hostAccess: true,
  force: true,
  sources: true,
  signal: true,
  timeoutMs: true,
} as const satisfies Record<keyof AttachRequest, true>;

function refuseUnknownFields(request: object): void {
  for (const field in request) {
    if (Object.hasOwn(fields, field)) continue;
    const near = suggest(field, Object.keys(fields));
    throw invalid(`a request has no field "${field}"`, near === undefined ? undefined : `did you mean ${near}?`);
  }
}

/** A day, in milliseconds: nothing here is worth a longer wait. */
const TIMEOUT_MAX = 86_400_000;

/** Throws PipeworkError "invalid-request" for a time that is none. */
export function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs !== undefined) wholeNumber(timeoutMs, "timeoutMs", 0, TIMEOUT_MAX);
}

/** Checks a whole request before anything is touched. Throws PipeworkError "invalid-request" or "unsupported". */
export function parseWish(request: AttachRequest): AttachWish {
  const guest = text(request.guest, "a guest");
  const to = text(request.to, "a host interface (to)");
  refuseUnknownFields(request);
  const type = parseType(request);
  if (type !== undefined) kindOf(type);
  if (request.dhcp !== undefined && request.dhcp !== false) throw unsupported("DHCP");
  // Whether it exists is the view's to say; whether it can be an interface at all is said here.
  const selector = parseHostSelector(to);
  const tag = request.vlan === undefined ? undefined : parseTag(request.vlan);
  if (type === "vlan" && tag === undefined) throw invalid("a link of type vlan needs the id of its VLAN", "1 to 4094");
  const uplink = parseUplink(request, tag);
  const seen = new Set<string>();
  const addresses = list(request.addresses, "addresses", '"192.168.1.2/24"')
    .map((address) => parsePrefix(address))
    .filter((address) => address.prefixlen > 0 || address.address !== address.network)
    .filter((address) => {
      const key = `${address.address}/${address.prefixlen}`;
      return seen.has(key) ? false : seen.add(key) !== undefined;
    });
  const macText = optionalText(request.mac, "mac");
  const mac =
    macText === undefined ? undefined : macText.startsWith("U:") ? uniqueMac(macText.slice(2)) : parseMac(macText);
  const gateways = parseGateways(request.gateway, addresses);
  if (request.metric !== undefined && gateways.inet === undefined && gateways.inet6 === undefined) {
    throw invalid("a metric is for the default route, and no gateway is given");
  }
  checkTimeout(request.timeoutMs);
  const hostIfname = optionalText(request.hostIfname, "hostIfname");
  return {
    guest,
    to: selectorText(selector),
    selector,
    ...(type === undefined ? {} : { type }),
    ...(request.mode === undefined ? {} : { mode: request.mode }),
    ...(tag === undefined ? {} : { tag }),
    sources: [...new Set(list(request.sources, "sources", '"02:00:00:00:00:05"').map(parseMac))],
    ...(uplink === undefined ? {} : { uplink }),
    hostAccess: request.hostAccess === true,
    force: request.force === true,
    ifname: parseIfname(
      optionalText(request.ifname, "ifname") ?? (type === "ipoib" ? "ib0" : "eth1"),
      "interface name",
    ),
    ...(hostIfname === undefined ? {} : { hostIfname: parseIfname(hostIfname, "host-end name") }),
    addresses,
    gateways,
    routes: list(request.routes, "routes", '"10.0.0.0/8 via 192.168.1.1"').map((route) => parseRoute(route, addresses)),
    ...(request.metric === undefined ? {} : { metric: wholeNumber(request.metric, "metric", 0, 0xffffffff) }),
    ...(mac === undefined ? {} : { mac }),
    ...(request.mtu === undefined ? {} : { mtu: wholeNumber(request.mtu, "MTU", 68, 65535) }),
    ...(request.queues === undefined ? {} : { queues: wholeNumber(request.queues, "number of queues", 1, 4096) }),
    announce: request.announce !== false,
    replace: request.replace === true,
  };
}
