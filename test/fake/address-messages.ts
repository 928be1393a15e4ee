import { address as addressNoun } from "../../src/netlink/address.js";
import { AF_INET, AF_INET6 } from "../../src/netlink/family.js";
import { decodeMessage, encodeMessage } from "../../src/netlink/message.js";
import { Reader } from "../../src/netlink/wire.js";
import { joined } from "./attribute.js";
import { addAddress, removeAddress } from "./ip-stack.js";
import type { FakeKernel } from "./kernel.js";
import type { FakeAddress, FakeNamespace } from "./link.js";
import { Refusal } from "./refusal.js";

/** RTM_*ADDR of one namespace. */
export function addressMessage(kernel: FakeKernel, ns: FakeNamespace, bytes: Uint8Array): Uint8Array {
  const { type, header, attributes: a } = decodeMessage(addressNoun, new Reader(bytes));
  if (type === "RTM_GETADDR") {
    return joined(...ns.addresses.filter((one) => header.index === 0 || one.link.index === header.index).map(reply));
  }
  const link = kernel.links.at(ns, header.index);
  const family = header.family === AF_INET ? "inet" : "inet6";
  const text = a.local ?? a.address;
  if (text === undefined || (header.family !== AF_INET && header.family !== AF_INET6)) throw new Refusal("EINVAL");
  if (type === "RTM_NEWADDR")
    addAddress({ family, link, address: text, prefixlen: header.prefixlen, broadcast: a.broadcast });
  else removeAddress(link, family, text, header.prefixlen);
  return new Uint8Array();
}

function reply(one: FakeAddress): Uint8Array {
  return encodeMessage(addressNoun, {
    type: "RTM_NEWADDR",
    header: { family: one.family === "inet" ? AF_INET : AF_INET6, prefixlen: one.prefixlen, index: one.link.index },
    attributes: {
      address: one.address,
      ...(one.family === "inet" ? { local: one.address } : {}),
      ...(one.broadcast === undefined ? {} : { broadcast: one.broadcast }),
    },
  }).bytes;
}
