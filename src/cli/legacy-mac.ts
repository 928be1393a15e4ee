import { parseMac, uniqueMac } from "../values/mac.js";
import { parseVlan, parseVlanList } from "../values/vlan.js";
import { placed, refuseWord, type Word } from "./legacy-words.js";

/** The fourth legacy word: `[mac][@vlan]`. */
export interface LegacyMac {
  /** Canonical, or U:text. */
  readonly mac?: string;
  /** The part behind the @, not yet checked: a VLAN id, or a partition key on InfiniBand. */
  readonly tag?: string;
}

/** Reads `[mac][@tag]`, split at the first @. Throws PipeworkError "invalid-request". */
export function parseLegacyMac(word: Word): LegacyMac {
  const [mac, tag, ...more] = word.text.split("@") as [string, ...string[]];
  if (more.length > 0) {
    const unique = mac.startsWith("U:") ? ": the text behind U: cannot hold one" : "";
    throw refuseWord(word, `has more than one @${unique}`, "write [mac][@vlan]");
  }
  return {
    ...(mac === "" ? {} : { mac: placed(word, () => (mac.startsWith("U:") ? checkUnique(mac) : parseMac(mac))) }),
    ...(tag === undefined || tag === "" ? {} : { tag }),
  };
}

/** The text itself goes into the request; whether a MAC can be made of it is known now. */
function checkUnique(mac: string): string {
  uniqueMac(mac.slice(2));
  return mac;
}

/** Reads what stands behind the @ of an Ethernet interface: a VLAN, or a trunk of several. Throws PipeworkError "invalid-request". */
export function parseTag(word: Word, tag: string): number | string {
  return placed(word, () => {
    if (!/[,-]/.test(tag.slice(1))) return parseVlan(tag);
    parseVlanList(tag);
    return tag;
  });
}

/** Reads what stands behind the @ of an IPoIB interface: 16 bits in hex. Throws PipeworkError "invalid-request". */
export function parsePkey(word: Word, tag: string): string {
  if (!/^(0x)?[0-9a-f]{1,4}$/i.test(tag) || Number.parseInt(tag, 16) === 0) {
    throw refuseWord(word, "no partition key", "on InfiniBand the part behind the @ is a key in hex, such as 8001");
  }
  return `0x${Number.parseInt(tag, 16).toString(16)}`;
}
