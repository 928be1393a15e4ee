import type { AttributesIn } from "../netlink/attribute.js";
import { extMask, ifFlags, type link } from "../netlink/link.js";
import type { Message, NlmFlag } from "../netlink/message.js";
import type { StructIn } from "../netlink/struct.js";
import type { Slot } from "../netlink/wire.js";

type LinkHeader = StructIn<(typeof link)["header"]["fields"]>;
export type LinkAttributes = AttributesIn<(typeof link)["attributes"]["rows"]>;
export type LinkMessage = Message<"link", LinkHeader, LinkAttributes>;

function message(
  type: keyof (typeof link)["types"],
  header: LinkHeader,
  attributes: LinkAttributes,
  flags?: readonly NlmFlag[],
): LinkMessage {
  return { noun: "link", type, ...(flags === undefined ? {} : { flags }), header, attributes };
}

/** Makes a link; EEXIST when the name is taken. */
export function newLink(attributes: LinkAttributes, header: LinkHeader = {}): LinkMessage {
  return message("RTM_NEWLINK", header, attributes, ["NLM_F_CREATE", "NLM_F_EXCL"]);
}

/** Changes a link; `up` sets or clears IFF_UP. */
export function setLink(index: number | Slot, attributes: LinkAttributes, up?: boolean): LinkMessage {
  const flags = up === undefined ? {} : { flags: up ? ifFlags.IFF_UP : 0, change: ifFlags.IFF_UP };
  return message("RTM_SETLINK", { index, ...flags }, attributes);
}

/** Adds or takes away alternative names. */
export function linkProperties(
  type: "RTM_NEWLINKPROP" | "RTM_DELLINKPROP",
  index: number | Slot,
  altIfnames: readonly string[],
): LinkMessage {
  return message(
    type,
    { index },
    { propList: { altIfnames } },
    type === "RTM_NEWLINKPROP" ? ["NLM_F_CREATE", "NLM_F_EXCL"] : [],
  );
}

/** Moves a link to another namespace, less promiscuous than anybody had made it: such settings are not for the next one. */
export function moveLink(index: number | Slot, attributes: LinkAttributes): LinkMessage {
  return message("RTM_SETLINK", { index, flags: 0, change: ifFlags.IFF_PROMISC | ifFlags.IFF_ALLMULTI }, attributes);
}

export function deleteLink(index: number | Slot): LinkMessage {
  return message("RTM_DELLINK", { index }, {});
}

/** RTEXT_FILTER_SKIP_STATS: the counters are most of a link message, and no plan looks at them. */
const withoutStats = { extMask: extMask.RTEXT_FILTER_SKIP_STATS };

export function getLinkByName(ifname: string): LinkMessage {
  return message("RTM_GETLINK", {}, { ifname, ...withoutStats });
}

/** By an alternative name too long for an interface name; the kernel finds shorter ones by IFLA_IFNAME as well. */
export function getLinkByAltname(altIfname: string): LinkMessage {
  return message("RTM_GETLINK", {}, { altIfname, ...withoutStats });
}

export function getLinkByIndex(index: number | Slot): LinkMessage {
  return message("RTM_GETLINK", { index }, withoutStats);
}

export function dumpLinks(attributes: LinkAttributes = {}): LinkMessage {
  return message("RTM_GETLINK", {}, { ...attributes, ...withoutStats }, ["NLM_F_DUMP"]);
}

/** Attributes that conditions look at, by kernel names. Constants, so that their numbers are looked up once. */
export const linkPaths = {
  ifname: ["IFLA_IFNAME"],
  mtu: ["IFLA_MTU"],
  address: ["IFLA_ADDRESS"],
  permAddress: ["IFLA_PERM_ADDRESS"],
  group: ["IFLA_GROUP"],
  ifalias: ["IFLA_IFALIAS"],
  operstate: ["IFLA_OPERSTATE"],
  kind: ["IFLA_LINKINFO", "IFLA_INFO_KIND"],
  stpState: ["IFLA_LINKINFO", "IFLA_INFO_DATA", "IFLA_BR_STP_STATE"],
  brportState: ["IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA", "IFLA_BRPORT_STATE"],
} as const;
