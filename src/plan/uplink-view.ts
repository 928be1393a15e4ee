import type { address } from "../netlink/address.js";
import type { AttributeSet, Rows } from "../netlink/attribute.js";
import type { Decoded } from "../netlink/message.js";
import type { neighbour } from "../netlink/neighbour.js";
import type { route } from "../netlink/route.js";
import type { rule } from "../netlink/rule.js";
import type { Fields, Struct } from "../netlink/struct.js";
import type { Slot } from "../netlink/wire.js";
import type { UplinkRecord } from "./uplink-record.js";
import type { LinkView } from "./view.js";

type Received<N extends { header: Struct<Fields>; attributes: AttributeSet<Rows> }> = Decoded<
  N["header"]["fields"],
  N["attributes"]["rows"]
>;

/** Objects as the kernel reports them, whole: what is handed from one link to another must lose nothing on the way. */
export type KernelAddress = Received<typeof address>;
export type KernelRoute = Received<typeof route>;
export type KernelNeighbour = Received<typeof neighbour>;
export type KernelRule = Received<typeof rule>;

/** A link that a plan hands things from or to: there already, or to be made. */
export interface LinkEnd {
  readonly index: number | Slot;
  readonly name: string;
}

/** A value below /proc/sys/net that each link has for itself. */
export interface Setting {
  /** Such as ipv6/conf/br0/accept_ra. */
  readonly key: string;
  readonly is: string;
  /** That of the NIC. */
  readonly wanted: string;
}

/** What an uplink plan depends on, read under the lock. */
export interface UplinkView {
  /** Every link of the host. */
  readonly links: readonly LinkView[];
  /** Of the NIC and of the bridge; in the kernel's order. */
  readonly addresses: readonly KernelAddress[];
  /** Of all tables: those through the NIC or the bridge, and others of the same destination; in the kernel's order. */
  readonly routes: readonly KernelRoute[];
  /** Entries of the NIC and the bridge that somebody made by hand. */
  readonly neighbours: readonly KernelNeighbour[];
  readonly rules: readonly KernelRule[];
  /** What the bridge has, or would be born with, otherwise than the NIC. */
  readonly settings: readonly Setting[];
  /** arp_notify and ndisc_notify as the bridge is to have them at last. */
  readonly notify: { readonly ipv4: string; readonly ipv6: string };
  readonly record?: UplinkRecord;
  /** Programs of the host that look after the NIC, such as NetworkManager. */
  readonly managers: readonly string[];
}

export function linkOf(view: Pick<UplinkView, "links">, name: string): LinkView | undefined {
  return view.links.find((link) => link.name === name || link.altNames?.includes(name) === true);
}

/** For people, who do not know links by their index. */
export function namesOf({ links }: Pick<UplinkView, "links">): Record<number, string> {
  return Object.fromEntries(links.map(({ index, name }) => [index, name]));
}
