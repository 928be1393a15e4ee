import { invalid } from "./error.js";

/** IEEE 802.1Q: 0 means no VLAN and 4095 is reserved. */
const VLAN_MAX = 4094;

/** A VLAN id, 1 to 4094. Throws PipeworkError "invalid-request". */
export function parseVlan(text: string): number {
  const id = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(id >= 1 && id <= VLAN_MAX)) throw invalid(`"${text}" is not a VLAN id`, `it is a number from 1 to ${VLAN_MAX}`);
  if (text !== String(id)) throw invalid(`VLAN id "${text}" has leading zeros`, `write ${id}`);
  return id;
}

/** The VLANs of a trunk, such as "10,20-30": sorted, each once. Throws PipeworkError "invalid-request". */
export function parseVlanList(text: string): number[] {
  const ids = new Set<number>();
  for (const part of text.split(",")) {
    const [from, to, more] = part.split("-");
    if (more !== undefined) throw invalid(`"${part}" in VLAN list "${text}" is not a range`, "write it as 20-30");
    const first = parseVlan(from as string);
    const last = to === undefined ? first : parseVlan(to);
    if (last < first) throw invalid(`"${part}" in VLAN list "${text}" runs backwards`, `write ${last}-${first}`);
    for (let id = first; id <= last; id++) ids.add(id);
  }
  return [...ids].sort((a, b) => a - b);
}
