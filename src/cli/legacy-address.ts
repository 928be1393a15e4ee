import { type Family, familyOf, parseIp } from "../values/ipaddress.js";
import { parsePrefix, prefixText } from "../values/prefix.js";
import { suggest } from "../values/suggest.js";
import { placed, refuseWord, type Word } from "./legacy-words.js";

/** The third legacy word: `addr/len[@gateway]`, a DHCP word, or 0/0. */
export interface LegacyAddress {
  /** Canonical; empty for 0/0 and for DHCP. */
  readonly addresses: readonly string[];
  readonly gateway?: string;
  /** The DHCP word as it was given, client options behind its colon included. */
  readonly dhcp?: string;
}

/** The clients the shell script knew. They are all one built-in client; the words stay. */
const dhcpWords = ["dhcp", "udhcpc", "udhcpc-f", "dhcpcd", "dhclient", "dhclient-f"];

function isDhcp(text: string): boolean {
  const colon = text.indexOf(":");
  return dhcpWords.includes(colon < 0 ? text : text.slice(0, colon));
}

/** Whether a word can only be the address of the legacy form: it tells that form from our verbs. */
export function looksLikeAddress(text: string): boolean {
  return isDhcp(text) || /^[0-9a-f.:]+\/[0-9.]+(@.*)?$/i.test(text);
}

const asked: Readonly<Record<string, Family>> = { 4: "inet", 6: "inet6", inet: "inet", inet6: "inet6" };
const spoken: Readonly<Record<Family, string>> = { inet: "IPv4", inet6: "IPv6" };

function askedFamily(word: Word | undefined): Family | undefined {
  if (word === undefined) return undefined;
  const family = Object.hasOwn(asked, word.text) ? asked[word.text] : undefined;
  if (family === undefined) throw refuseWord(word, "no address family", "-a takes 4, 6, inet or inet6");
  return family;
}

/** The zero address 0/0 is of either family, unlike 0.0.0.0/0 and ::/0. */
function familyOfPrefix(text: string, canonical: string): Family | undefined {
  return text === "0/0" ? undefined : familyOf(canonical);
}

/**
 * Reads the address word. Throws PipeworkError "invalid-request".
 * @param familyWord the value of -a
 */
export function parseLegacyAddress(word: Word, familyWord: Word | undefined): LegacyAddress {
  const wanted = askedFamily(familyWord);
  if (isDhcp(word.text)) return { addresses: [], dhcp: word.text };
  const [address, gatewayText, ...more] = word.text.split("@") as [string, ...string[]];
  if (more.length > 0) throw refuseWord(word, "has more than one @", "write addr/len@gateway, with one gateway");
  const near = address.includes("/") ? undefined : suggest(address, dhcpWords);
  if (near !== undefined) throw refuseWord(word, "neither an address nor a DHCP word", `did you mean ${near}?`);
  const prefix = placed(word, () => parsePrefix(address));
  const gateway =
    gatewayText === undefined || gatewayText === "" ? undefined : placed(word, () => parseIp(gatewayText));
  const family = familyOfPrefix(address, prefix.address);
  const gatewayFamily = gateway === undefined ? undefined : familyOf(gateway);
  if (family !== undefined && gatewayFamily !== undefined && family !== gatewayFamily) {
    throw refuseWord(
      word,
      `the address is ${spoken[family]} and its gateway is ${spoken[gatewayFamily]}`,
      "both are of one family",
    );
  }
  const found = family ?? gatewayFamily;
  if (wanted !== undefined && found !== undefined && wanted !== found) {
    throw refuseWord(
      word,
      `this is ${spoken[found]}, and -a ${familyWord?.text} asks for ${spoken[wanted]}`,
      "leave -a out: the family follows from the address",
    );
  }
  return {
    // Length 0 is an interface without an address; parsePrefix has refused other zero addresses.
    addresses: prefix.prefixlen === 0 && prefix.address === prefix.network ? [] : [prefixText(prefix)],
    ...(gateway === undefined ? {} : { gateway }),
  };
}
