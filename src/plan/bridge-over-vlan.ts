import { invalid } from "../values/error.js";
import { type HostSelector, selectorText } from "../values/host-selector.js";
import { prefixText } from "../values/prefix.js";
import type { BridgeEnd } from "./bridge.js";
import { inverse, type PlanBuilder } from "./builder.js";
import type { PlanContext } from "./context.js";
import { unsuitable } from "./kind.js";
import { setLink } from "./link-message.js";
import { checkParent, parentSteps } from "./parent.js";
import type { AttachView, LinkView, VlanView } from "./view.js";
import { checkVlan, describeVlan, type VlanEnd, vlanOf, vlanSteps } from "./vlan-parent.js";
import type { AttachWish } from "./wish.js";

/** The uplink of a wish that has one: its name, the link, and the VLAN of it that becomes a port. */
function uplinkOf(wish: AttachWish, { host }: AttachView): { parent: LinkView; id: number; vlan: VlanView } {
  const parent = checkParent(wish, host.uplink, "a VLAN", selectorText(wish.uplink as HostSelector));
  return { parent, id: vlanOf(wish, parent.name) as number, vlan: host.vlan as VlanView };
}

/** Refuses an uplink whose VLAN belongs elsewhere, or a bridge that would join it to another network. */
export function checkUplink(wish: AttachWish, view: AttachView): void {
  const { parent, id, vlan } = uplinkOf(wish, view);
  const { to } = view.host;
  if (to !== undefined && to.index === parent.index) throw invalid(`${wish.to} cannot be its own uplink`);
  checkVlan(wish, parent, id, vlan, "a port");
  const { link, addresses, ports } = vlan;
  const which = describeVlan(parent.name, id, link);
  if (link?.master !== undefined) {
    if (link.master === to?.index) return;
    throw unsuitable(
      `${which} is enslaved to another ${link.slaveKind ?? "link"}, so it cannot become a port of ${wish.to}`,
      "attach to that one instead",
    );
  }
  const own = addresses.filter((one) => !one.address.startsWith("fe80:"));
  if (own.length > 0) {
    throw unsuitable(
      `${which} has addresses of the host (${own.map(prefixText).join(", ")}), which a port of ${wish.to} would not answer for`,
      "move them to the bridge first, or attach by a macvlan",
    );
  }
  const other = ports.find((port) => port.kind === undefined || ["vlan", "bond", "team", "vxlan"].includes(port.kind));
  if (other !== undefined) {
    throw unsuitable(
      `${wish.to} has the uplink ${other.name} already, and with ${which} as well the two networks would become one`,
      "use another bridge",
    );
  }
}

/** The VLAN's link, made when missing; before the bridge, which a failure here leaves unmade. */
export function uplinkSteps(b: PlanBuilder, context: PlanContext, wish: AttachWish, view: AttachView): VlanEnd {
  const { parent, id, vlan } = uplinkOf(wish, view);
  return vlanSteps(b, context, parentSteps(b, parent), id, vlan);
}

/** Puts it into the bridge, unless it is there. A new bridge takes the MTU of its first port. */
export function enslaveSteps(
  b: PlanBuilder,
  wish: AttachWish,
  view: AttachView,
  uplink: VlanEnd,
  bridge: BridgeEnd,
): BridgeEnd {
  if (uplink.there?.master === undefined) {
    b.add({
      id: "uplink.enslave",
      label: `${uplink.name} made a port of ${wish.to}`,
      netns: "host",
      op: { op: "netlink", message: setLink(uplink.index, { master: bridge.index }) },
      undo: inverse("host", { op: "netlink", message: setLink(uplink.index, { master: 0 }) }),
    });
  }
  return view.host.to === undefined ? { ...bridge, mtu: uplink.mtu } : bridge;
}

/** What the bridge of a link that is there lacks. */
export function uplinkDifferences(
  wish: AttachWish,
  view: AttachView,
  differs: (what: string, is: unknown, wished: unknown) => void,
): void {
  const { parent, id, vlan } = uplinkOf(wish, view);
  const { to } = view.host;
  if (to === undefined || vlan.link?.master !== to.index)
    differs("is on a bridge without", undefined, describeVlan(parent.name, id, vlan.link));
}
