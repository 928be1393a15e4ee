import { ifaFlags } from "../netlink/address.js";
import { AF_BRIDGE, type Family } from "../netlink/family.js";
import { ifFlags } from "../netlink/link.js";
import { ipvlanModeName } from "../netlink/link-ipvlan.js";
import { macvlanModeName } from "../netlink/link-macvlan.js";
import type { Message } from "../netlink/message.js";
import { ntfFlags } from "../netlink/neighbour.js";
import { hopsOf, type OpenHops } from "../netlink/nexthops.js";
import { rtnType, rtTable } from "../netlink/route.js";
import { isSlot } from "../netlink/wire.js";
import { slots } from "./context.js";
import type { Operation, Plan, Side, Step, Undo } from "./step.js";

type Values = Record<string, unknown>;

const familyOf: Record<number, Family> = { 2: "inet", 10: "inet6" };

/** Turns ifindexes and slots into names as far as the plan itself tells them. */
class Names {
  readonly #known = new Map<string, string>();

  constructor(plan: Plan) {
    for (const [index, name] of Object.entries(plan.links ?? {})) this.#known.set(index, name);
    for (const { op } of plan.steps) {
      if (op.op !== "netlink" || op.capture === undefined) continue;
      const name = (op.message.attributes as Values)["ifname"];
      if (typeof name === "string") this.#known.set(op.capture.slot, name);
    }
    this.#known.set("guestLink", plan.ifname);
    this.ofWords = plan.action === "route" || plan.action === "rule";
  }

  /** Whether the plan is one of words, whose steps are labelled with them. */
  readonly ofWords: boolean;

  of(value: unknown): string {
    if (isSlot(value)) return this.#known.get(value.slot) ?? value.slot;
    return this.#known.get(String(value)) ?? `#${String(value)}`;
  }
}

/** Flags that a message sets or clears, in the words of `ip link set`. */
function flagWords(flags: number, change: number): string[] {
  const onOff = (flag: number, word: string) =>
    (change & flag) === 0 ? [] : [word, (flags & flag) === 0 ? "off" : "on"];
  return [
    ...onOff(ifFlags.IFF_PROMISC, "promisc"),
    ...onOff(ifFlags.IFF_ALLMULTI, "allmulticast"),
    ...(change & ifFlags.IFF_NOARP ? ["arp", (flags & ifFlags.IFF_NOARP) === 0 ? "on" : "off"] : []),
    ...(change & ifFlags.IFF_UP ? [(flags & ifFlags.IFF_UP) === 0 ? "down" : "up"] : []),
  ];
}

function linkWords(message: Message, names: Names): string {
  const header = message.header as Values;
  const a = message.attributes as Values;
  const words: string[] = [];
  const put = (word: string, value: unknown) => value !== undefined && words.push(word, String(value));
  const info = a["linkinfo"] as { kind?: string; data?: Values } | undefined;
  switch (message.type) {
    case "RTM_NEWLINK": {
      words.push("ip link add", String(a["ifname"]));
      if (a["link"] !== undefined) words.push("link", names.of(a["link"]));
      put("address", a["address"]);
      put("mtu", a["mtu"]);
      put("numtxqueues", a["numTxQueues"]);
      put("numrxqueues", a["numRxQueues"]);
      if (a["master"] !== undefined) words.push("master", names.of(a["master"]));
      if (a["netNsFd"] !== undefined) words.push("netns GUEST");
      put("group", a["group"]);
      put("type", info?.kind);
      const peer = (info?.data?.["peer"] as { attributes?: Values } | undefined)?.attributes;
      if (peer !== undefined) {
        words.push("peer name", String(peer["ifname"]));
        put("address", peer["address"]);
        put("mtu", peer["mtu"]);
        words.push("netns GUEST");
      }
      const mode = info?.data?.["mode"] as number | undefined;
      if (mode !== undefined) put("mode", info?.kind === "ipvlan" ? ipvlanModeName(mode) : macvlanModeName(mode));
      put("id", info?.data?.["id"]);
      return words.join(" ");
    }
    case "RTM_SETLINK": {
      words.push("ip link set", names.of(header["index"]));
      const fd = a["netNsFd"];
      if (isSlot(fd)) put("netns", fd.slot === slots.hostNetns ? "HOST" : "GUEST");
      put("name", a["ifname"]);
      put("index", a["newIfindex"]);
      put("address", a["address"]);
      put("mtu", a["mtu"]);
      put("txqueuelen", a["txqlen"]);
      if (a["master"] === 0) words.push("nomaster");
      else if (a["master"] !== undefined) words.push("master", names.of(a["master"]));
      if (a["ifalias"] !== undefined) words.push("alias", JSON.stringify(a["ifalias"]));
      put("group", a["group"] === 0 ? "default" : a["group"]);
      words.push(...flagWords(Number(header["flags"] ?? 0), Number(header["change"] ?? 0)));
      const arpNotify = (a["afSpec"] as { inet?: { conf?: { arpNotify?: number } } } | undefined)?.inet?.conf
        ?.arpNotify;
      if (arpNotify !== undefined) return `sysctl net.ipv4.conf.${names.of(header["index"])}.arp_notify=${arpNotify}`;
      return words.join(" ");
    }
    case "RTM_NEWLINKPROP":
    case "RTM_DELLINKPROP": {
      const { altIfnames } = a["propList"] as { altIfnames: readonly string[] };
      const verb = message.type === "RTM_NEWLINKPROP" ? "add" : "del";
      const named = altIfnames.flatMap((name) => ["altname", name]);
      return ["ip link property", verb, "dev", names.of(header["index"]), ...named].join(" ");
    }
    case "RTM_DELLINK":
      return `ip link del ${names.of(header["index"])}`;
    default:
      if (header["index"] !== undefined) return `ip link show ${names.of(header["index"])}`;
      return a["ifname"] === undefined ? "ip link show" : `ip link show ${String(a["ifname"])}`;
  }
}

