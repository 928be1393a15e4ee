import { macvlanModeName, macvlanModes } from "../netlink/link-macvlan.js";
import { PipeworkError } from "../values/error.js";
import { childBirth, recordStep } from "./birth-child.js";
import { type Kind, macOf, unsuitable } from "./kind.js";
import type { Memory } from "./memory.js";
import { checkParent, parentSteps } from "./parent.js";
import type { LinkView } from "./view.js";

function modeNumber(mode: string | undefined): number {
  return macvlanModes[(mode ?? "bridge") as keyof typeof macvlanModes];
}

/** A macvlan on an Ethernet interface of the host, born in the guest. */
export const macvlanKind: Kind = {
  infoKind: "macvlan",
  hostEnd: false,
  exclusive: true,
  check(wish, { host: { to } }) {
    checkParent(wish, to, "a macvlan");
    if (wish.queues !== undefined) throw unsuitable("queues are for the ends of a veth, and a macvlan has none");
    if (wish.mode !== undefined && !(wish.mode in macvlanModes)) {
      throw unsuitable(
        `"${wish.mode}" is no macvlan mode`,
        `one of ${Object.keys(macvlanModes).join(", ")}; or say the type: ipvlan`,
      );
    }
    if (wish.mode !== undefined && wish.mode !== "bridge")
      throw new PipeworkError({ code: "unsupported", message: `macvlan mode ${wish.mode} is not in this version yet` });
    if (wish.tag !== undefined)
      throw new PipeworkError({ code: "unsupported", message: "a VLAN is not in this version yet" });
  },
  birth(b, context, wish, view, displaced) {
    if (wish.hostIfname !== undefined) b.warn(`a macvlan has no host end, so nothing is called ${wish.hostIfname}`);
    const mac = macOf(wish, context);
    const memory: Memory = {
      guest: context.guestId,
      ifname: wish.ifname,
      netns: context.netns,
      displaced,
      type: "macvlan",
      to: wish.to,
      mac,
    };
    recordStep(b, context, memory);
    const parent = parentSteps(b, view.host.to as LinkView);
    const linkinfo = { kind: "macvlan", data: { mode: modeNumber(wish.mode) } } as const;
    return {
      guest: childBirth(b, context, wish, view, { linkinfo, parent, mac }),
      marked: "guest",
      commit: () => {},
    };
  },
  differences(wish, view, link, differs) {
    if (link.link !== view.host.to?.index) differs("is not on", undefined, wish.to);
    differs("has mode", macvlanModeName(link.macvlanMode), wish.mode);
  },
  reborn: (old) => ({
    ...(old.address === undefined ? {} : { address: old.address }),
    link: old.link ?? 0,
    linkinfo: { kind: "macvlan", data: old.macvlanMode === undefined ? {} : { mode: old.macvlanMode } },
  }),
};
