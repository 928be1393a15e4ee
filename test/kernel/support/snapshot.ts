import { readdirSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { run, type World } from "./world.js";

export interface SnapshotOptions {
  /** Replace what is drawn at random or counted up in each world, so that two worlds compare. */
  readonly acrossWorlds?: boolean;
}

type Plain = Record<string, unknown>;

/** Counters, timers and what follows from the moment; never from what an attach or a detach is for. */
const volatile = new Set([
  "promiscuity",
  "allmulti",
  "stats",
  "stats64",
  "topology_change",
  "topology_change_detected",
  "tentative",
]);
/** A link that was up once keeps the queueing discipline that it was given then. */
volatile.add("qdisc");
/** Further ones that differ between two worlds in the same state. */
const numbering = new Set([
  "ifindex",
  "link_index",
  "link_netnsid",
  "root_id",
  "bridge_id",
  "designated_root",
  "designated_bridge",
  "port_id",
  "port_no",
  "id",
  "no",
  "root_port",
]);

const ipv6Keys = ["disable_ipv6", "accept_ra", "ndisc_notify", "autoconf", "forwarding"];
const ipv4Keys = ["arp_notify", "forwarding"];

function cleaned(value: unknown, options: SnapshotOptions): unknown {
  if (Array.isArray(value)) return value.map((one) => cleaned(one, options));
  if (typeof value === "string" && options.acrossWorlds === true) return steady(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key]) =>
          !volatile.has(key) && !key.endsWith("_timer") && !(options.acrossWorlds === true && numbering.has(key)),
      )
      .map(([key, inner]) => [key, cleaned(inner, options)]),
  );
}

/** Namespaces, drawn MACs with the link-local addresses made of them, and the numbers in an alias. */
function steady(text: string): string {
  return text
    .replace(/pwt-\d+-\d+/g, "netns")
    .replace(/^[0-9a-f]{2}:[0-9a-f:]{14}$/, (mac) =>
      mac.startsWith("06:00:00") ||
      mac.startsWith("02:00:00") ||
      mac === "00:00:00:00:00:00" ||
      mac === "ff:ff:ff:ff:ff:ff"
        ? mac
        : "drawn",
    )
    .replace(/^fe80::.*$/, "fe80::drawn")
    .replace(/^(vpw|pwa|pwt)[0-9a-f]{12}$/, "$1hashed")
    .replace(/^(pipework:1 \S+ \S+ )\d+/, "$1inode")
    .replace(/([46]=[^,]+,\d+,\d+,\d+,)\d+/g, "$1ifindex")
    .replace(/@[0-9a-f]{32}\.json/, "@record");
}

const keys = [...ipv6Keys.map((key) => `ipv6/conf/*/${key}`), ...ipv4Keys.map((key) => `ipv4/conf/*/${key}`)].join(" ");

/** What one namespace says: JSON texts, a line each, then sysctls. By few processes: an emulated machine starts them slowly. */
const asked = `set -e
  printf 'address show\\nroute show table all\\nrule show\\n' | ip -j -d -batch -
  ip -j -d -6 route show table all
  echo
  cd /proc/sys/net
  for file in ${keys}; do
    if read -r value 2>/dev/null < "$file"; then echo "$file:$value"; fi
  done
  echo end`;

function namespaces(world: World, options: SnapshotOptions): Plain[] {
  const paths = world.observed.map((name) => `/run/netns/${name}`);
  const script = 'script=$1; shift; for path; do nsenter --net="$path" sh -c "$script" || exit; done';
  const text = run("sh", ["-c", script, "snapshot", asked, ...paths]);
  return text
    .split(/^end\n/m)
    .slice(0, -1)
    .map((part) => namespace(part, options));
}

