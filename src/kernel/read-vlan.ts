import { vlanProtocol } from "../netlink/link-vlan.js";
import { dumpAddresses } from "../plan/address-message.js";
import { isMark } from "../plan/context.js";
import { typeFor } from "../plan/kinds.js";
import { dumpLinks, getLinkByName } from "../plan/link-message.js";
import type { AttachView, LinkView } from "../plan/view.js";
import type { AttachWish } from "../plan/wish.js";
import { vlanIfnames } from "../values/host-ifname.js";
import { addressesFrom, linkFrom, linksFrom } from "./observe.js";
import { hostAsk, hostFrom } from "./select-host.js";
import type { Ask, Transaction } from "./transaction.js";

type Host = Pick<AttachView["host"], "uplink" | "vlan">;

/** All links of one kind: the kernel picks them, unless it has no links of that kind, and then it sends all there are. */
export function kindAsk(kind: string): Ask {
  return { netns: "host", message: dumpLinks({ linkinfo: { kind } }) };
}

/** A link that stands for a VLAN of another; those of a provider's (802.1ad) share ids with them and are others. */
export function isVlanOf(link: LinkView, parent: LinkView, id: number): boolean {
  return (
    link.kind === "vlan" &&
    link.link === parent.index &&
    link.linkNetnsid === undefined &&
    link.vlanId === id &&
    (link.vlanProtocol ?? vlanProtocol.ETH_P_8021Q) === vlanProtocol.ETH_P_8021Q
  );
}

/** The VLAN that is wished, of `to` or of the uplink of a bridge; nothing is asked where none is. */
export async function readVlan(transaction: Transaction, wish: AttachWish, to: LinkView | undefined): Promise<Host> {
  const { tag, uplink: selector } = wish;
  if (tag === undefined || !("vlan" in tag)) return {};
  if (typeFor(wish, to) === "bridge" && selector === undefined) return {};
  let parent = to;
  if (selector !== undefined) {
    const [answer] = await transaction.ask([hostAsk(selector)]);
    parent = hostFrom(selector, answer);
  }
  const uplink = selector === undefined || parent === undefined ? {} : { uplink: parent };
  if (parent === undefined) return uplink;
  const candidates = vlanIfnames(parent.name, tag.vlan);
  const [dump, ...named] = await transaction.ask([
    kindAsk("vlan"),
    ...candidates.map((one): Ask => ({ netns: "host", message: getLinkByName(one) })),
  ]);
  const names = new Map<string, LinkView>();
  for (const [i, one] of candidates.entries()) {
    const there = linkFrom(named[i], "an interface of the host");
    if (there !== undefined) names.set(one, there);
  }
  const link = linksFrom(dump, "the host's VLANs").find((one) => isVlanOf(one, parent, tag.vlan));
  const probes = link === undefined ? [] : await probesOn(transaction, link);
  const port =
    selector === undefined
      ? { addresses: [], ports: [] }
      : await portsOf(transaction, link, to?.kind === "bridge" ? to : undefined);
  return { ...uplink, vlan: { ...(link === undefined ? {} : { link }), names, probes, ...port } };
}

/** What a sweep that was killed has left on a VLAN. */
async function probesOn(transaction: Transaction, link: LinkView): Promise<LinkView[]> {
  const [answer] = await transaction.ask([kindAsk("macvlan")]);
  return linksFrom(answer, "the host's macvlans").filter((one) => isProbe(one, link));
}

/** A macvlan of ours is in a guest; one of our groups on the host can only be a probe. */
export function isProbe(one: LinkView, link: LinkView): boolean {
  return one.kind === "macvlan" && one.link === link.index && one.linkNetnsid === undefined && isMark(one.group);
}

async function portsOf(transaction: Transaction, link: LinkView | undefined, bridge: LinkView | undefined) {
  const asks: Ask[] = [];
  if (link !== undefined) asks.push({ netns: "host", message: dumpAddresses(link.index) });
  if (bridge !== undefined) asks.push({ netns: "host", message: dumpLinks({ master: bridge.index }) });
  const answers = await transaction.ask(asks);
  const addresses =
    link === undefined ? [] : addressesFrom(answers.shift(), `the addresses of ${link.name}`, link.index);
  const ports = bridge === undefined ? [] : linksFrom(answers.shift(), `the ports of ${bridge.name}`);
  return { addresses, ports: ports.filter((one) => one.master === bridge?.index) };
}
