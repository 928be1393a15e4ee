import { decodeMessage } from "../netlink/message.js";
import { route } from "../netlink/route.js";
import type { Reader } from "../netlink/wire.js";

/** A route as the kernel reports it. */
export type RouteReply = ReturnType<typeof decodeRoute>;

export function decodeRoute(reader: Reader) {
  return decodeMessage(route, reader);
}

/** The number of the table: the attribute, where numbers are wider than the header's field. */
export function tableOf({ header, attributes }: RouteReply): number {
  return attributes.table ?? header.table;
}
