import type { LinkMode } from "./request.js";

/** Another link on the parent of an attachment, as far as it can be seen: on the host, or in a record of ours. */
export interface Sibling {
  readonly type: "macvlan" | "ipvlan";
  readonly mode?: LinkMode;
  /** For people: "eth1 of docker:..." or "interface mv0 of the host". */
  readonly who: string;
}

const PASSTHRU = "passthru";

/**
 * Why the kernel would refuse a new link of this type and mode beside these (macvlan_common_newlink, ipvlan_port_create),
 * or would change what the others do (ipvlan_set_port_mode: the newest decides for all). Undefined: nothing that is seen.
 */
export function clash(type: Sibling["type"], mode: LinkMode, siblings: readonly Sibling[]): string | undefined {
  for (const { type: there, mode: theirs, who } of siblings) {
    if (there !== type)
      return `${who} is ${there === "ipvlan" ? "an ipvlan" : "a macvlan"} there, and one parent carries one kind only`;
    if (type === "macvlan" && theirs === PASSTHRU)
      return `${who} is a macvlan of mode passthru there, which has its parent for itself`;
    if (type === "macvlan" && mode === PASSTHRU)
      return `${who} is there, and a macvlan of mode passthru has its parent for itself`;
    if (type === "ipvlan" && theirs !== undefined && theirs !== mode)
      return `${who} is there in mode ${theirs}, and all ipvlans of one parent have the same mode: it would change`;
  }
  return undefined;
}
