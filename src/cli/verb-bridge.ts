import { type Command, Option } from "commander";
import type { BridgeRequest } from "../plan/bridge-request.js";
import { invalid } from "../values/error.js";
import type { Invocation } from "./invocation.js";
import { all, type CommonValues, collect, common, outputOf, timeoutOf, whole } from "./verb-option.js";

interface BridgeValues extends CommonValues {
  uplink?: string;
  vlan?: string;
  force?: boolean;
  release?: boolean;
  vxlan?: string;
  remote?: string[];
  local?: string;
  port?: string;
  dev?: string;
}

function vxlanOf(name: string, { vxlan, remote, local, port, dev }: BridgeValues): Pick<BridgeRequest, "vxlan"> {
  if (vxlan === undefined) {
    const stray = Object.entries({ "--remote": remote, "--local": local, "--port": port, "--dev": dev }).find(
      ([, value]) => value !== undefined,
    );
    if (stray !== undefined) throw invalid(`bridge ${name}: ${stray[0]} is part of a VXLAN`, "say --vxlan ID as well");
    return {};
  }
  return {
    vxlan: {
      id: whole("--vxlan", vxlan),
      remotes: remote ?? [],
      ...(local === undefined ? {} : { local }),
      ...(port === undefined ? {} : { port: whole("--port", port) }),
      ...(dev === undefined ? {} : { dev }),
    },
  };
}

export function addBridge(program: Command, found: (invocation: Invocation) => void): void {
  const bridge = program
    .command("bridge")
    .description(
      "Give a bridge an uplink, made when it is missing: a NIC, whose addresses and routes it takes over while packets flow. All or nothing; repeating it is success.",
    )
    .argument("<bridge>", "the bridge, such as br0")
    .option("--uplink <interface>", "Ethernet interface that becomes a port of the bridge")
    .option("--vlan <id>", "a VLAN of that interface in its stead")
    .option("--force", "hand over addresses that a DHCP client or a router looks after, too")
    // Known words that this version refuses: not in the help, and no "unknown option".
    .addOption(new Option("--vxlan <id>").hideHelp())
    .addOption(new Option("--remote <address>").argParser(collect).hideHelp())
    .addOption(new Option("--local <address>").hideHelp())
    .addOption(new Option("--port <number>").hideHelp())
    .addOption(new Option("--dev <interface>").hideHelp())
    .option("--release", "take the uplink back: addresses and routes return, the bridge goes when nobody needs it");
  common(bridge, all)
    .addHelpText(
      "after",
      `
Examples:
  pipework bridge br0 --uplink eth1 --dry-run
  pipework bridge br0 --uplink eth1
  pipework bridge br0 --release`,
    )
    .action((name: string, values: BridgeValues) => {
      const { uplink, vlan, force, release } = values;
      const request: BridgeRequest = {
        name,
        ...(uplink === undefined ? {} : { uplink }),
        ...(vlan === undefined ? {} : { vlan }),
        ...(force === undefined ? {} : { force }),
        ...(release === undefined ? {} : { release }),
        ...vxlanOf(name, values),
        ...timeoutOf(values),
      };
      found({ kind: "bridge", request, output: outputOf(values) });
    });
}
