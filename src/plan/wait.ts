import { ifaFlags } from "../netlink/address.js";
import { ifFlags, ifOper, operStates } from "../netlink/link.js";
import { invalid } from "../values/error.js";
import { parseIfname } from "../values/ifname.js";
import type { WaitLevel, WaitRequest } from "./request.js";
import type { LinkView } from "./view.js";
import { parseLevel } from "./wait-level.js";
import { checkTimeout } from "./wish.js";

/** A checked request; no guest is the caller's own namespace. */
export interface WaitWish {
  readonly guest?: string;
  readonly ifname: string;
  readonly level: WaitLevel;
}

/** An address of the link, with its IFA_F_* flags. */
export interface HeldAddress {
  readonly address: string;
  readonly prefixlen: number;
  readonly flags: number;
}

/** What is there of an interface that is waited for. */
export interface Readiness {
  readonly link?: LinkView;
  /** Those of global scope. */
  readonly addresses: readonly HeldAddress[];
  readonly defaultRoute: boolean;
}

const fields = { guest: true, ifname: true, level: true, timeoutMs: true, signal: true } as const satisfies Record<
  keyof WaitRequest,
  true
>;

/** Checks a request before anything is waited for. Throws PipeworkError "invalid-request". */
export function parseWait(request: Partial<WaitRequest>): WaitWish {
  for (const field in request) {
    if (!Object.hasOwn(fields, field)) throw invalid(`a request to wait has no field "${field}"`);
  }
  const { guest, ifname = "eth1", level = "up" } = request;
  for (const [name, value] of Object.entries({ guest, ifname, level })) {
    if (value !== undefined && typeof value !== "string") throw invalid(`${name} is a text`);
  }
  checkTimeout(request.timeoutMs);
  return {
    ...(guest === undefined ? {} : { guest }),
    ifname: parseIfname(ifname, "interface name"),
    level: parseLevel(level),
  };
}

/** Duplicate detection is over, and found none. */
function isUsable({ flags }: HeldAddress): boolean {
  return (flags & (ifaFlags.IFA_F_TENTATIVE | ifaFlags.IFA_F_DADFAILED)) === 0;
}

/** The addresses that can be used. */
export function usableAddresses({ addresses }: Readiness): string[] {
  return addresses.filter(isUsable).map(({ address, prefixlen }) => `${address}/${prefixlen}`);
}

/** IF_OPER_UNKNOWN is all that drivers say which do not track their state (Documentation/networking/operstates.rst). */
function lacksUp({ flags, operstate }: LinkView): string | undefined {
  if ((flags & ifFlags.IFF_UP) === 0) return "is there and down";
  if ((flags & ifFlags.IFF_LOWER_UP) === 0) return "is up and has no carrier";
  if (operstate === ifOper.IF_OPER_UP || operstate === ifOper.IF_OPER_UNKNOWN) return undefined;
  return `is up, and its operational state is ${operStates[operstate] ?? operstate}`;
}

function lacksAddress(readiness: Readiness): string | undefined {
  const { addresses } = readiness;
  if (addresses.some(isUsable)) return undefined;
  const [one] = addresses;
  if (one === undefined) return "is up and has no address";
  if ((one.flags & ifaFlags.IFA_F_DADFAILED) !== 0) return `is up, and its address ${one.address} is another's as well`;
  return `is up, and its address ${one.address} is still being checked for duplicates`;
}

/**
 * What keeps an interface from being as far as that, as the end of a sentence that begins with its name; undefined:
 * nothing. A route needs no address: an attachment may have the one without the other.
 */
export function lacking(level: WaitLevel, readiness: Readiness): string | undefined {
  const { link, defaultRoute } = readiness;
  if (link === undefined) return "is not there";
  if (level === "exists") return undefined;
  const down = lacksUp(link);
  if (down !== undefined || level === "up") return down;
  if (level === "address") return lacksAddress(readiness);
  return defaultRoute ? undefined : "is up and has no default route";
}
