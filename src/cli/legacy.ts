import type { AttachRequest } from "../plan/request.js";
import { parseLevel } from "../plan/wait-level.js";
import { invalid, PipeworkError } from "../values/error.js";
import { parseHostSelector, selectorText } from "../values/host-selector.js";
import { parseIfname } from "../values/ifname.js";
import { suggest } from "../values/suggest.js";
import type { HostLinkKind, HostLinks } from "./command-port.js";
import { parseTimeout } from "./common-option.js";
import type { Invocation, OutputOptions } from "./invocation.js";
import { parseLegacyAddress } from "./legacy-address.js";
import { parseLegacyMac, parsePkey, parseTag } from "./legacy-mac.js";
import { type LegacyWords, placed, refuseWord, sortWords, type Word } from "./legacy-words.js";
import { type GuestCommand, guestCommands, isGuestCommand, isVerb, laterVerbs, verbs } from "./verb-names.js";

const form = "pipework <hostif> [-i ifname] [-l hostname] [-a 4|6] <guest> <addr/len[@gateway]|dhcp|0/0> [mac][@vlan]";

export type LegacyInvocation = Extract<Invocation, { kind: "attach" | "wait" | GuestCommand | "usage" }>;

function outputOf({ flags }: LegacyWords): OutputOptions {
  return {
    dryRun: flags.has("dryRun"),
    json: flags.has("json"),
    quiet: flags.has("quiet"),
    verbose: flags.has("verbose"),
  };
}

function timeoutOf({ options }: LegacyWords): { timeoutMs?: number } {
  const word = options.get("timeout");
  return word === undefined ? {} : { timeoutMs: placed(word, () => parseTimeout(word.text)) };
}

function ifnameOf({ options }: LegacyWords): string | undefined {
  const word = options.get("ifname");
  return word === undefined ? undefined : placed(word, () => parseIfname(word.text, "interface name"));
}

/** Refuses options that say nothing here, rather than dropping them silently. */
function refuseIdle({ flags, options }: LegacyWords, names: readonly string[], where: string): void {
  for (const [name, word] of [...flags, ...options]) {
    if (names.includes(name)) throw refuseWord(word, `says nothing ${where}`, "leave it out");
  }
}

function parseWait(sorted: LegacyWords): LegacyInvocation {
  const [level, extra] = sorted.positionals;
  const form = "pipework --wait [-i ifname] [exists|up|address|route] [--timeout S]";
  if (extra !== undefined) throw refuseWord(extra, "one word too many", form);
  refuseIdle(sorted, ["directPhys", "force", "hostIfname", "family", "replace", "noAnnounce", "dryRun"], "with --wait");
  return {
    kind: "wait",
    request: {
      ifname: ifnameOf(sorted) ?? "eth1",
      level: level === undefined ? "up" : placed(level, () => parseLevel(level.text)),
      ...timeoutOf(sorted),
    },
    output: outputOf(sorted),
  };
}

function parseGuestCommand(kind: GuestCommand, sorted: LegacyWords): LegacyInvocation {
  refuseIdle(
    sorted,
    ["directPhys", "force", "ifname", "hostIfname", "family", "replace", "noAnnounce"],
    `with ${kind}`,
  );
  const [, guest] = sorted.positionals;
  if (guest === undefined || guest.text === "")
    throw invalid(`the guest is missing behind ${kind}`, `pipework ${kind} <guest> <${kind} words>`);
  const words = sorted.rest ?? [];
  if (kind === "tc") {
    if (words.length === 0)
      throw invalid(
        `the words for tc are missing behind ${guest.text}`,
        `such as: pipework tc ${guest.text} qdisc show`,
      );
    for (const [i, word] of words.entries()) {
      if (!word.startsWith("-")) break;
      // tc takes options by any unique beginning.
      if (word.length > 1 && "-batch".startsWith(word)) {
        throw refuseWord(
          { text: word, at: guest.at + 1 + i },
          "a batch of tc commands from a file is refused",
          "run pipework tc once per command",
        );
      }
    }
  }
  return {
    kind,
    guest: guest.text,
    words: words.length === 0 ? ["show"] : words,
    at: guest.at + 1,
    output: outputOf(sorted),
    ...timeoutOf(sorted),
  };
}

