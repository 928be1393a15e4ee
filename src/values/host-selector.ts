import { invalid } from "./error.js";
import { byteLength, IFNAME_MAX, parseIfname } from "./ifname.js";
import { parseMac } from "./mac.js";

/** How a request says which host interface it means. */
export type HostSelector =
  /** Its name, or an alternative name that is as short: the kernel looks both up alike. */
  | { readonly by: "name"; readonly name: string }
  /** An alternative name that no interface name can be as long as. */
  | { readonly by: "altname"; readonly name: string }
  | { readonly by: "mac"; readonly mac: string }
  /** Domain, bus, device and function, as `lspci -D` writes them. */
  | { readonly by: "pci"; readonly address: string };

/** ALTIFNAMSIZ is 128, the terminating zero included (linux/if.h). */
const ALTIFNAME_MAX = 127;

const PCI = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/i;

function parsePci(text: string): string {
  const match = PCI.exec(text);
  if (match === null) {
    throw invalid(
      `"pci:${text}" is no PCI address`,
      "it has domain, bus, device and function, such as pci:0000:00:05.0",
    );
  }
  const [, domain, bus, device, fn] = match;
  return `${domain ?? "0000"}:${bus}:${device}.${fn}`.toLowerCase();
}

function parseAltname(text: string, what: string): string {
  const length = byteLength(text);
  if (length > ALTIFNAME_MAX)
    throw invalid(
      `the ${what} ${JSON.stringify(text)} is ${length} bytes long, and no name has more than ${ALTIFNAME_MAX}`,
    );
  if (!/^[^\s/:%\p{Cc}]+$/u.test(text)) {
    throw invalid(
      `the ${what} ${JSON.stringify(text)} is longer than an interface name and no alternative name either`,
      `an interface name has at most ${IFNAME_MAX} bytes; neither has white space, a slash, a colon or a percent sign`,
    );
  }
  return text;
}

/**
 * Reads the host interface of a request: a name, an alternative name, `mac:<MAC>` or `pci:<address>`. Throws
 * PipeworkError "invalid-request".
 */
export function parseHostSelector(text: string, what = "host interface"): HostSelector {
  if (text.startsWith("mac:")) return { by: "mac", mac: parseMac(text.slice("mac:".length)) };
  if (text.startsWith("pci:")) return { by: "pci", address: parsePci(text.slice("pci:".length)) };
  return byteLength(text) > IFNAME_MAX
    ? { by: "altname", name: parseAltname(text, what) }
    : { by: "name", name: parseIfname(text, what) };
}

/** The selector in canonical spelling. */
export function selectorText(selector: HostSelector): string {
  switch (selector.by) {
    case "mac":
      return `mac:${selector.mac}`;
    case "pci":
      return `pci:${selector.address}`;
    default:
      return selector.name;
  }
}
