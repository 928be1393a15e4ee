import { Command, CommanderError, Option } from "commander";
import type { AttachRequest, LinkMode, LinkType } from "../plan/request.js";
import { parseLevel } from "../plan/wait-level.js";
import { invalid, type PipeworkError } from "../values/error.js";
import { suggest } from "../values/suggest.js";
import { helpText } from "./help.js";
import type { Invocation } from "./invocation.js";
import { notYet } from "./later.js";
import { addBridge } from "./verb-bridge.js";
import { isGuestCommand, isLaterVerb, isVerb, verbs } from "./verb-names.js";
import { all, type CommonValues, collect, common, outputOf, timeoutOf, whole } from "./verb-option.js";

interface AttachValues extends CommonValues {
  to?: string;
  type?: string;
  mode?: string;
  ifname?: string;
  hostIfname?: string;
  address?: string[];
  gateway?: string[];
  route?: string[];
  metric?: string;
  mac?: string;
  source?: string[];
  vlan?: string;
  uplink?: string;
  mtu?: string;
  queues?: string;
  dhcp?: boolean;
  directPhys?: boolean;
  force?: boolean;
  hostAccess?: boolean;
  ovsdb?: string;
  datapathType?: string;
  announce: boolean;
  replace?: boolean;
}

interface DetachValues extends CommonValues {
  ifname?: string;
  all?: boolean;
}

interface WaitValues extends CommonValues {
  ifname?: string;
}

