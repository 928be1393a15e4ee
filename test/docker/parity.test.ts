import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, inject, it } from "vitest";
import { Containers } from "./fixture/containers.js";
import {
  commandPlayer,
  type LinkFacts,
  type ParityCase,
  type Played,
  parityCases,
  play,
  scriptPlayer,
} from "./fixture/parity.js";

const GOLDEN = join(import.meta.dirname, "../golden/parity");
const socket = inject("engineSocket");
const containers = new Containers(socket);

/** How what we leave is meant to differ from what the script leaves: all else must be the same. docs/parity.md has them too. */
interface Difference {
  readonly what: string;
  /** Changes what the script left into what we leave. */
  readonly change: (played: Played, one: ParityCase) => void;
}

const ports = ({ host }: Played): LinkFacts[] => Object.values(host.links).filter((link) => link["port"] !== undefined);
/** Bridges that the words made, and not the situation. */
const made = ({ host }: Played, one: ParityCase): LinkFacts[] =>
  one.host === undefined ? Object.values(host.links).filter((link) => link["kind"] === "bridge") : [];

const differences: readonly Difference[] = [
  {
    what: "the alias of the host end says whose it is",
    change: (played) => {
      for (const link of ports(played)) link["ifalias"] = "pipework:1";
    },
  },
  {
    what: "the alias of a bridge that was made says so",
    change: (played, one) => {
      for (const link of made(played, one)) link["ifalias"] = "pipework:bridge";
    },
  },
  {
    what: "a bridge that was made has a MAC of its own, and not that of its lowest port, which changes with the ports",
    change: (played, one) => {
      for (const link of made(played, one)) link["address"] = "drawn, locally administered";
    },
  },
  {
    what: "a bridge that was made takes no router advertisements from containers",
    change: (played, one) => {
      for (const link of made(played, one)) link.sysctls["ipv6/conf/DEV/accept_ra"] = "0";
    },
  },
  {
    what: "an IPv4 address has its broadcast address, with busybox on the host or without",
    change: ({ guest }, one) => {
      if (one.busybox !== false) return;
      for (const link of Object.values(guest.links)) {
        for (const address of link.addresses) if (address["family"] === "inet") address["broadcast"] = "192.168.1.255";
      }
    },
  },
  {
    what: "on /31 and /32 there is no broadcast address (RFC 3021)",
    change: ({ guest }) => {
      const none = Object.values(guest.links)
        .flatMap((link) => link.addresses)
        .filter(({ family, prefixlen }) => family === "inet" && Number(prefixlen) >= 31);
      for (const address of none) delete address["broadcast"];
      if (none.length > 0)
        guest.routes.splice(0, guest.routes.length, ...guest.routes.filter(({ type }) => type !== "broadcast"));
    },
  },
  {
    what: "a static IPv6 address keeps router advertisements of the segment away",
    change: ({ guest }) => {
      for (const link of Object.values(guest.links)) {
        if (link.addresses.some(({ family }) => family === "inet6")) link.sysctls["ipv6/conf/DEV/accept_ra"] = "0";
      }
    },
  },
  {
    what: "a static IPv6 address can be used at once, without duplicate detection",
    change: ({ guest }) => {
      for (const link of Object.values(guest.links)) {
        for (const address of link.addresses) if (address["family"] === "inet6") address["nodad"] = true;
      }
    },
  },
  {
    what: "the route to an IPv6 gateway outside the subnet is to that gateway alone (the script writes /32 in either family)",
    change: ({ guest }) => {
      for (const route of guest.routes) if (route["dst"] === "fd00:9::/32") route["dst"] = "fd00:9:9::1";
    },
  },
  {
    what: "repeating a command is success, and leaves nothing in /run/netns",
    change: (played) => {
      played.codes.fill(0);
      played.named.splice(0);
    },
  },
];

const used = new Set<Difference>();

function intended(script: Played, one: ParityCase): Played {
  const played = structuredClone(script);
  for (const difference of differences) {
    const before = JSON.stringify(played);
    difference.change(played, one);
    if (JSON.stringify(played) !== before) used.add(difference);
  }
  return played;
}

function recorded(name: string): Played & { provenance: Record<string, string>; commands: unknown } {
  return JSON.parse(readFileSync(join(GOLDEN, `${name}.json`), "utf8"));
}

describe("the same words leave the same as the shell script did", () => {
  it.each(parityCases.map((one) => [one.name, one] as const))("%s", async (name, one) => {
    const { provenance, commands, ...script } = recorded(name);
    expect(provenance).toMatchObject({
      script: "jpetazzo/pipework",
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      iproute2: expect.any(String),
    });
    expect(commands).toEqual(one.commands);
    expect(await play(one, containers, commandPlayer(socket))).toEqual(intended(script, one));
  });

  it("with each difference in the table seen, and no form without its recording and its place in docs/parity.md", () => {
    expect(differences.filter((difference) => !used.has(difference)).map(({ what }) => what)).toEqual([]);
    const page = readFileSync(join(import.meta.dirname, "../../docs/parity.md"), "utf8");
    for (const { what } of differences) expect(page).toContain(`- ${what}\n`);
    for (const { name } of parityCases) expect(page).toMatch(new RegExp(`\\b${name}\\b`));
    expect(readdirSync(GOLDEN).sort()).toEqual(parityCases.map(({ name }) => `${name}.json`).sort());
  });
});

const { PIPEWORK_SH } = process.env;
if (PIPEWORK_SH) {
  describe(`the shell script itself, ${PIPEWORK_SH}, leaves now what was recorded`, () => {
    const { player, remove } = scriptPlayer(PIPEWORK_SH, socket);
    afterAll(remove);
    it.each(parityCases.map((one) => [one.name, one] as const))("%s", async (name, one) => {
      const { provenance: _, commands: __, ...script } = recorded(name);
      expect(await play(one, containers, player)).toEqual(script);
    });
  });
}
