import { ipvlanModeName } from "../netlink/link-ipvlan.js";
import { macvlanModeName } from "../netlink/link-macvlan.js";
import type { PlanContext } from "../plan/context.js";
import { dumpLinks } from "../plan/link-message.js";
import type { LinkMode } from "../plan/request.js";
import type { Sibling } from "../plan/sibling.js";
import type { LinkView } from "../plan/view.js";
import { linksFrom } from "./observe.js";
import { isProbe } from "./read-vlan.js";
import { readRecords } from "./record.js";
import type { Transaction } from "./transaction.js";

function onHost(link: LinkView): Sibling {
  const ipvlan = link.kind === "ipvlan";
  return {
    type: ipvlan ? "ipvlan" : "macvlan",
    mode: (ipvlan ? ipvlanModeName(link.ipvlanMode) : macvlanModeName(link.macvlanMode)) as LinkMode,
    who: `interface ${link.name} of the host`,
  };
}

/**
 * Macvlans and ipvlans on a parent: those of the host's own namespace, and those that records of ours tell of. What other
 * programs put into other namespaces cannot be seen from here.
 */
export async function siblingsOf(
  transaction: Transaction,
  parent: LinkView,
  context: PlanContext,
  ifname: string,
): Promise<Sibling[]> {
  const [answer] = await transaction.ask([{ netns: "host", message: dumpLinks() }]);
  const links = linksFrom(answer, "the host's links").filter(
    (one) =>
      (one.kind === "macvlan" || one.kind === "ipvlan") &&
      one.link === parent.index &&
      one.linkNetnsid === undefined &&
      !isProbe(one, parent),
  );
  const records = readRecords(context.recordDir).flatMap(
    ({ type, parent: on, mode, guest, netns, ifname: name }): Sibling[] =>
      (type !== "macvlan" && type !== "ipvlan") || on !== parent.name || (name === ifname && netns === context.netns)
        ? []
        : [{ type, who: `${name} of ${guest}`, ...(mode === undefined ? {} : { mode }) }],
  );
  return [...links.map(onHost), ...records];
}
