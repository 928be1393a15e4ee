import { World } from "./world.js";

type Plain = Record<string, unknown>;

/** A host with a NIC whose far end is a host of the same network, in a namespace of its own. */
export interface Uplinked {
  readonly world: World;
  readonly host: string;
  /** The other station, which snapshots do not look at. */
  readonly far: string;
}

/** MACs that snapshots of two worlds may compare. */
const NIC_MAC = "06:00:00:00:07:01";

/**
 * nic0 with addresses of both families, secondary ones among them, and routes of many sorts (or `some`, or none); the network's other station
 * has 10.7.0.2 and fd07::2.
 */
export function uplinked({
  dad = false,
  bare = false,
  some = false,
}: {
  dad?: boolean;
  bare?: boolean;
  some?: boolean;
} = {}): Uplinked {
  const world = new World();
  const { host } = world;
  const far = world.namespace({ observed: false });
  if (dad) world.shell(host, "for i in all default; do echo 1 > /proc/sys/net/ipv6/conf/$i/accept_dad; done");
  world.ip(host, `link add nic0 address ${NIC_MAC} type veth peer name far netns ${far}`, "link set nic0 up");
  world.ip(far, "link set far up", "address add 10.7.0.2/24 dev far", "address add fd07::2/64 dev far nodad");
  world.shell(host, "until ip -o link show nic0 | grep -q LOWER_UP; do sleep 0.01; done");
  world.shell(host, "until ip -6 -o address show dev nic0 scope link -tentative | grep -q fe80; do sleep 0.01; done");
  if (some) {
    world.ip(
      host,
      "address add 10.7.0.1/24 brd 10.7.0.255 dev nic0",
      "address add 10.7.0.9/24 brd 10.7.0.255 dev nic0 label nic0:1",
      "address add fd07::1/64 dev nic0",
      "route add default via 10.7.0.2 dev nic0 proto static",
      "route add 10.21.0.0/16 dev nic0 scope link",
      "route add default via fd07::2 dev nic0 proto static",
      "route add fd21::/48 dev nic0",
      "neigh add 10.7.0.66 lladdr 06:00:00:00:66:66 dev nic0 nud permanent",
    );
  } else if (!bare) {
    world.ip(
      host,
      "address add 10.7.0.1/24 brd 10.7.0.255 dev nic0",
      "address add 10.7.0.9/24 brd 10.7.0.255 dev nic0 label nic0:1",
      "address add 10.7.0.10/24 brd 10.7.0.255 dev nic0",
      "address add 10.8.0.1/31 dev nic0 metric 30",
      "address add 192.0.2.77/32 dev nic0 scope link",
      "address add 10.9.0.1 peer 10.9.0.2/32 dev nic0",
      "address add 10.11.0.1/24 dev nic0 noprefixroute",
      "address add fd07::1/64 dev nic0",
      "address add fd07::9/64 dev nic0 nodad",
      "address add fd08::1/64 dev nic0 noprefixroute",
      "address add fd09::1/64 dev nic0 metric 77",
    );
    world.shell(host, "while ip -6 -o address show dev nic0 tentative | grep -q .; do sleep 0.02; done");
    world.ip(
      host,
      "route add 10.11.0.0/24 dev nic0 proto kernel scope link src 10.11.0.1 metric 100",
      "route add 169.254.1.1/32 dev nic0 scope link",
      "route add 10.12.0.0/16 via 169.254.1.1 dev nic0 proto static",
      "route add default via 10.7.0.2 proto static",
      "route add default via 10.7.0.3 metric 200 src 10.7.0.9",
      "route add 10.20.0.0/16 via 10.7.0.3 metric 50 mtu 1400 advmss 1300",
      "route add 10.21.0.0/16 dev nic0 scope link",
      "route add 10.22.0.0/16 via 172.16.0.1 dev nic0 onlink tos 0x10",
      "route add 10.30.0.0/16 proto static nexthop via 10.7.0.2 dev nic0 weight 1 nexthop via 10.7.0.3 dev nic0 weight 2",
      "route add 10.31.0.0/16 via inet6 fe80::42 dev nic0",
      "route add default via 10.7.0.4 table 100",
      "route add 10.7.0.0/24 dev nic0 table 100",
      "route add default via 10.7.0.5 table 70000",
      "route add local 10.40.0.0/24 dev nic0",
      "route add default via fd07::2 dev nic0 proto static",
      "route add default via fe80::42 dev nic0 metric 3000",
      "route add fd20::/48 via fd07::3 metric 50",
      "route add fd21::/48 dev nic0",
      "route add fd22::/48 dev nic0 from fd07::/64",
      "route add fd30::/48 nexthop via fd07::2 dev nic0 weight 1 nexthop via fd07::3 dev nic0 weight 2",
      "route add default via fd07::4 dev nic0 table 100",
      "neigh add 10.7.0.66 lladdr 06:00:00:00:66:66 dev nic0 nud permanent",
      "neigh add fd07::66 lladdr 06:00:00:00:66:66 dev nic0 nud permanent",
      "neigh add proxy 10.7.0.67 dev nic0",
    );
  }
  return { world, host, far };
}

function own(route: Plain): boolean {
  return route["protocol"] === "kernel" && (route["table"] === "local" || route["dst"] === "fe80::/64");
}

const unsteady = new Set([
  "flags",
  "nhflags",
  "valid_life_time",
  "preferred_life_time",
  "expires",
  "tentative",
  "dynamic",
]);

/** The link's name in all that is said, and what the kernel says of the moment left out. */
function through(value: unknown, link: string): unknown {
  if (Array.isArray(value)) return value.map((one) => through(one, link));
  if (typeof value === "string")
    return value === link || value.startsWith(`${link}:`) ? `LINK${value.slice(link.length)}` : value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "flags" || (value as Plain)["flags"]?.toString().includes("onlink"))
      .filter(([key]) => key === "flags" || !unsteady.has(key))
      .map(([key, inner]) => [key, key === "flags" ? ["onlink"] : through(inner, link)]),
  );
}

/**
 * What a host has through a link, as `ip -j` tells it in its order and with LINK for the name: equal before and after
 * it was handed from one link to another.
 */
export function holdings(world: World, namespace: string, link: string): unknown {
  const [{ addr_info }] = world.json(namespace, "address", "show", "dev", link) as [{ addr_info: Plain[] }];
  const addresses = addr_info.filter(({ family, scope }) => !(family === "inet6" && scope === "link"));
  const routes = ["-4", "-6"].map((family) =>
    (world.json(namespace, family, "route", "show", "table", "all") as Plain[]).filter(
      (route) => JSON.stringify(route).includes(`"${link}"`) && !own(route),
    ),
  );
  const neighbours = [
    ...world.json(namespace, "neigh", "show", "dev", link, "nud", "permanent"),
    ...world.json(namespace, "neigh", "show", "proxy", "dev", link),
  ];
  const byText = (list: unknown[]) => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return through({ addresses, routes: routes.map(byText), neighbours: byText(neighbours) }, link);
}

/** None of it. */
export const nothing = { addresses: [], routes: [[], []], neighbours: [] };
