import { defineAttributes, row } from "./attribute.js";
import { cstring } from "./attribute-bytes.js";
// nf_tables attributes are in network byte order.
import { be32 } from "./attribute-integer.js";
import { nestedStrict } from "./attribute-nested.js";
import type { Noun } from "./message.js";
import { defineStruct } from "./struct.js";

/** struct nfgenmsg, linux/netfilter/nfnetlink.h. */
export const nfgenmsg = defineStruct("nfgenmsg", 4, "", {
  nfgen_family: [0, "u8"],
  version: [1, "u8"],
  res_id: [2, "be16"],
});

/** Families and hooks, linux/netfilter.h. */
export const nfproto = {
  NFPROTO_UNSPEC: 0,
  NFPROTO_INET: 1,
  NFPROTO_IPV4: 2,
  NFPROTO_BRIDGE: 7,
  NFPROTO_IPV6: 10,
} as const;
export const nfHooks = { NF_INET_FORWARD: 2 } as const;
export const nfVerdicts = { NF_DROP: 0, NF_ACCEPT: 1 } as const;

const hookAttributes = defineAttributes("NFTA_HOOK", {
  hooknum: row("NFTA_HOOK_HOOKNUM", 1, be32),
  priority: row("NFTA_HOOK_PRIORITY", 2, be32),
});

/** NFTA_CHAIN_*, linux/netfilter/nf_tables.h. */
export const nftChainAttributes = defineAttributes("NFTA_CHAIN", {
  table: row("NFTA_CHAIN_TABLE", 1, cstring(256)),
  name: row("NFTA_CHAIN_NAME", 3, cstring(256)),
  hook: row("NFTA_CHAIN_HOOK", 4, nestedStrict(hookAttributes)),
  policy: row("NFTA_CHAIN_POLICY", 5, be32),
  type: row("NFTA_CHAIN_TYPE", 7, cstring(256)),
});

/** Chains of nf_tables, on a NETLINK_NETFILTER socket; only read, to tell why bridged packets vanish. */
export const nftChain = {
  name: "nftChain",
  // The upper byte is the subsystem; the keys are C expressions for the constant check.
  types: {
    "NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN": 0xa03,
    "NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN": 0xa04,
  },
  header: nfgenmsg,
  attributes: nftChainAttributes,
} satisfies Noun<(typeof nfgenmsg)["fields"], (typeof nftChainAttributes)["rows"]>;

/** A dump of all chains of all families. */
export const dumpChains = {
  noun: "nftChain",
  type: "NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN",
  flags: ["NLM_F_DUMP"],
  header: {},
  attributes: {},
} as const;
