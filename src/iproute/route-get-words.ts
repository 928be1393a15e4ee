import { familyNumber } from "../netlink/family.js";
import { rtmFlags } from "../netlink/route.js";
import type { Family } from "../values/ipaddress.js";
import { isHost, readAddress, readPrefix } from "./address.js";
import { type DeviceWord, deviceArgument } from "./device.js";
import { dsfieldArgument, type Names } from "./names.js";
import { unsignedArgument } from "./number.js";
import type { RouteAttributes, RouteDraft } from "./route-draft.js";
import { vocabulary } from "./vocabulary.js";
import type { Word, Words } from "./words.js";

const getVocabulary = vocabulary({
  to: "to",
  from: "from*",
  tos: ["tos", "dsfield*"],
  iif: "iif*",
  mark: "mark*",
  oif: ["oif*", "dev"],
  notify: "notify*",
  connected: "connected*",
  vrf: "vrf*",
  uid: "uid*",
  fibmatch: "fibmatch*",
  as: "as",
  ipproto: "ipproto*",
  sport: "sport*",
  dport: "dport*",
});

/** A question for one route. */
export interface RouteQuestion {
  readonly draft: RouteDraft;
  /** Ask again from the address that the first answer prefers. */
  readonly connected: boolean;
  readonly warnings: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The words behind `get`. Throws a refusal that names the word. */
export function readQuestion(words: Words, names: Names, preferred: Family | undefined): RouteQuestion {
  const attributes: Mutable<RouteAttributes> = {};
  const warnings: string[] = [];
  let family = preferred;
  let flags = 0;
  let dstLen: number | undefined;
  let srcLen = 0;
  let tos = 0;
  let device: DeviceWord | undefined;
  let iif: DeviceWord | undefined;
  let connected = false;
  let from = false;
  /** A whole address: a shorter prefix cannot be asked for. */
  const address = (word: Word) => {
    const prefix = readPrefix(words, word, family);
    family = prefix.family ?? family;
    const bits = prefix.family === "inet6" ? 128 : 32;
    if (prefix.address !== undefined && !isHost(prefix))
      warnings.push(`${word.text}: a route is looked up for one address, and the prefix length is left out`);
    return { address: prefix.address, length: prefix.address === undefined ? 0 : bits };
  };
  while (!words.done) {
    const keyword = words.keyword(getVocabulary);
    switch (keyword) {
      case "from": {
        const source = address(words.argument("an address"));
        if (source.address !== undefined) attributes.src = source.address;
        srcLen = source.length;
        from = true;
        break;
      }
      case "tos":
        tos = dsfieldArgument(words, names);
        break;
      case "iif":
        iif = deviceArgument(words);
        break;
      case "oif":
      case "vrf":
        device = deviceArgument(words);
        break;
      case "mark":
        attributes.mark = unsignedArgument(words, "a mark");
        break;
      case "notify":
        flags |= rtmFlags.RTM_F_NOTIFY;
        break;
      case "connected":
        connected = true;
        break;
      case "uid":
        attributes.uid = unsignedArgument(words, "a user id");
        break;
      case "fibmatch":
        flags |= rtmFlags.RTM_F_FIB_MATCH;
        break;
      case "as":
        words.literal("to");
        attributes.newdst = readAddress(words, words.argument("an address"), family).address;
        break;
      case "ipproto":
        attributes.ipProto = names.ipProtocols.read(words, words.argument("a protocol above IP"));
        break;
      case "sport":
      case "dport":
        attributes[keyword] = unsignedArgument(words, "a port", 0xffff);
        break;
      default: {
        const word = words.argument("an address");
        if (keyword === undefined && /^[a-z]/i.test(word.text) && !/[.:/]|^(default|any|all)$/.test(word.text))
          throw words.unknown(word, getVocabulary.spellings, "is no word of ip route get, and no address");
        const target = address(word);
        if (target.address === undefined) delete attributes.dst;
        else attributes.dst = target.address;
        dstLen = target.length;
      }
    }
  }
  if (dstLen === undefined)
    throw words.refuse(words.last as Word, "the address to look up is missing", "such as: get 10.0.0.1");
  // IPv6 always says in which table it found the route, and refuses to be asked for it.
  if (family !== "inet6") flags |= rtmFlags.RTM_F_LOOKUP_TABLE;
  return {
    draft: {
      type: "RTM_GETROUTE",
      flags: [],
      header: { family: familyNumber[family ?? "inet"], dstLen, srcLen, tos, flags },
      attributes,
      ...(device === undefined ? {} : { device }),
      ...(iif === undefined ? {} : { iif }),
    },
    connected: connected && !from,
    warnings,
  };
}
