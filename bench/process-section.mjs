import { writeScript } from "./stage.mjs";
import { bridge, gateway, wish } from "./wiring.mjs";

/** The shell script's own commands and order: made on the host, moved into the guest, renamed there. */
function scriptOrder(guest, { hostIfname, ifname, mac, mtu, address }) {
  const within = `ip netns exec ${guest.name}`;
  return `#!/bin/sh
set -e
ip link add name ${hostIfname} mtu ${mtu} type veth peer name pg${hostIfname} mtu ${mtu}
ip link set ${hostIfname} master ${bridge}
ip link set ${hostIfname} up
ip link set pg${hostIfname} netns ${guest.name}
${within} ip link set pg${hostIfname} name ${ifname}
${within} ip link set dev ${ifname} address ${mac}
${within} ip -4 addr add ${address} brd + dev ${ifname}
${within} ip -4 route delete default 2>/dev/null || true
${within} ip -4 link set ${ifname} up
${within} ip -4 route get ${gateway} >/dev/null
${within} ip -4 route replace default via ${gateway} dev ${ifname}
`;
}

/** The same result in the best order known for iproute2: born in place, two processes. */
function bestOrder(guest, { hostIfname, ifname, mac, mtu, address }) {
  return `#!/bin/sh
set -e
ip -batch - <<END
link add ${hostIfname} mtu ${mtu} numtxqueues 1 numrxqueues 1 master ${bridge} type veth peer name ${ifname} netns ${guest.name} address ${mac} mtu ${mtu} numtxqueues 1 numrxqueues 1
link set ${hostIfname} up alias pipework:iproute
END
ip -netns ${guest.name} -batch - <<END
address add ${address} brd + dev ${ifname}
link set ${ifname} up
route add default via ${gateway} dev ${ifname}
END
`;
}

/** Whole processes, in turn, each starting the round once: the command line, bare Node, and scripts of `ip` commands. */
export async function processSection({ floor, spawn, record, engine, cli }, guests, { rounds, warmRounds = 1 }) {
  const [forCli, forBest, forScript] = guests;
  const wishes = [300, 301, 302, 303].map(wish);
  const best = writeScript("best-order.sh", bestOrder(forBest, wishes[2]));
  const inScriptOrder = writeScript("script-order.sh", scriptOrder(forScript, wishes[3]));
  const words = ({ address, mac }) => [`${address}@${gateway}`, mac];
  const contestants = [
    { row: "process.node", words: [process.execPath, "-e", "0"] },
    {
      row: "process.cli",
      words: [process.execPath, cli, bridge, "-l", wishes[0].hostIfname, forCli.ref, ...words(wishes[0])],
      link: wishes[0].hostIfname,
    },
    {
      row: "process.cliName",
      words: [
        ...[process.execPath, cli, bridge, "-l", wishes[1].hostIfname],
        ...[engine.containers[0].name, ...words(wishes[1])],
      ],
      link: wishes[1].hostIfname,
    },
    { row: "process.ipBest", words: ["sh", best], link: wishes[2].hostIfname },
    { row: "process.ipScript", words: ["sh", inScriptOrder], link: wishes[3].hostIfname },
  ];
  for (let round = -warmRounds; round < rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const { row, words, link } = contestants[(i + round + warmRounds) % contestants.length];
      const us = await spawn.run(...words);
      if (round >= 0) record.add(row, us);
      if (link) await floor.detach(link);
    }
  }
}