function addressWords(message: Message, names: Names): string {
  const header = message.header as Values;
  const a = message.attributes as Values;
  const verb =
    message.type === "RTM_DELADDR"
      ? "del"
      : message.type !== "RTM_NEWADDR"
        ? "show"
        : message.flags?.includes("NLM_F_REPLACE")
          ? "change"
          : "add";
  const own = String(a["local"] ?? a["address"]);
  const far = a["local"] === undefined || a["address"] === undefined ? own : String(a["address"]);
  const words = ["ip address", verb, `${own === far ? own : `${own} peer ${far}`}/${String(header["prefixlen"])}`];
  if (a["broadcast"] !== undefined) words.push("brd", String(a["broadcast"]));
  words.push("dev", names.of(header["index"]));
  if (typeof a["label"] === "string" && a["label"] !== words.at(-1)) words.push("label", a["label"]);
  if (a["rtPriority"] !== undefined) words.push("metric", String(a["rtPriority"]));
  const lifetime = (a["cacheinfo"] as { ifaValid?: number } | undefined)?.ifaValid;
  if (lifetime !== undefined) words.push("valid_lft", String(lifetime));
  const flags = (a["flags"] as number | undefined) ?? 0;
  if ((flags & ifaFlags.IFA_F_NODAD) !== 0) words.push("nodad");
  if ((flags & ifaFlags.IFA_F_NOPREFIXROUTE) !== 0) words.push("noprefixroute");
  return words.join(" ");
}

function routeWords(message: Message, names: Names): string {
  const header = message.header as Values;
  const a = message.attributes as Values;
  const flags = message.flags ?? [];
  const verb =
    message.type === "RTM_DELROUTE"
      ? "del"
      : message.type === "RTM_GETROUTE"
        ? "show"
        : flags.includes("NLM_F_REPLACE")
          ? "replace"
          : "append";
  const ip = familyOf[header["family"] as number] === "inet6" ? "ip -6 route" : "ip route";
  const type = Object.entries(rtnType)
    .find(([, number]) => number === header["type"])?.[0]
    .slice("RTN_".length);
  const words = [ip, verb];
  if (type !== undefined && header["type"] !== rtnType.RTN_UNICAST && header["type"] !== rtnType.RTN_UNSPEC)
    words.push(type.toLowerCase());
  words.push(a["dst"] === undefined ? "default" : `${String(a["dst"])}/${String(header["dstLen"])}`);
  if (a["src"] !== undefined) words.push("from", `${String(a["src"])}/${String(header["srcLen"])}`);
  if (a["gateway"] !== undefined) words.push("via", String(a["gateway"]));
  if (a["oif"] !== undefined) words.push("dev", names.of(a["oif"]));
  if (a["priority"] !== undefined) words.push("metric", String(a["priority"]));
  if (a["prefsrc"] !== undefined) words.push("src", String(a["prefsrc"]));
  const table = a["table"] ?? header["table"];
  if (table !== undefined && table !== 0 && table !== rtTable.RT_TABLE_MAIN) words.push("table", String(table));
  if (a["multipath"] !== undefined) words.push(...hopWords(a["multipath"] as Uint8Array | OpenHops, names));
  return words.join(" ");
}

/** A rule by what selects it; the label has the whole. */
function ruleWords(message: Message): string {
  const header = message.header as Values;
  const a = message.attributes as Values;
  const verb = message.type === "RTM_DELRULE" ? "del" : "add";
  const words = [familyOf[header["family"] as number] === "inet6" ? "ip -6 rule" : "ip rule", verb];
  if (a["priority"] !== undefined) words.push("priority", String(a["priority"]));
  if (a["src"] !== undefined && a["src"] !== "") words.push("from", `${String(a["src"])}/${String(header["srcLen"])}`);
  if (a["dst"] !== undefined && a["dst"] !== "") words.push("to", `${String(a["dst"])}/${String(header["dstLen"])}`);
  const table = a["table"] ?? header["table"];
  if (table !== undefined && table !== 0) words.push("lookup", String(table));
  return words.join(" ");
}