interface HostWord {
  readonly to: string;
  /** Of `bridge@uplink`: the interface whose VLAN the bridge is over. */
  readonly uplink?: string;
  /** Only what the word itself says; the kind of an existing interface is the kernel's to say. */
  readonly type?: "dummy" | "ovs";
  readonly kind: HostLinkKind | "selected" | "dummy" | undefined;
}

function parseHostWord(
  word: Word,
  links: HostLinks,
  exists: boolean,
  { asksKind, directPhys }: { asksKind: boolean; directPhys: boolean },
): HostWord {
  const { text } = word;
  if (exists) return { to: text, kind: asksKind ? links.hostLinkKind(text) : undefined };
  const over = bridgeOver(word, links);
  if (over !== undefined) return over;
  const selector = placed(word, () => parseHostSelector(text));
  const to = selectorText(selector);
  // Which interface that is, only the kernel can say.
  if (selector.by !== "name") return { to, kind: "selected" };
  if (to.startsWith("dummy")) return { to, type: "dummy", kind: "dummy" };
  if (to.startsWith("ovs")) return { to, type: "ovs", kind: "bridge" };
  if (to.startsWith("br")) return { to, kind: "bridge" };
  // It may be in the guest already, or the name may be an alternative one.
  if (directPhys) return { to, kind: undefined };
  throw unknownHost(word, links);
}

/** `br63@bond0`: a bridge over a VLAN of that interface; the id stands behind the @ of the last word. */
function bridgeOver(word: Word, links: HostLinks): HostWord | undefined {
  const [name = "", uplink, ...more] = word.text.split("@");
  if (uplink === undefined) return undefined;
  const isBridge = links.hostLinkExists(name) ? links.hostLinkKind(name) === "bridge" : name.startsWith("br");
  if (!isBridge || more.length > 0)
    throw refuseWord(word, "the part before the @ is no bridge, nor the name of one to be made", "such as br63@bond0");
  return {
    to: placed(word, () => parseIfname(name, "bridge")),
    uplink: placed(word, () => selectorText(parseHostSelector(uplink, "interface behind the @"))),
    kind: "bridge",
  };
}

function unknownHost(word: Word, links: HostLinks): PipeworkError {
  const near = suggest(word.text, [...links.hostLinkNames(), ...verbs, ...laterVerbs, "help", ...guestCommands]);
  return new PipeworkError({
    code: "interface-not-found",
    message: `word ${word.at}, ${JSON.stringify(word.text)}: there is no such host interface, and it is no command`,
    hint:
      near === undefined
        ? "an interface that `ip link` shows, a bridge to be made (br...), or a command: pipework --help lists them"
        : `did you mean ${near}?`,
  });
}

/** `attach web1 10.0.0.2/24`: the new verb with the old words behind it. */
function verbWithLegacyWords(word: Word, [, guest, address]: readonly Word[]): PipeworkError {
  return new PipeworkError({
    code: "interface-not-found",
    message: `word ${word.at}, ${JSON.stringify(word.text)}: behind it stand the words of the old form, and there is no host interface of that name`,
    hint:
      word.text === "attach"
        ? `write pipework attach ${guest?.text} --to IF --address ${address?.text}, or pipework IF ${guest?.text} ${address?.text}`
        : "pipework --help lists both forms",
  });
}

/** Why an interface of this kind has no host end, or undefined when it has (or may have) one. */
function withoutHostEnd({ kind, to }: HostWord, directPhys: boolean): string | undefined {
  if (directPhys) return "with --direct-phys the interface itself moves";
  if (kind === "dummy") return "a dummy interface has none";
  if (kind === "selected") return "a NIC's macvlan has none";
  if (kind === "infiniband") return "an IPoIB interface has none";
  return kind === "other" ? `a macvlan on ${to} has none` : undefined;
}

function required(positionals: readonly Word[], index: number, what: string): Word {
  const word = positionals[index];
  if (word === undefined || word.text === "") {
    const before = positionals[index - 1];
    throw invalid(
      `the ${what} is missing${before === undefined ? "" : ` behind ${JSON.stringify(before.text)}`}`,
      form,
    );
  }
  return word;
}

