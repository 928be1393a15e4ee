import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Devices } from "../../../src/iproute/device.js";
import { jsonText, plainData } from "../../../src/iproute/json.js";
import { builtinNames, namesFrom } from "../../../src/iproute/names.js";
import { plain, readOptions } from "../../../src/iproute/option.js";
import { readRouteCommand } from "../../../src/iproute/route-command.js";
import { routeMessage } from "../../../src/iproute/route-draft.js";
import { resolveFilter } from "../../../src/iproute/route-filter.js";
import { readRuleCommand } from "../../../src/iproute/rule-command.js";
import { Words } from "../../../src/iproute/words.js";
import { encode, print } from "../../../src/netlink/nouns.js";
import { PipeworkError } from "../../../src/values/error.js";

/** Every name is an interface, and a VRF. */
const devices: Devices = { index: () => 7, name: () => "eth7", vrfTable: () => 1000, names: ["eth7"] };

function refused(work: () => unknown): PipeworkError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof PipeworkError)) throw error;
    return error;
  }
}

/** Reads a line and makes bytes of what it means. */
function readRoute(texts: readonly string[]): void {
  const command = readRouteCommand(new Words(texts), builtinNames);
  switch (command.kind) {
    case "change": {
      const message = routeMessage(command.draft, devices);
      encode(message);
      print(message);
      break;
    }
    case "get":
      encode(routeMessage(command.question.draft, devices));
      break;
    default:
      resolveFilter(command.filter, devices);
  }
}

function readRule(texts: readonly string[]): void {
  const command = readRuleCommand(new Words(texts), builtinNames);
  if (command.kind !== "change") return;
  encode(command.message);
  print(command.message);
}

const routeWords =
  "add append prepend change chg replace delete del show list flush get test save restore help -4 -6 -j -d -s -o -N -p ip route to via inet inet6 link dev oif src from as metric preference table vrf proto protocol scope tos dsfield realm realms onlink pref expires mtu lock advmss window rtt rttvar rto_min initcwnd initrwnd hoplimit quickack congctl features ecn ssthresh cwnd reordering fastopen_no_cookie nexthop weight nhid encap mpls ip ip6 seg6 mode segs hmac id dst ttl key csum seq ttl-propagate enabled unicast local blackhole unreachable prohibit throw multicast broadcast anycast nat root match exact cached type iif mark fibmatch uid ipproto sport dport connected notify default any all main cache".split(
    " ",
  );
const ruleWords =
  "add delete del show list flush -4 -6 -j ip rule from to not iif oif dev fwmark priority pref order table lookup uidrange ipproto sport dport tos dsfield realms goto nop blackhole unreachable prohibit unicast type suppress_prefixlength suppress_ifgroup sup_pl l3mdev protocol tun_id nat map-to default all main local".split(
    " ",
  );
const values = fc.oneof(
  fc.constantFrom(
    ..."0 1 5 255 256 65536 4294967295 4294967296 0x10 010 09 -1 1.5s 30ms 1e3 5-9 5- 7/15 1/2 / eth0 if7 10 10/8 10.5 10.0.0.0/8 10.0.0.0/33 1.2.3.4 fd00::1 fd00::/8 ::/0 fe80::1%eth0 ::ffff:1.2.3.4 100/200 fd00::1,fd00::2".split(
      " ",
    ),
  ),
  fc.ipV4(),
  fc.ipV6(),
  fc.nat().map(String),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 8 }),
);

function lines(words: readonly string[]): fc.Arbitrary<string[]> {
  const shortened = fc
    .constantFrom(...words)
    .chain((word) => fc.integer({ min: 1, max: word.length }).map((n) => word.slice(0, n)));
  const word = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: shortened },
    { weight: 3, arbitrary: values },
  );
  return fc.array(word, { maxLength: 14 });
}