function hopWords(multipath: Uint8Array | OpenHops, names: Names): string[] {
  if ("references" in multipath) {
    const others = new Map(multipath.references.map(({ offset, link }) => [offset, link]));
    return hopsOf(multipath.bytes).flatMap(({ offset, link }) => ["nexthop dev", names.of(others.get(offset) ?? link)]);
  }
  return hopsOf(multipath).flatMap(({ link }) => ["nexthop dev", names.of(link)]);
}

function neighbourWords(message: Message, names: Names): string {
  const header = message.header as Values;
  const a = message.attributes as Values;
  const flags = message.flags ?? [];
  const verb =
    message.type === "RTM_DELNEIGH"
      ? "del"
      : message.type === "RTM_GETNEIGH"
        ? "show"
        : flags.includes("NLM_F_APPEND")
          ? "append"
          : "replace";
  const dev = names.of(header["ifindex"]);
  if (header["family"] === AF_BRIDGE)
    return `bridge fdb ${verb} ${String(a["lladdr"])} dev ${dev}${a["dst"] === undefined ? "" : ` dst ${String(a["dst"])}`}`;
  const proxy = (((header["flags"] as number | undefined) ?? 0) & ntfFlags.NTF_PROXY) !== 0;
  const words = ["ip neigh", verb, ...(proxy ? ["proxy"] : []), String(a["dst"])];
  if (a["lladdr"] !== undefined) words.push("lladdr", String(a["lladdr"]));
  return [...words, "dev", dev].join(" ");
}

function messageWords(message: Message, names: Names): string {
  switch (message.noun) {
    case "link":
      return linkWords(message, names);
    case "address":
      return addressWords(message, names);
    case "neighbour":
      return neighbourWords(message, names);
    case "rule":
      return ruleWords(message);
    default:
      return routeWords(message, names);
  }
}

function operationWords(op: Operation, names: Names): string {
  switch (op.op) {
    case "netlink":
    case "reap": {
      const words = messageWords(op.message, names);
      return op.op === "netlink" && op.until !== undefined
        ? `${words} (until ${op.until.path.at(-1)} is ${op.until.value}, ${op.until.timeoutMs} ms at most)`
        : words;
    }
    case "sysctl":
      return `sysctl net.${op.key.replaceAll("/", ".")}=${op.value}`;
    case "file":
      return op.content === null ? `remove ${op.path}` : `write ${op.path}`;
    case "identity":
      return `check that ${op.path} is still namespace ${op.ino}`;
  }
}

function undoWords(undo: Undo, netns: Side, names: Names): string {
  if ("ownedBy" in undo) return `goes with ${undo.ownedBy}`;
  if ("builtin" in undo) return undo.builtin;
  if ("none" in undo) return `none: ${undo.none}`;
  // Looking up what a lost ack may have left is part of the undo and of no interest to a reader.
  const shown = undo.inverse.filter(({ op }) => !(op.op === "netlink" && op.capture !== undefined));
  return shown
    .map(({ netns: side, op }) => `${side === netns ? "" : `${side}: `}${operationWords(op, names)}`)
    .join("; ");
}

function stepLines(step: Step, number: number, names: Names): string[] {
  const optional = step.optional === true ? "  (best effort)" : "";
  const inWords = step.op.op === "netlink" && (step.op.message.noun === "route" || step.op.message.noun === "rule");
  const words = names.ofWords && inWords ? step.label : operationWords(step.op, names);
  // A link that was there before is known by its index alone; the label says which it is.
  const which = /#\d/.test(words) ? `  (${step.label})` : "";
  const lines = [`${String(number).padStart(2)}. ${step.netns.padEnd(5)} ${words}${which}${optional}`];
  const undo = undoWords(step.undo, step.netns, names);
  if (undo !== "none: reads only") lines.push(`          undo: ${undo}`);
  return lines;
}

/** A plan for people: each step in the words of `ip` and `sysctl`, with its undo below. */
export function renderPlan(plan: Plan): string {
  const names = new Names(plan);
  const ofHost = plan.action === "bridge" || plan.action === "release";
  const what = plan.ifname === "" ? "in" : `${plan.ifname} of`;
  const head = ofHost ? `${plan.action} ${plan.ifname}: ` : `${plan.action} ${what} ${plan.guest} (${plan.guestId}): `;
  const lines =
    plan.steps.length === 0
      ? [
          `${head}${plan.outcome === "absent" ? "not there" : names.ofWords ? "no changes" : "holds already"}, nothing to do`,
        ]
      : [
          `${head}${plan.steps.length} step${plan.steps.length === 1 ? "" : "s"}${ofHost ? "" : ", GUEST is its network namespace"}`,
          ...plan.steps.flatMap((step, i) => stepLines(step, i + 1, names)),
        ];
  for (const warning of plan.warnings) lines.push(`warning: ${warning}`);
  return `${lines.join("\n")}\n`;
}