function namespace(text: string, options: SnapshotOptions): Plain {
  const [links, inet, rules, inet6, ...sysctls] = text.split("\n").filter((line) => line !== "");
  const parse = (json: string | undefined) => cleaned(JSON.parse(json ?? "[]"), options) as Plain[];
  const ordered = (list: Plain[]) => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return {
    links: parse(links)
      .map((link) => ({ ...link, addr_info: ordered(link["addr_info"] as Plain[]) }))
      .sort((a, b) => (String((a as Plain)["ifname"]) < String((b as Plain)["ifname"]) ? -1 : 1)),
    // The kernel's order is kept where it decides: among routes of one destination and metric.
    inet: byPlace(parse(inet)),
    inet6: byPlace(parse(inet6)),
    rules: parse(rules),
    sysctls: (options.acrossWorlds === true
      ? sysctls.map((line) => line.replace(/(vpw)[0-9a-f]{12}/, "$1hashed"))
      : sysctls
    ).sort(),
  };
}

function byPlace(routes: Plain[]): Plain[] {
  const place = (route: Plain) =>
    [route["table"] ?? "", route["type"] ?? "", route["dst"], route["metric"] ?? 0].join(" ");
  const device = (route: Plain) => String(route["dev"]);
  // Multicast and link-local routes of several links are equals that nobody chooses among.
  const fixed = (route: Plain) => /^(ff00|fe80)/.test(String(route["dst"]));
  return routes
    .map((route, i) => ({ route, i }))
    .sort((a, b) => {
      const [x, y] = [place(a.route), place(b.route)];
      if (x !== y) return x < y ? -1 : 1;
      return fixed(a.route) ? (device(a.route) < device(b.route) ? -1 : 1) : a.i - b.i;
    })
    .map(({ route }) => route);
}

function files(dir: string, options: SnapshotOptions): Plain {
  const drawn = (text: string) =>
    options.acrossWorlds === true
      ? text
          .replace(/"mac":"[0-9a-f:]+"/, '"mac":"drawn"')
          .replace(/"(netns|ifindex)":\d+/g, '"$1":0')
          .replace(/"nic":\{.*\}\}$/m, '"nic":{}}')
          .replace(/"raw":"[0-9a-f]+"/g, '"raw":""')
          .replace(/pwt-\d+-\d+/g, "netns")
      : text;
  return Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "lock")
      .map(
        (entry) =>
          [
            options.acrossWorlds === true ? "record" : entry.name,
            drawn(readFileSync(`${entry.parentPath}/${entry.name}`, "utf8")),
          ] as const,
      )
      .sort(),
  );
}

/** All that `ip -j` and /proc/sys say of the world's namespaces, and the files in its directory. */
export function snapshot(world: World, options: SnapshotOptions = {}): Plain {
  return {
    namespaces: namespaces(world, options),
    files: files(world.runDir, options),
  };
}

/** A veth that is up and has no carrier yet: the kernel tells of carriers once a second at most (net/core/link_watch.c). */
function carrierless(state: Plain): boolean {
  const links = (state["namespaces"] as { links: { flags: string[]; linkinfo?: { info_kind?: string } }[] }[]).flatMap(
    ({ links }) => links,
  );
  return links.some(
    ({ flags, linkinfo }) => linkinfo?.info_kind === "veth" && flags.includes("UP") && flags.includes("NO-CARRIER"),
  );
}

/** A snapshot that holds: carriers and link-local addresses follow a change of state after some time. */
export async function settled(world: World, options: SnapshotOptions = {}): Promise<unknown> {
  let before = "";
  for (let tries = 0; ; tries++) {
    const now = snapshot(world, options);
    if (JSON.stringify(now) === before && (tries > 20 || !carrierless(now))) return now;
    before = JSON.stringify(now);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits, two seconds at most, for the world to be in that state; what it is in at last is the caller's to judge. */
export async function awaited(world: World, state: unknown, options: SnapshotOptions = {}): Promise<unknown> {
  for (let tries = 0; ; tries++) {
    const now = snapshot(world, options);
    if (tries === 40 || isDeepStrictEqual(now, state)) return now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
