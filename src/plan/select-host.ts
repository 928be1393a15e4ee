import { ifFlags } from "../netlink/link.js";
import { PipeworkError } from "../values/error.js";
import { type HostSelector, selectorText } from "../values/host-selector.js";
import type { AttachView, LinkView } from "./view.js";
import type { AttachWish } from "./wish.js";

/** A NIC, as opposed to what the kernel makes out of nothing or out of another link. */
export function isHardware(link: LinkView): boolean {
  return link.kind === undefined && (link.flags & ifFlags.IFF_LOOPBACK) === 0;
}

function ambiguous(selector: HostSelector, found: readonly LinkView[]): PipeworkError {
  return new PipeworkError({
    code: "interface-ambiguous",
    message: `${selectorText(selector)} is ${found.length} interfaces of the host: ${found.map(({ name }) => name).join(", ")}`,
    hint: "give the name of the one that is meant",
  });
}

/**
 * The one that is meant, from groups of candidates, the best first.
 * @throws PipeworkError "interface-ambiguous", listing them
 */
function single(selector: HostSelector, ...groups: readonly LinkView[][]): LinkView | undefined {
  const group = groups.find((links) => links.length > 0) ?? [];
  if (group.length > 1) throw ambiguous(selector, group);
  return group[0];
}

/**
 * The link with that MAC: one that has it now before one that was made with it, and a NIC before what was made on it, as a
 * VLAN or a bridge that took the MAC over.
 */
export function selectByMac(selector: HostSelector & { by: "mac" }, links: readonly LinkView[]): LinkView | undefined {
  const current = links.filter(({ address }) => address === selector.mac);
  const permanent = links.filter(({ permAddress }) => permAddress === selector.mac);
  return single(selector, current.filter(isHardware), current, permanent.filter(isHardware), permanent);
}

/** The NIC at that PCI address; `pciOf` tells the address of a link's device, where it has one. */
export function selectByPci(
  selector: HostSelector & { by: "pci" },
  links: readonly LinkView[],
  pciOf: (link: LinkView) => string | undefined,
): LinkView | undefined {
  return single(
    selector,
    links.filter((link) => pciOf(link) === selector.address),
  );
}

/** The wish with the name of the link that was found for its words: what plans, records and results show. */
export function withHost(wish: AttachWish, view: AttachView): AttachWish {
  const { to } = view.host;
  return to === undefined || to.name === wish.to ? wish : { ...wish, to: to.name };
}
