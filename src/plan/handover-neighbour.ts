import type { AttributesIn } from "../netlink/attribute.js";
import type { Message } from "../netlink/message.js";
import { type neighbour, ntfFlags, nudStates } from "../netlink/neighbour.js";
import type { StructIn } from "../netlink/struct.js";
import type { KernelNeighbour, LinkEnd } from "./uplink-view.js";

export type NeighbourMessage = Message<
  "neighbour",
  StructIn<(typeof neighbour)["header"]["fields"]>,
  AttributesIn<(typeof neighbour)["attributes"]["rows"]>
>;

/** An entry that somebody made by hand, and that the kernel does not find again by asking. */
export function isByHand({ header }: KernelNeighbour): boolean {
  return (header.state & nudStates.NUD_PERMANENT) !== 0 || (header.flags & ntfFlags.NTF_PROXY) !== 0;
}

/** For people, and to tell entries apart. */
export function neighbourText({ header, attributes }: KernelNeighbour): string {
  const { dst, lladdr } = attributes;
  if ((header.flags & ntfFlags.NTF_PROXY) !== 0) return `proxy entry ${dst}`;
  return `neighbour ${dst}${lladdr === undefined ? "" : ` at ${lladdr}`}`;
}

export function neighbourOn({ header, attributes }: KernelNeighbour, to: LinkEnd): NeighbourMessage {
  const { dst, lladdr, protocol } = attributes;
  return {
    noun: "neighbour",
    type: "RTM_NEWNEIGH",
    flags: ["NLM_F_CREATE", "NLM_F_REPLACE"],
    header: {
      family: header.family,
      ifindex: to.index,
      state: header.state,
      flags: header.flags & (ntfFlags.NTF_PROXY | ntfFlags.NTF_ROUTER),
    },
    attributes: {
      dst,
      ...(lladdr === undefined ? {} : { lladdr }),
      ...(protocol === undefined ? {} : { protocol }),
    },
  };
}

export function neighbourOff({ header, attributes }: KernelNeighbour, end: LinkEnd): NeighbourMessage {
  return {
    noun: "neighbour",
    type: "RTM_DELNEIGH",
    header: { family: header.family, ifindex: end.index, flags: header.flags & ntfFlags.NTF_PROXY },
    attributes: { dst: attributes.dst },
  };
}

/** Every entry of a link, or with `proxy` those that the host answers for others. */
export function dumpNeighbours(index: number, family: number, proxy: boolean): NeighbourMessage {
  return {
    noun: "neighbour",
    type: "RTM_GETNEIGH",
    flags: ["NLM_F_DUMP"],
    header: { family, ...(proxy ? { flags: ntfFlags.NTF_PROXY } : {}) },
    attributes: { ifindex: index },
  };
}