describe("whatever the words are, they mean something or are refused", () => {
  test("ip route", () => {
    fc.assert(
      fc.property(lines(routeWords), (texts) => void refused(() => readRoute(texts))),
      { numRuns: 4000 },
    );
  });

  test("ip route: lines that begin well", () => {
    const begin = fc
      .constantFrom("add 10.0.0.0/8", "-6 replace fd00::/8", "append default", "get 1.2.3.4", "show table 5")
      .map((text) => text.split(" "));
    fc.assert(
      fc.property(begin, lines(routeWords), (start, rest) => void refused(() => readRoute([...start, ...rest]))),
      { numRuns: 4000 },
    );
  });

  test("ip rule", () => {
    fc.assert(
      fc.property(lines(ruleWords), (texts) => void refused(() => readRule(["add", ...texts]))),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(lines(ruleWords), (texts) => void refused(() => readRule(texts))),
      { numRuns: 2000 },
    );
  });

  test("a refusal names the word, and is one line", () => {
    fc.assert(
      fc.property(lines(routeWords), (texts) => {
        const error = refused(() => readRoute(["add", ...texts]));
        if (error === undefined) return;
        expect(error.message).not.toContain("\n");
        if (error.code === "invalid-request")
          expect(error.message).toMatch(/^word \d+[,:] |^the words are those of ip route/);
      }),
    );
  });
});

describe("options in front", () => {
  test.each([
    ["-6 show", { family: "inet6" }],
    ["-4", { family: "inet" }],
    ["-family inet6", { family: "inet6" }],
    ["-j -p", { json: true, pretty: true }],
    ["--json", { json: true }],
    ["-js -pre", { json: true, pretty: true }],
    ["-d -s -s", { details: true, stats: 2 }],
    ["-o -N", { oneline: true, numeric: true }],
    ["-color=never -c -br -h -iec", {}],
    ["-l 5 -rc 100 -j", { json: true }],
  ])("%s", (line, options) => {
    expect(readOptions(new Words(line.split(" ")))).toEqual({ ...plain, ...options });
  });

  test.each([
    ["-n other route", "the guest says which namespace it is"],
    ["-b file", "command each"],
    ["-batch file", "command each"],
    ["-all", "one guest is one namespace"],
    ["-r", "not looked up"],
    ["-Version", "this is pipework"],
    ["-x", "is no option of ip"],
    ["-", "is no option of ip"],
    ["-f x", "is not an address family"],
  ])("%s is refused", (line, why) => {
    expect(refused(() => readOptions(new Words(line.split(" "))))?.message).toContain(why);
  });
});

describe("names", () => {
  const names = namesFrom((file) => {
    if (file === "rt_tables")
      return ["# tables\n100 isp1\n 0x65\tisp2 # second\n\n254 main\n", "100 better\n1000 far\n"];
    if (file === "protocols") return ["tcp 6 TCP # transmission\nmine 200\n"];
    return [];
  });

  test("of a file, and of the pieces beside it, which count more", () => {
    expect([100, 101, 254, 1000, 7].map((number) => names.tables.name(number))).toEqual([
      "better",
      "isp2",
      "main",
      "far",
      undefined,
    ]);
    expect(["isp1", "better", "isp2", "local"].map((name) => names.tables.number(name))).toEqual([
      undefined,
      100,
      101,
      255,
    ]);
  });

  test("what iproute2 knows without files", () => {
    expect(builtinNames.protocols.name(16)).toBe("dhcp");
    expect(builtinNames.scopes.number("link")).toBe(253);
    expect(builtinNames.ipProtocols.name(58)).toBe("ipv6-icmp");
  });

  test("protocols above IP go by other names as well", () => {
    const read = (text: string) => names.ipProtocols.read(new Words([]), { text, at: 1 });
    expect(["tcp", "TCP", "6", "mine", "udp"].map(read)).toEqual([6, 6, 6, 200, 17]);
  });

  test("in lines", () => {
    const command = readRouteCommand(new Words("add default dev eth0 table far".split(" ")), names);
    expect(command).toMatchObject({ kind: "change", draft: { attributes: { table: 1000 } } });
  });
});

describe("JSON", () => {
  const fields = {
    fields: [
      ["dst", "default"],
      ["flags", { list: [] }],
      ["dst", 18446744073709551615n],
      ["x", { fields: [["y", null]] }],
    ],
  } as const;

  test("keeps the order, and fields that come twice", () => {
    expect(jsonText([fields], { pretty: false })).toBe(
      '[{"dst":"default","flags":[],"dst":18446744073709551615,"x":{"y":null}}]\n',
    );
    expect(jsonText([], { pretty: false })).toBe("[]\n");
    expect(jsonText([], { pretty: true })).toBe("[ ]\n");
  });

  test("as data", () => {
    expect(plainData(fields)).toEqual({ dst: 18446744073709552000, flags: [], x: { y: null } });
  });
});
