import { existsSync, readFileSync } from "node:fs";
import type { Instance } from "../instance.js";
import { decodeReplies } from "../netlink/message.js";
import { dumpChains, nfHooks, nfproto, nftChain, nfVerdicts } from "../netlink/nft-chain.js";
import { encode } from "../netlink/nouns.js";
import type { Finding } from "./finding.js";

const NETLINK_NETFILTER = 12;

interface Chain {
  readonly family: number;
  readonly table: string;
  readonly name: string;
}

/** Base chains on the forward hook whose policy is to drop. */
async function droppingChains(instance: Instance): Promise<Chain[]> {
  const { runner } = instance;
  const { transaction, answers } = await runner.begin({
    namespaces: [instance.host],
    protocol: NETLINK_NETFILTER,
    queries: [{ netns: 0, message: encode(dumpChains).bytes }],
  });
  if (transaction !== undefined) await runner.end(transaction);
  const [answer] = answers;
  if (answer === undefined || answer.errno !== 0) return [];
  return decodeReplies(nftChain, answer.replies).flatMap(({ header, attributes: a }) =>
    a.hook?.hooknum === nfHooks.NF_INET_FORWARD && a.policy === nfVerdicts.NF_DROP
      ? [{ family: header.nfgen_family, table: a.table ?? "", name: a.name ?? "" }]
      : [],
  );
}

/**
 * Docker turns bridge netfilter on and sets the policy of FORWARD to DROP: then packets between two ports of any bridge
 * of the host vanish, while links, addresses and ARP all look right. Told here, and never changed by us.
 */
export async function blackholes(instance: Instance): Promise<Finding[]> {
  const chains = await droppingChains(instance);
  const findings: Finding[] = [];
  for (const [key, tool, families, legacyTables] of [
    ["bridge-nf-call-iptables", "iptables", [nfproto.NFPROTO_IPV4, nfproto.NFPROTO_INET], "/proc/net/ip_tables_names"],
    [
      "bridge-nf-call-ip6tables",
      "ip6tables",
      [nfproto.NFPROTO_IPV6, nfproto.NFPROTO_INET],
      "/proc/net/ip6_tables_names",
    ],
  ] as const) {
    const path = `/proc/sys/net/bridge/${key}`;
    const id = `bridge-netfilter-${tool}`;
    if (!existsSync(path) || (await instance.runner.readSysctl(instance.host, path)).trim() === "0") {
      findings.push({ id, level: "ok", what: `bridged packets do not pass through ${tool}` });
      continue;
    }
    const drop = chains.find((chain) => (families as readonly number[]).includes(chain.family));
    if (drop !== undefined) {
      findings.push({
        id,
        level: "problem",
        what: `net.bridge.${key} is 1 and the policy of chain ${drop.name} (table ${drop.table}) is to drop: guests on one bridge cannot reach each other`,
        remedy: `sysctl -w net.bridge.${key}=0, or let that bridge through: ${tool} -I FORWARD -i BRIDGE -o BRIDGE -j ACCEPT`,
      });
    } else if (existsSync(legacyTables) && readFileSync(legacyTables, "utf8").includes("filter")) {
      findings.push({
        id,
        level: "warning",
        what: `net.bridge.${key} is 1, and legacy ${tool} is in use, whose rules are not looked at here`,
        remedy: `see whether ${tool}-legacy -S FORWARD drops; if so, sysctl -w net.bridge.${key}=0`,
      });
    } else {
      findings.push({
        id,
        level: "ok",
        what: `bridged packets pass through ${tool}, and no forward chain drops by policy`,
      });
    }
  }
  return findings;
}
