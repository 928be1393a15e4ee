import { ifFlags } from "../netlink/link.js";
import type { Slot } from "../netlink/wire.js";
import { PipeworkError } from "../values/error.js";
import { byteLength, IFNAME_MAX } from "../values/ifname.js";
import { bridgeMac } from "../values/mac.js";
import { unmake } from "./birth.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { isMark, type PlanContext, slots } from "./context.js";
import { dumpLinks, getLinkByName, newLink, setLink } from "./link-message.js";
import { BRIDGE_ALIAS } from "./memory.js";
import type { LinkView } from "./view.js";

/** The bridge's ifindex, known or to be captured, and its MTU. */
export interface BridgeEnd {
  readonly index: number | Slot;
  readonly mtu: number;
  readonly stp: boolean;
}

/** The kernel's default for a bridge without ports (ETH_DATA_LEN). */
const NEW_BRIDGE_MTU = 1500;

/**
 * A router advertisement of a container, or of a router in a VLAN, must not give the host a default route: the kernel
 * accepts them by default on an interface that does not forward. The key is missing where IPv6 is switched off at boot.
 */
export function refuseAdvertisements(
  b: PlanBuilder,
  id: string,
  name: string,
  undo: { ownedBy: string } | { builtin: "what was there before is written back" },
): void {
  b.add({
    id: `${id}.accept_ra`,
    label: `router advertisements refused on ${name}`,
    netns: "host",
    op: { op: "sysctl", key: `ipv6/conf/${name}/accept_ra`, value: "0", tolerate: ["ENOENT"] },
    undo,
  });
}

/** Steps that make the bridge (`filtering`: one that tells VLANs apart), finish one that a killed run left half made, or bring an existing one up. */
export function bridgeSteps(
  b: PlanBuilder,
  context: PlanContext,
  name: string,
  existing: LinkView | undefined,
  filtering = false,
): BridgeEnd {
  if (existing === undefined) return makeBridge(b, context, name, filtering);
  const end = { index: existing.index, mtu: existing.mtu, stp: existing.stp === true };
  if (isMark(existing.group)) {
    refuseAdvertisements(b, "bridge", name, { builtin: "what was there before is written back" });
    b.add({
      id: "bridge.up",
      label: `bridge ${name}, left half made by a killed run, finished`,
      netns: "host",
      op: { op: "netlink", message: setLink(existing.index, { group: 0, ifalias: BRIDGE_ALIAS }, true) },
      undo: inverse("host", {
        op: "netlink",
        message: setLink(
          existing.index,
          { group: existing.group, ifalias: existing.alias ?? "" },
          (existing.flags & ifFlags.IFF_UP) !== 0,
        ),
      }),
    });
  } else if ((existing.flags & ifFlags.IFF_UP) === 0) {
    b.add({
      id: "bridge.up",
      label: `bridge ${name} up`,
      netns: "host",
      op: { op: "netlink", message: setLink(existing.index, {}, true) },
      undo: inverse("host", { op: "netlink", message: setLink(existing.index, {}, false) }),
    });
  }
  return end;
}

function makeBridge(b: PlanBuilder, context: PlanContext, name: string, filtering: boolean): BridgeEnd {
  const index = { slot: slots.bridge };
  const birth = b.add({
    id: "bridge.create",
    label: `bridge ${name}${filtering ? ", filtering VLANs" : ""}`,
    netns: "host",
    op: {
      op: "netlink",
      // A fixed address: a bridge without one takes the lowest of its ports, and changes it with them.
      message: newLink({
        ifname: name,
        address: bridgeMac(context.seed),
        group: context.mark,
        linkinfo: { kind: "bridge", ...(filtering ? { data: { vlanFiltering: 1 } } : {}) },
      }),
    },
    undo: unmake(
      "host",
      { slot: slots.bridge, name, mark: context.mark },
      {
        // Another program may have put a port into it by now; then it stays.
        message: dumpLinks({ master: index }),
      },
    ),
  });
  b.add({
    id: "bridge.find",
    label: `bridge ${name} found`,
    netns: "host",
    op: { op: "netlink", message: getLinkByName(name), capture: { slot: slots.bridge } },
    undo: { none: "reads only" },
  });
  refuseAdvertisements(b, "bridge", name, { ownedBy: birth });
  b.add({
    id: "bridge.up",
    label: `bridge ${name} up and marked as ours`,
    netns: "host",
    op: { op: "netlink", message: setLink(index, { group: 0, ifalias: BRIDGE_ALIAS }, true) },
    undo: { ownedBy: birth },
  });
  return { index, mtu: NEW_BRIDGE_MTU, stp: false };
}

/** Names that are made on demand, as the shell script does. */
export function isBridgeName(name: string): boolean {
  return name.startsWith("br") && byteLength(name) <= IFNAME_MAX;
}

function elsewhere(name: string): string {
  if (name.startsWith("ovs")) return "Open vSwitch is not in this version yet";
  if (name.startsWith("mac:")) return "`ip link` lists current and permanent (permaddr) addresses";
  if (name.startsWith("pci:")) return "`ip -d link` lists the devices behind them (parentbus, parentdev)";
  return "a bridge is made when missing if its name begins with br; `ip link` lists what is there";
}

/** `name` may be an alternative name, `mac:` or `pci:` as well. */
export function noSuchInterface(name: string): PipeworkError {
  const called = name.startsWith("mac:") || name.startsWith("pci:") ? `with ${name}` : name;
  return new PipeworkError({
    code: "interface-not-found",
    message: `there is no interface ${called} on the host`,
    hint: elsewhere(name),
  });
}
