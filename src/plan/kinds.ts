import { arphrd } from "../netlink/link.js";
import { invalid, PipeworkError } from "../values/error.js";
import { selectorText } from "../values/host-selector.js";
import { isBridgeName } from "./bridge.js";
import { type Kind, type KindName, unsuitable } from "./kind.js";
import { bridgeKind } from "./kind-bridge.js";
import { dummyKind } from "./kind-dummy.js";
import { ipoibKind } from "./kind-ipoib.js";
import { ipvlanKind } from "./kind-ipvlan.js";
import { macvlanKind } from "./kind-macvlan.js";
import { physKind } from "./kind-phys.js";
import { vlanKind } from "./kind-vlan.js";
import type { Memory } from "./memory.js";
import { isNic, isPhys } from "./nic.js";
import type { LinkType } from "./request.js";
import type { AttachView, LinkView } from "./view.js";
import type { AttachWish } from "./wish.js";

/** Every kind of link that can be attached. */
const kinds: Readonly<Partial<Record<KindName, Kind>>> = {
  bridge: bridgeKind,
  macvlan: macvlanKind,
  ipvlan: ipvlanKind,
  dummy: dummyKind,
  ipoib: ipoibKind,
  vlan: vlanKind,
  phys: physKind,
};

/** The row of a kind. Throws PipeworkError "unsupported" for one that has none. */
export function kindOf(type: LinkType): Kind {
  const kind = type === "ovs" ? undefined : kinds[type];
  if (kind !== undefined) return kind;
  throw new PipeworkError({
    code: "unsupported",
    message: `a link of type ${type} is not in this version yet`,
    hint: `${Object.keys(kinds).join(", ")} are`,
  });
}

/** The type of an attachment that is what this link is; undefined for kinds that are never attached. */
export function typeOfLink(link: LinkView): KindName | undefined {
  const found = Object.entries(kinds).find(([, kind]) => kind.infoKind !== undefined && kind.infoKind === link.kind);
  return found?.[0] as KindName | undefined;
}

/** Whether a record describes this link of the guest: the same name, and of the recorded kind. */
export function describes(memory: Memory, link: LinkView): boolean {
  if (memory.type === undefined || memory.ifname !== link.name) return false;
  if (isPhys(memory)) return isNic(memory.nic, link);
  const infoKind = kindOf(memory.type).infoKind;
  return infoKind === undefined || infoKind === link.kind;
}

/** Kinds that are remembered by a record alone. */
export function isRecorded(link: LinkView): boolean {
  const type = typeOfLink(link);
  return type === undefined || !kindOf(type).hostEnd;
}

function suits(wish: AttachWish, to: LinkView | undefined): KindName {
  if (to === undefined) return isBridgeName(wish.to) && wish.mode === undefined ? "bridge" : "macvlan";
  if (to.type === arphrd.ARPHRD_INFINIBAND) return "ipoib";
  return to.kind === "bridge" ? "bridge" : "macvlan";
}

/** The kind that was asked for, or the one that suits the host interface. */
export function typeFor(wish: AttachWish, to: LinkView | undefined): LinkType {
  return wish.type ?? suits(wish, to);
}

/** The same, once it has refused what cannot carry it. */
export function chooseKind(wish: AttachWish, view: AttachView): { readonly type: LinkType; readonly kind: Kind } {
  const type = typeFor(wish, view.host.to);
  const kind = kindOf(type);
  if (wish.uplink !== undefined && type !== "bridge")
    throw invalid(
      `the uplink ${selectorText(wish.uplink)} is for a bridge, and ${wish.to} is to carry a ${type}`,
      "leave it out",
    );
  if (wish.hostAccess && type !== "macvlan")
    throw unsuitable(`host access is for a macvlan, and ${wish.to} would carry a link of type ${type}`, "leave it out");
  kind.check(wish, view);
  return { type, kind };
}
