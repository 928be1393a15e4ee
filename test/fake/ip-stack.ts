import { rtnType, rtProt, rtScope } from "../../src/netlink/route.js";
import { formatIp } from "../../src/values/ipaddress.js";
import { macBytes } from "../../src/values/mac.js";
import { contains, parseNetwork } from "../../src/values/prefix.js";
import type { FakeAddress, FakeLink, FakeRoute } from "./link.js";
import { Refusal } from "./refusal.js";

/** Metric of IPv6 routes that the kernel makes itself (IP6_RT_PRIO_ADDRCONF). */
const ADDRCONF_METRIC = 256;

function ipv6Off(link: FakeLink): boolean {
  return link.ipv6.get("disable_ipv6") === "1";
}

/** What an address brings along while its link is up: the route of its subnet. */
function connectedRoute(address: FakeAddress): FakeRoute | undefined {
  const { family, link, prefixlen } = address;
  if (family === "inet" && (prefixlen === 32 || address.secondary)) return undefined;
  const { network } = parseNetwork(`${address.address}/${prefixlen}`);
  return {
    family,
    dst: network,
    dstLen: prefixlen,
    link,
    gateway: undefined,
    metric: family === "inet" ? 0 : ADDRCONF_METRIC,
    protocol: rtProt.RTPROT_KERNEL,
    scope: family === "inet" ? rtScope.RT_SCOPE_LINK : rtScope.RT_SCOPE_UNIVERSE,
    type: rtnType.RTN_UNICAST,
    tos: 0,
    onlink: false,
    prefsrc: family === "inet" ? address.address : undefined,
    metrics: undefined,
    multipath: undefined,
  };
}

function sameRoute(a: FakeRoute, b: FakeRoute): boolean {
  return (Object.keys(a) as (keyof FakeRoute)[]).every(
    (key) => String(a[key]) === String(b[key]) && (key !== "link" || a.link === b.link),
  );
}

function connect(address: FakeAddress): void {
  const route = connectedRoute(address);
  const { netns } = address.link;
  if (route !== undefined && !netns.routes.some((one) => sameRoute(one, route))) netns.routes.push(route);
}

/** fe80:: and the modified EUI-64 of the MAC (RFC 4291, appendix A). */
function linkLocal(link: FakeLink): string {
  const [a, b, c, d, e, f] = macBytes(link.address) as unknown as [number, number, number, number, number, number];
  return formatIp(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f));
}

function addLinkLocal(link: FakeLink): void {
  const text = linkLocal(link);
  const { netns } = link;
  if (netns.addresses.some((one) => one.link === link && one.address === text)) return;
  const address: FakeAddress = {
    family: "inet6",
    link,
    address: text,
    prefixlen: 64,
    broadcast: undefined,
    secondary: false,
  };
  netns.addresses.push(address);
  connect(address);
}

function flushIpv6(link: FakeLink): void {
  const { netns } = link;
  netns.addresses = netns.addresses.filter((one) => one.link !== link || one.family !== "inet6");
  netns.routes = netns.routes.filter((one) => one.link !== link || one.family !== "inet6");
}

export function broughtUp(link: FakeLink): void {
  // A bridge port has no link-local address to speak of here: the real one has, and nothing depends on it.
  if (!ipv6Off(link) && link.name !== "lo") addLinkLocal(link);
  for (const address of link.netns.addresses) if (address.link === link) connect(address);
}

/** IPv4 keeps its addresses and loses its routes; IPv6 loses both (keep_addr_on_down is off by default). */
export function takenDown(link: FakeLink): void {
  link.netns.routes = link.netns.routes.filter((one) => one.link !== link);
  flushIpv6(link);
}

export function gone(link: FakeLink): void {
  takenDown(link);
  link.netns.addresses = link.netns.addresses.filter((one) => one.link !== link);
}

export function ipv6Switched(link: FakeLink, off: boolean): void {
  if (off) flushIpv6(link);
  else if (link.up && link.name !== "lo") addLinkLocal(link);
}

export function addAddress(wanted: Omit<FakeAddress, "secondary">): void {
  const { link, family, address, prefixlen } = wanted;
  const { netns } = link;
  if (family === "inet6" && ipv6Off(link)) throw new Refusal("EACCES", "IPv6 is disabled on this device");
  const own = netns.addresses.filter((one) => one.link === link && one.family === family);
  if (own.some((one) => one.address === address && (family === "inet6" || one.prefixlen === prefixlen))) {
    throw new Refusal("EEXIST", "Address already assigned");
  }
  const subnet = parseNetwork(`${address}/${prefixlen}`);
  const secondary =
    family === "inet" && own.some((one) => one.prefixlen === prefixlen && contains(subnet, one.address));
  const added: FakeAddress = { ...wanted, secondary };
  netns.addresses.push(added);
  if (link.up) connect(added);
}

/** Without promote_secondaries a subnet's further addresses go with its first; with the last one every route of the link goes. */
export function removeAddress(link: FakeLink, family: "inet" | "inet6", address: string, prefixlen: number): void {
  const { netns } = link;
  const found = netns.addresses.find(
    (one) => one.link === link && one.family === family && one.address === address && one.prefixlen === prefixlen,
  );
  if (found === undefined) throw new Refusal("EADDRNOTAVAIL", family === "inet6" ? "address not found" : undefined);
  const subnet = parseNetwork(`${address}/${prefixlen}`);
  const away = netns.addresses.filter(
    (one) =>
      one === found ||
      (family === "inet" &&
        !found.secondary &&
        one.secondary &&
        one.link === link &&
        one.prefixlen === prefixlen &&
        contains(subnet, one.address)),
  );
  netns.addresses = netns.addresses.filter((one) => !away.includes(one));
  for (const one of away) {
    const route = connectedRoute(one);
    netns.routes = netns.routes.filter(
      (other) =>
        !(route !== undefined && sameRoute(other, route)) &&
        !(other.family === "inet" && other.prefsrc === one.address),
    );
  }
  const last = !netns.addresses.some((one) => one.link === link && one.family === "inet");
  if (family === "inet" && last)
    netns.routes = netns.routes.filter((one) => one.link !== link || one.family !== "inet");
}