function attachRequest(guest: string, values: AttachValues): AttachRequest {
  if (values.ovsdb !== undefined || values.datapathType !== undefined)
    throw notYet("Open vSwitch", "leave --ovsdb and --datapath-type out");
  // A dummy interface hangs on nothing.
  const to = values.to ?? (values.type === "dummy" ? "dummy" : undefined);
  if (to === undefined) {
    throw invalid(
      `attach ${guest}: the host interface is missing`,
      "add --to IF: a bridge such as br1, or the Ethernet interface that a macvlan is made on",
    );
  }
  for (const address of values.address ?? []) {
    if (address.includes("@"))
      throw invalid(
        `--address ${address}: the part behind the @ has its own option here`,
        `write --address ${address.split("@")[0]} --gateway ${address.split("@")[1]}`,
      );
  }
  const { ifname, hostIfname, address, gateway, route, mac, vlan, uplink } = values;
  return {
    guest,
    to,
    // Checked with the request: an unknown type or mode is refused there by name.
    ...(values.type === undefined ? {} : { type: values.type as LinkType }),
    ...(values.mode === undefined ? {} : { mode: values.mode as LinkMode }),
    ...(ifname === undefined ? {} : { ifname }),
    ...(hostIfname === undefined ? {} : { hostIfname }),
    ...(address === undefined ? {} : { addresses: address }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(route === undefined ? {} : { routes: route }),
    ...(values.metric === undefined ? {} : { metric: whole("--metric", values.metric) }),
    ...(mac === undefined ? {} : { mac }),
    ...(values.source === undefined ? {} : { sources: values.source }),
    ...(vlan === undefined ? {} : { vlan: /^[1-9]\d{0,3}$/.test(vlan) ? Number(vlan) : vlan }),
    ...(uplink === undefined ? {} : { uplink }),
    ...(values.mtu === undefined ? {} : { mtu: whole("--mtu", values.mtu) }),
    ...(values.queues === undefined ? {} : { queues: whole("--queues", values.queues) }),
    ...(values.dhcp === undefined ? {} : { dhcp: true }),
    ...(values.directPhys === undefined ? {} : { directPhys: true }),
    ...(values.force === undefined ? {} : { force: true }),
    ...(values.hostAccess === undefined ? {} : { hostAccess: true }),
    ...(values.announce ? {} : { announce: false }),
    ...(values.replace === undefined ? {} : { replace: true }),
    ...timeoutOf(values),
  };
}

const guestText =
  "a container's name, id or unique beginning of its id; or docker:X, podman:X, lxc:X, pid:N, netns:NAME, netns:/path";

function addAttach(program: Command, found: (invocation: Invocation) => void): void {
  const attach = program
    .command("attach")
    .description("Attach a guest to a bridge or to an Ethernet interface: all or nothing. Repeating it is success.")
    .argument("<guest>", guestText)
    .option(
      "--to <interface>",
      "a bridge (made when it is missing and named br*), or an Ethernet interface; mac:<mac>, pci:<address>",
    )
    .option(
      "--type <type>",
      "bridge, macvlan, ipvlan, vlan, dummy, ipoib or phys (default: what the host interface is for)",
    )
    .option("--mode <mode>", "bridge, private, vepa, passthru or source of a macvlan; l2, l3 or l3s of an ipvlan")
    .option("-i, --ifname <name>", "interface name inside the guest (default: eth1)")
    .option("--host-ifname <name>", "name of the host end of a bridge's link")
    .option("--address <addr/len>", "IPv4 or IPv6; may be repeated; none when left out", collect)
    .option("--gateway <address>", "replaces the default route of its family; once per family", collect)
    .option("--route <route>", '"10.0.0.0/8 via 192.168.1.1", or "10.0.0.0/8" on the link; may be repeated', collect)
    .option("--metric <number>", "metric of the default route")
    .option("--mac <mac>", "xx:xx:xx:xx:xx:xx, or U:text for one derived from the text")
    .option("--source <mac>", "a MAC that a macvlan of mode source listens to; may be repeated", collect)
    .option("--vlan <id>", "a VLAN of the Ethernet interface, 1 to 4094; on InfiniBand a partition key such as 0x8001")
    .option("--uplink <interface>", "with --vlan: the bridge is over that VLAN of this interface")
    .option("--mtu <bytes>", "default: that of the bridge or the parent")
    .option("--queues <number>", "queues per end of a bridge's link (default: 1)")
    .option("--replace", "replace an interface of that name that has another configuration")
    .option("--host-access", "let the host reach a macvlan, by one of the host's own")
    .option("--direct-phys", "the host interface itself moves into the guest, until it is detached")
    .option("--force", "do what is refused for being dangerous; the refusal says why")
    .option("--no-announce", "do not tell the neighbours");
  // Known words that this version refuses: not in the help, and no "unknown option".
  attach
    .addOption(new Option("--dhcp").hideHelp())
    .addOption(new Option("--ovsdb <remote>").hideHelp())
    .addOption(new Option("--datapath-type <type>").hideHelp());
  common(attach, all)
    .addHelpText(
      "after",
      `
Examples:
  pipework attach web1 --to br1 --address 192.168.1.2/24 --gateway 192.168.1.1
  pipework attach web1 --to br1 -i eth2 --address 10.0.0.2/24 --address fd00::2/64 --no-announce
  pipework attach web1 --to eth0 --address 10.1.1.7/24 --mac U:web1
  pipework attach web1 --to eth0 --vlan 10 --address 10.0.10.7/24
  pipework attach netns:blue --to br1 --address 10.0.0.3/24 --route "10.9.0.0/16 via 10.0.0.1" --dry-run`,
    )
    .action((guest: string, values: AttachValues) => {
      found({ kind: "attach", request: attachRequest(guest, values), output: outputOf(values), warnings: [] });
    });
}

function addDetach(program: Command, found: (invocation: Invocation) => void): void {
  const detach = program
    .command("detach")
    .description("Take an interface back out of a guest; what it displaced returns. Success when it is gone already.")
    .argument("<guest>", guestText)
    .option("-i, --ifname <name>", "interface name inside the guest (default: eth1)")
    .option("--all", "every interface that pipework put into this guest");
  common(detach, all)
    .addHelpText(
      "after",
      "\nExamples:\n  pipework detach web1\n  pipework detach web1 -i eth2\n  pipework detach netns:blue --all --dry-run",
    )
    .action((guest: string, values: DetachValues) => {
      const { ifname, all: every } = values;
      if (ifname !== undefined && every === true)
        throw invalid(`detach ${guest}: both -i ${ifname} and --all are given`, "give one of them");
      const request = {
        guest,
        ...(ifname === undefined ? {} : { ifname }),
        ...(every === true ? { all: true } : {}),
        ...timeoutOf(values),
      };
      found({ kind: "detach", request, output: outputOf(values) });
    });
}

function addWait(program: Command, found: (invocation: Invocation) => void): void {
  const wait = program
    .command("wait")
    .description("Wait until an interface of a guest is there and up; the guest may be one that is not started yet.")
    .argument("<guest>", guestText)
    .argument(
      "[level]",
      "exists; up (default): with a carrier, operational state up or unknown; address: one of global scope, checked for " +
        "duplicates; route: a default route through it",
    )
    .option("-i, --ifname <name>", "interface name inside the guest (default: eth1)");
  common(wait, ["quiet", "verbose"])
    .option("--timeout <seconds>", "how long to wait, in all (default: without limit); out of time is exit 1")
    .addHelpText(
      "after",
      `
Examples:
  pipework wait web1
  pipework wait web1 address --timeout 10
  pipework wait netns:blue -i lan0 route`,
    )
    .action((guest: string, level: string | undefined, values: WaitValues) => {
      const { ifname } = values;
      const request = {
        guest,
        ...(ifname === undefined ? {} : { ifname }),
        ...(level === undefined ? {} : { level: parseLevel(level) }),
        ...timeoutOf(values),
      };
      found({ kind: "wait", request, output: outputOf(values) });
    });
}

function addReports(program: Command, found: (invocation: Invocation) => void): void {
  common(
    program.command("list").description("What is attached: of all guests, or of one.").argument("[guest]", guestText),
    ["quiet", "verbose"],
  )
    .addHelpText("after", "\nExamples:\n  pipework list\n  pipework list web1 --json")
    .action((guest: string | undefined, values: CommonValues) => {
      found({ kind: "list", ...(guest === undefined ? {} : { guest }), output: outputOf(values) });
    });
  common(
    program
      .command("doctor")
      .description("What on this machine stands in the way, each with its remedy. Exit 1 when there is a problem."),
    [],
  )
    .addHelpText("after", "\nExample:\n  pipework doctor --json")
    .action((values: CommonValues) => found({ kind: "doctor", output: outputOf(values) }));
  program
    .command("demo")
    .description(
      "Wire two throw-away namespaces (or two containers, where a Docker engine runs) over a bridge, and ping.",
    )
    .action(() => found({ kind: "demo" }));
}

/** Commander's refusal in our form: one sentence, and its suggestion as the hint. */
function refusalOf(error: CommanderError, verb: string): PipeworkError {
  const [sentence = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const meant = /^\((?:Did|did) you mean (?:one of )?(.+?)\?\)$/.exec(suggestion ?? "")?.[1];
  return invalid(
    `${verb}: ${sentence.replaceAll("'", '"').replace(/\.$/, "")}`,
    meant === undefined ? `pipework ${verb} --help lists what is possible` : `did you mean ${meant}?`,
  );
}

/** Reads the form with verbs; the first word is one. Throws PipeworkError "invalid-request" or "unsupported". */
export function parseVerb(words: readonly string[]): Invocation {
  const [verb = "help", second] = words;
  const wanted = verb === "help" ? second : verb;
  if (wanted === undefined || wanted === "help" || wanted.startsWith("-")) return { kind: "help", text: helpText };
  if (isLaterVerb(wanted) || isGuestCommand(wanted))
    throw notYet(`pipework ${wanted}`, "pipework --help lists what is");
  if (!isVerb(wanted)) {
    const near = suggest(wanted, verbs);
    throw invalid(
      `there is no command ${JSON.stringify(wanted)}`,
      near === undefined ? "pipework --help lists them" : `did you mean ${near}?`,
    );
  }
  let invocation: Invocation | undefined;
  let help = "";
  const program = new Command("pipework").exitOverride().configureOutput({
    writeOut: (text) => {
      help += text;
    },
    writeErr: () => {},
  });
  const found = (one: Invocation) => {
    invocation = one;
  };
  addAttach(program, found);
  addDetach(program, found);
  addWait(program, found);
  addBridge(program, found);
  addReports(program, found);
  try {
    program.parse(verb === "help" ? [wanted, "--help"] : words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "help", text: help };
    throw refusalOf(error, verb);
  }
  // No action ran and nothing was refused: only help does that.
  return invocation ?? { kind: "help", text: helpText };
}
