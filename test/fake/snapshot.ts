import { readdirSync, readFileSync } from "node:fs";
import { ANNOUNCING } from "../../src/plan/context.js";
import type { FakeLink, FakeNamespace } from "./link.js";
import type { FakeMachine } from "./machine.js";

export interface SnapshotOptions {
  /** Replace what is drawn at random in each run, MACs that nobody asked for and ifindexes, so that two runs compare. */
  readonly acrossRuns?: boolean;
  /** Leave out the flags that announcing sets and takes back as best it can. */
  readonly withoutNotify?: boolean;
}

type Plain = Record<string, unknown>;

function byKey(map: ReadonlyMap<string, string>, without: readonly string[]): Plain {
  return Object.fromEntries([...map].filter(([key]) => !without.includes(key)).sort());
}

/** Locally administered MACs that begin as ours do, and EUI-64 addresses made of them. */
function isDrawn(text: string): boolean {
  return /^(02|fe):/.test(text) || /^fe80::(2|fc)?[0-9a-f]{0,2}:?.*ff:fe/.test(text);
}

function linkText(link: FakeLink | undefined): string | undefined {
  return link === undefined ? undefined : `${link.netns.path}:${link.name}`;
}

function namespace(ns: FakeNamespace, options: SnapshotOptions): Plain {
  const text = (value: string) => (options.acrossRuns === true && isDrawn(value) ? "drawn" : value);
  const notify = options.withoutNotify === true ? ["ndisc_notify"] : [];
  return {
    alive: ns.alive,
    links: [...ns.links]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((link) => ({
        ...(options.acrossRuns === true ? {} : { index: link.index }),
        name: link.name,
        kind: link.kind,
        address: text(link.address),
        mtu: link.mtu,
        up: link.up,
        group: options.withoutNotify === true && link.group === ANNOUNCING ? 0 : link.group,
        alias: link.alias,
        master: linkText(link.master),
        peer: linkText(link.peer),
        lower: linkText(link.lower),
        queues: link.queues,
        mode: link.macvlanMode,
        sources: link.macvlanSources,
        ipvlanMode: link.ipvlanMode,
        vlanFiltering: link.vlanFiltering,
        vlans: [...link.vlans].map(([vid, flags]) => `${vid}:${flags}`).join(),
        ...(link.vlanId === undefined ? {} : { vlanId: link.vlanId }),
        ...(options.withoutNotify === true ? {} : { arpNotify: link.arpNotify }),
        ipv6: byKey(link.ipv6, notify),
      })),
    addresses: ns.addresses
      .map((one) => ({ ...one, link: linkText(one.link), address: text(one.address) }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    // Order counts among equals only: the first of those has the place.
    routes: ns.routes
      .map((one, i) => ({ ...one, link: linkText(one.link), i }))
      .sort((a, b) => {
        const place = (r: typeof a) => `${r.family} ${r.dst ?? ""}/${r.dstLen} ${r.metric}`;
        return place(a) === place(b) ? a.i - b.i : place(a) < place(b) ? -1 : 1;
      })
      .map(({ i: _, ...route }) => ({ ...route, multipath: route.multipath?.join() })),
  };
}

function files(dir: string): Plain {
  return Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "lock")
      .map((entry) => [entry.name, readFileSync(`${entry.parentPath}/${entry.name}`, "utf8")] as const)
      .sort(),
  );
}

/** Everything there is on the machine, as plain data to be compared. */
export function snapshot(machine: FakeMachine, options: SnapshotOptions = {}): Plain {
  const contents = files(machine.runDir);
  const drawn = (content: unknown) => String(content).replace(/"mac":"02:[0-9a-f:]+"/, '"mac":"drawn"');
  return {
    namespaces: machine.kernel.namespaces.map((ns) => ({ path: ns.path, ...namespace(ns, options) })),
    files:
      options.acrossRuns === true
        ? Object.fromEntries(Object.entries(contents).map(([name, content]) => [name, drawn(content)]))
        : contents,
  };
}
