import { readlinkSync } from "node:fs";
import { basename, dirname } from "node:path";
import { dumpLinks, getLinkByAltname, getLinkByName } from "../plan/link-message.js";
import { selectByMac, selectByPci } from "../plan/select-host.js";
import type { LinkView } from "../plan/view.js";
import type { HostSelector } from "../values/host-selector.js";
import { linkFrom, linksFrom } from "./observe.js";
import type { Answer, Ask } from "./transaction.js";

/** The question that finds the host interface; only a MAC and a PCI address need all of them. */
export function hostAsk(selector: HostSelector): Ask {
  switch (selector.by) {
    case "name":
      return { netns: "host", message: getLinkByName(selector.name) };
    case "altname":
      return { netns: "host", message: getLinkByAltname(selector.name) };
    default:
      return { netns: "host", message: dumpLinks() };
  }
}

/**
 * PCI address of the device behind a link. The kernel names the parent device alone, and a virtio NIC's is on a bus of its
 * own; the PCI function that carries it is the directory above, in a part of /sys that is the same in all namespaces.
 */
export function pciOf({ parentBus, parentDev }: Pick<LinkView, "parentBus" | "parentDev">): string | undefined {
  if (parentDev === undefined || parentBus === "pci") return parentDev;
  if (parentBus !== "virtio") return undefined;
  try {
    return basename(dirname(readlinkSync(`/sys/bus/virtio/devices/${parentDev}`)));
  } catch {
    // No /sys here, or the device is just being unplugged.
    return undefined;
  }
}

/** The host interface that is meant, or undefined. Throws PipeworkError "interface-ambiguous". */
export function hostFrom(selector: HostSelector, answer: Answer | undefined): LinkView | undefined {
  switch (selector.by) {
    case "mac":
      return selectByMac(selector, linksFrom(answer, "the host's interfaces"));
    case "pci":
      return selectByPci(selector, linksFrom(answer, "the host's interfaces"), pciOf);
    default:
      return linkFrom(answer, "an interface of the host");
  }
}
