import { existsSync, readFileSync } from "node:fs";
import type { Instance } from "../instance.js";
import { linksFrom } from "../kernel/observe.js";
import { Transaction } from "../kernel/transaction.js";
import { list } from "../list.js";
import { isMark } from "../plan/context.js";
import { dumpLinks } from "../plan/link-message.js";
import type { LinkView } from "../plan/view.js";
import { PipeworkError } from "../values/error.js";
import { blackholes } from "./blackhole.js";
import type { Finding } from "./finding.js";
import { kindFindings } from "./kinds.js";

/** Bits of the effective capabilities, linux/capability.h. */
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

function privileges(): Finding {
  const effective = BigInt(
    `0x${/^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/thread-self/status", "utf8"))?.[1] ?? "0"}`,
  );
  const missing = [
    [CAP_NET_ADMIN, "CAP_NET_ADMIN"],
    [CAP_SYS_ADMIN, "CAP_SYS_ADMIN"],
  ].filter(([bit]) => (effective & (1n << (bit as bigint))) === 0n);
  if (missing.length === 0) return { id: "privileges", level: "ok", what: "CAP_NET_ADMIN and CAP_SYS_ADMIN are there" };
  return {
    id: "privileges",
    level: "problem",
    what: `${missing.map(([, name]) => name).join(" and ")} missing: no namespace can be entered and no interface made`,
    remedy: "run pipework as root",
  };
}

function addon(instance: Instance): Finding {
  try {
    instance.kernel.addon;
    return { id: "addon", level: "ok", what: "the native addon loads" };
  } catch (error) {
    const { message, hint } = error as PipeworkError;
    return { id: "addon", level: "problem", what: message, remedy: hint ?? "build it: npm run build:native" };
  }
}

async function engine(instance: Instance): Promise<Finding> {
  const { docker } = instance;
  try {
    const version = await docker.version({ timeoutMs: 3000 });
    return {
      id: "engine",
      level: "ok",
      what: `a container engine answers at ${docker.address.text} (version ${version.version}, API ${version.apiVersion})`,
    };
  } catch (error) {
    if (!(error instanceof PipeworkError)) throw error;
    return {
      id: "engine",
      level: "warning",
      what: error.message,
      remedy: `${error.hint ?? "start the engine, or point DOCKER_HOST at it"}; guests given as pid: and netns: need none`,
    };
  }
}

/** Node 20 parses the whole bundle before it runs anything: 33 ms for each command here. Later versions do not. */
function extraCerts(): Finding[] {
  const major = Number(process.versions.node.split(".")[0]);
  if (process.env["NODE_EXTRA_CA_CERTS"] === undefined || major > 20) return [];
  return [
    {
      id: "node-extra-ca-certs",
      level: "warning",
      what: "NODE_EXTRA_CA_CERTS is set: Node 20 parses that bundle at every start, which doubles the time of a command",
      remedy: "unset it for pipework (sudo drops it by itself), or use Node 22 or later",
    },
  ];
}

function halfBuilt(links: readonly LinkView[]): Finding {
  const left = links.filter((link) => isMark(link.group));
  if (left.length === 0) return { id: "half-built", level: "ok", what: "no link is left half built" };
  return {
    id: "half-built",
    level: "warning",
    what: `left half built by a killed run: ${left.map((link) => link.name).join(", ")}`,
    remedy: `repeat the command that was killed, which finishes it, or remove it: ${left.map((link) => `ip link del ${link.name}`).join("; ")}`,
  };
}

async function leftovers(instance: Instance): Promise<Finding> {
  const gone = (await list(instance)).filter((one) => one.state === "gone");
  if (gone.length === 0) return { id: "leftovers", level: "ok", what: "every attachment has its guest" };
  return {
    id: "leftovers",
    level: "warning",
    what: `attachments whose guest is gone: ${gone.map((one) => `${one.ifname} of ${one.guestId}${one.hostIfname === undefined ? "" : ` (host end ${one.hostIfname})`}`).join(", ")}`,
    remedy: gone.some((one) => one.hostIfname !== undefined)
      ? "something still holds the namespace (look in `lsns -t net`); when it lets go the kernel removes the host ends"
      : `only records in ${instance.recordDir}; they are replaced when the guest is attached again, and may be deleted`,
  };
}

/** One figure for the whole machine, which the kernel shows in the initial namespace only. */
const BACKLOG = "/proc/sys/net/core/netdev_max_backlog";

/** Above this many ports a broadcast overruns the backlog of one CPU and the copies for some ports are lost. */
function crowded(links: readonly LinkView[]): Finding[] {
  if (!existsSync(BACKLOG)) return [];
  const backlog = Number(readFileSync(BACKLOG, "utf8"));
  return links.flatMap((bridge) => {
    if (bridge.kind !== "bridge") return [];
    const ports = links.filter((link) => link.master === bridge.index).length;
    if (ports <= backlog) return [];
    return [
      {
        id: "crowded-bridge",
        level: "warning" as const,
        what: `${bridge.name} has ${ports} ports, and net.core.netdev_max_backlog is ${backlog}: broadcasts do not reach all of them`,
        remedy: `sysctl -w net.core.netdev_max_backlog=${2 ** Math.ceil(Math.log2(ports + 1))}`,
      },
    ];
  });
}

/** Looks at everything that keeps attachments from working. Changes nothing: link kinds are tried in a throw-away namespace. */
export async function doctor(instance: Instance): Promise<Finding[]> {
  const first = [privileges(), addon(instance)];
  if (first.some((finding) => finding.level === "problem")) return [...first, await engine(instance), ...extraCerts()];
  const { transaction, answers } = await Transaction.begin(
    instance.runner,
    [instance.host],
    [{ netns: "host", message: dumpLinks() }],
    undefined,
  );
  await transaction.end();
  const links = linksFrom(answers[0], "the host's links");
  return [
    ...first,
    ...(await kindFindings(instance)),
    await engine(instance),
    ...(await blackholes(instance)),
    ...extraCerts(),
    halfBuilt(links),
    await leftovers(instance),
    ...crowded(links),
  ];
}
