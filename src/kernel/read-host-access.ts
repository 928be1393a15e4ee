import type { Family } from "../netlink/family.js";
import { NLMSG_HDRLEN } from "../netlink/message.js";
import { rtmsg } from "../netlink/route.js";
import { dumpAddresses } from "../plan/address-message.js";
import type { HostAccessView } from "../plan/host-access.js";
import { getLinkByIndex, getLinkByName } from "../plan/link-message.js";
import { dumpRoutes } from "../plan/route-message.js";
import type { LinkView } from "../plan/view.js";
import type { AttachWish } from "../plan/wish.js";
import { shimIfname } from "../values/host-ifname.js";
import { contains, parseNetwork, prefixText } from "../values/prefix.js";
import { addressesFrom, linkFrom, routesFrom } from "./observe.js";
import type { Ask, Transaction } from "./transaction.js";

/** Where rtm_dst_len lies in a route message. */
const RTM_DST_LEN = NLMSG_HDRLEN + rtmsg.fields.dstLen[0];

/** The host's routes to single hosts, of the main table. */
export function hostRoutesAsk(family: Family): Ask {
  const keep = { offset: RTM_DST_LEN, value: Uint8Array.of(family === "inet" ? 32 : 128) };
  return { netns: "host", message: dumpRoutes(family), keep };
}

/**
 * What is on the host's way to a guest on this parent, which is undefined while it is a VLAN to be made. Of the host's
 * routes, which may be many, those to single hosts.
 */
export async function hostAccessView(
  transaction: Transaction,
  wish: AttachWish,
  parent: LinkView | undefined,
): Promise<HostAccessView> {
  const [v4, v6] = await transaction.ask([hostRoutesAsk("inet"), hostRoutesAsk("inet6")]);
  const [link, addresses] =
    parent === undefined
      ? []
      : await transaction.ask([
          { netns: "host", message: getLinkByName(shimIfname(parent.name)) },
          { netns: "host", message: dumpAddresses(parent.index) },
        ]);
  const shim = linkFrom(link, "the host's own macvlan");
  const own = addressesFrom(addresses, `the addresses of ${parent?.name}`, parent?.index).filter(
    ({ address }) => !address.startsWith("fe80:"),
  );
  const sources = new Map<string, string>();
  for (const { address, family } of wish.addresses) {
    const mine = own.filter((one) => one.family === family);
    const near = mine.find((one) => contains(parseNetwork(prefixText(one)), address)) ?? mine[0];
    if (near !== undefined) sources.set(address, near.address);
  }
  const wanted = new Set(wish.addresses.map(({ address }) => address));
  const routes = [...routesFrom(v4, "the host's routes"), ...routesFrom(v6, "the host's routes")].filter(
    ({ dst }) => dst !== undefined && wanted.has(dst),
  );
  const names = new Map<number, string>();
  for (const { oif } of routes) {
    if (oif === undefined || names.has(oif)) continue;
    const [answer] = await transaction.ask([{ netns: "host", message: getLinkByIndex(oif) }]);
    names.set(oif, linkFrom(answer, "an interface of the host")?.name ?? String(oif));
  }
  const [there] =
    shim === undefined ? [] : await transaction.ask([{ netns: "host", message: dumpAddresses(shim.index) }]);
  const shimAddresses = addressesFrom(there, "the addresses of the host's own macvlan", shim?.index).map(
    ({ address }) => address,
  );
  return { shimAddresses, ...(shim === undefined ? {} : { shim }), routes, names, sources };
}
