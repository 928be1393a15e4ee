import { invalid } from "./error.js";
import { parseVlan, parseVlanList } from "./vlan.js";

/** What stands behind the @ of the legacy form, or --vlan: whether it suits the link is the kind's to say. */
export type Tag =
  | { readonly vlan: number }
  | { readonly trunk: readonly number[] }
  /** An InfiniBand partition key, 16 bits. */
  | { readonly pkey: number };

/** Reads a request's `vlan`: an id, a list such as "10,20-30", or a partition key such as "0x8001". Throws PipeworkError "invalid-request". */
export function parseTag(value: unknown): Tag {
  if (typeof value === "number") return { vlan: parseVlan(String(value)) };
  if (typeof value !== "string") throw invalid(`vlan ${JSON.stringify(value)} is neither a number nor a text`);
  if (/^0x/i.test(value)) {
    const pkey = /^0x[0-9a-f]{1,4}$/i.test(value) ? Number.parseInt(value.slice(2), 16) : 0;
    if (pkey === 0)
      throw invalid(`"${value}" is no InfiniBand partition key`, "it has up to four hex digits, such as 0x8001");
    return { pkey };
  }
  return /[,-]/.test(value) ? { trunk: parseVlanList(value) } : { vlan: parseVlan(value) };
}

export function tagText(tag: Tag): string {
  if ("vlan" in tag) return String(tag.vlan);
  return "pkey" in tag ? `0x${tag.pkey.toString(16)}` : tag.trunk.join(",");
}