function parseAttach(sorted: LegacyWords, links: HostLinks): LegacyInvocation {
  const { positionals, flags, options } = sorted;
  const hostWord = required(positionals, 0, "host interface");
  const directPhys = flags.get("directPhys");
  const localName = options.get("hostIfname");
  const [, , addressWord, macWord, extra] = positionals;
  const exists = links.hostLinkExists(hostWord.text);
  if (!exists && isVerb(hostWord.text) && !hostWord.text.startsWith("br"))
    throw verbWithLegacyWords(hostWord, positionals);
  const tagged = macWord?.text.includes("@") === true;
  const host = parseHostWord(hostWord, links, exists, {
    asksKind: tagged || directPhys !== undefined || localName !== undefined,
    directPhys: directPhys !== undefined,
  });
  const guest = required(positionals, 1, "guest");
  const address = parseLegacyAddress(required(positionals, 2, "address"), options.get("family"));
  if (addressWord !== undefined && extra !== undefined) {
    const unique = macWord?.text.startsWith("U:") === true;
    throw refuseWord(
      extra,
      "one word too many",
      unique ? `a text with spaces is quoted: "${macWord?.text} ${extra.text}"` : form,
    );
  }
  const { mac, tag } = macWord === undefined ? {} : parseLegacyMac(macWord);
  const infiniband = host.kind === "infiniband";
  if (infiniband && mac !== undefined)
    throw refuseWord(macWord as Word, "an IPoIB interface takes no MAC address", "[@pkey] alone is possible");
  if (host.kind === "dummy" && tag !== undefined)
    throw refuseWord(macWord as Word, "a dummy interface has no VLAN", "leave the @ out");
  if (host.kind === "dummy" && directPhys !== undefined)
    throw refuseWord(directPhys, "a dummy interface is made new, so there is none to move", "leave it out");
  if (host.kind === "bridge" && directPhys !== undefined) {
    throw refuseWord(
      directPhys,
      `${host.to} is a bridge, and a bridge is not moved into a guest`,
      "leave it out, or name a NIC",
    );
  }
  if (host.uplink !== undefined && tag === undefined) {
    throw refuseWord(
      hostWord,
      `which VLAN of ${host.uplink} the bridge is over is missing`,
      `add it as the last word: ${host.to}@${host.uplink} ${guest.text} <addr/len> @63`,
    );
  }
  const vlan =
    tag === undefined ? undefined : infiniband ? parsePkey(macWord as Word, tag) : parseTag(macWord as Word, tag);
  const hostIfname =
    localName === undefined ? undefined : placed(localName, () => parseIfname(localName.text, "host-end name"));
  const idle = hostIfname === undefined ? undefined : withoutHostEnd(host, directPhys !== undefined);
  const ifname = ifnameOf(sorted) ?? (infiniband ? "ib0" : undefined);
  const request: AttachRequest = {
    guest: guest.text,
    to: host.to,
    ...(host.type === undefined ? (infiniband ? { type: "ipoib" as const } : {}) : { type: host.type }),
    ...(ifname === undefined ? {} : { ifname }),
    ...(hostIfname === undefined || idle !== undefined ? {} : { hostIfname }),
    addresses: address.addresses,
    ...(address.gateway === undefined ? {} : { gateway: address.gateway }),
    ...(address.dhcp === undefined ? {} : { dhcp: address.dhcp }),
    ...(mac === undefined ? {} : { mac }),
    ...(vlan === undefined ? {} : { vlan }),
    ...(host.uplink === undefined ? {} : { uplink: host.uplink }),
    ...(directPhys === undefined ? {} : { directPhys: true }),
    ...(flags.has("force") ? { force: true } : {}),
    ...(flags.has("noAnnounce") ? { announce: false } : {}),
    ...(flags.has("replace") ? { replace: true } : {}),
    ...timeoutOf(sorted),
  };
  const warnings = idle === undefined ? [] : [`-l ${hostIfname} has no effect: it names the host end, and ${idle}`];
  return { kind: "attach", request, output: outputOf(sorted), warnings };
}

/**
 * The command line of the 2013 shell script, and the options that are common to both forms. Changes nothing and asks
 * only which interfaces the host has. Throws PipeworkError "invalid-request" or "interface-not-found" naming the word.
 */
export function parseLegacy(words: readonly string[], links: HostLinks): LegacyInvocation {
  if (words.length === 0) return { kind: "usage" };
  const passesThrough = (first: string) => isGuestCommand(first) && !links.hostLinkExists(first);
  const sorted = sortWords(words, passesThrough);
  if (sorted.flags.has("wait")) return parseWait(sorted);
  const [first] = sorted.positionals;
  if (first !== undefined && isGuestCommand(first.text) && passesThrough(first.text))
    return parseGuestCommand(first.text, sorted);
  return parseAttach(sorted, links);
}
