import type { AttributesIn } from "../netlink/attribute.js";
import type { NlmFlag } from "../netlink/message.js";
import type { MessageOf } from "../netlink/nouns.js";
import type { route } from "../netlink/route.js";
import { encodeHops } from "../netlink/route-hop.js";
import type { StructIn } from "../netlink/struct.js";
import { type Devices, type DeviceWord, deviceIndex, vrfTable } from "./device.js";

export type RouteHeader = StructIn<(typeof route)["header"]["fields"]>;
export type RouteAttributes = AttributesIn<(typeof route)["attributes"]["rows"]>;

/** A next hop of several whose device is not looked up yet. */
export interface HopDraft {
  readonly flags: number;
  readonly weight: number;
  readonly device?: DeviceWord;
  readonly attributes: RouteAttributes;
}

/** A route message whose devices are not looked up yet. */
export interface RouteDraft {
  readonly type: MessageOf<"route">["type"];
  readonly flags: readonly NlmFlag[];
  readonly header: RouteHeader;
  readonly attributes: RouteAttributes;
  readonly device?: DeviceWord;
  readonly iif?: DeviceWord;
  readonly vrf?: DeviceWord;
  readonly hops?: readonly HopDraft[];
}

/** A table's number lies in the header when it fits there, else in an attribute. */
export function tableFields(table: number): { header: { table: number }; attributes: { table?: number } } {
  return table < 256 ? { header: { table }, attributes: {} } : { header: { table: 0 }, attributes: { table } };
}

/** The message with the indexes of its devices. Throws "interface-not-found". */
export function routeMessage(draft: RouteDraft, devices: Devices): MessageOf<"route"> {
  const { type, flags, device, iif, vrf, hops } = draft;
  const table = vrf === undefined ? undefined : tableFields(vrfTable(vrf, devices));
  const multipath = hops?.map(({ device: one, ...hop }) => ({
    ...hop,
    ifindex: one === undefined ? 0 : deviceIndex(one, devices),
  }));
  return {
    noun: "route",
    type,
    ...(flags.length === 0 ? {} : { flags }),
    header: { ...draft.header, ...table?.header },
    attributes: {
      ...draft.attributes,
      ...table?.attributes,
      ...(device === undefined ? {} : { oif: deviceIndex(device, devices) }),
      ...(iif === undefined ? {} : { iif: deviceIndex(iif, devices) }),
      ...(multipath === undefined ? {} : { multipath: encodeHops(multipath) }),
    },
  };
}
