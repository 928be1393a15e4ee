import { type address, ifaFlags } from "../netlink/address.js";
import type { AttributesIn } from "../netlink/attribute.js";
import { AF_UNSPEC, familyNumber } from "../netlink/family.js";
import type { Message } from "../netlink/message.js";
import type { StructIn } from "../netlink/struct.js";
import type { Slot } from "../netlink/wire.js";
import type { Prefix } from "../values/prefix.js";

export type AddressMessage = Message<
  "address",
  StructIn<(typeof address)["header"]["fields"]>,
  AttributesIn<(typeof address)["attributes"]["rows"]>
>;

/**
 * A static address. IPv4 carries its broadcast address (none on /31 and /32); IPv6 goes without duplicate detection,
 * so that it can be bound to at once.
 */
export function newAddress(index: number | Slot, prefix: Prefix): AddressMessage {
  const common = { noun: "address", type: "RTM_NEWADDR", flags: ["NLM_F_CREATE", "NLM_F_EXCL"] } as const;
  const header = { family: familyNumber[prefix.family], prefixlen: prefix.prefixlen, index };
  if (prefix.family === "inet6") {
    return { ...common, header, attributes: { address: prefix.address, flags: ifaFlags.IFA_F_NODAD } };
  }
  return {
    ...common,
    header,
    attributes: {
      address: prefix.address,
      local: prefix.address,
      ...(prefix.broadcast === undefined ? {} : { broadcast: prefix.broadcast }),
    },
  };
}

export function deleteAddress(index: number | Slot, prefix: Prefix): AddressMessage {
  return {
    noun: "address",
    type: "RTM_DELADDR",
    header: { family: familyNumber[prefix.family], prefixlen: prefix.prefixlen, index },
    attributes: prefix.family === "inet" ? { local: prefix.address } : { address: prefix.address },
  };
}

/** All addresses of one link, both families; with strict checking the kernel filters, without it the reader does. */
export function dumpAddresses(index?: number): AddressMessage {
  return {
    noun: "address",
    type: "RTM_GETADDR",
    flags: ["NLM_F_DUMP"],
    header: { family: AF_UNSPEC, ...(index === undefined ? {} : { index }) },
    attributes: {},
  };
}
