import { invalid } from "../values/error.js";
import { parseIfname } from "../values/ifname.js";
import { familyOf, ipBytes, parseIp } from "../values/ipaddress.js";
import { suggest } from "../values/suggest.js";
import { parseVlan } from "../values/vlan.js";
import type { BridgeRequest, VxlanRequest } from "./bridge-request.js";
import { checkTimeout } from "./wish.js";

export interface UplinkWish {
  readonly kind: "uplink";
  readonly name: string;
  readonly uplink: string;
  readonly vlan?: number;
  readonly force: boolean;
}

export interface VxlanWish {
  readonly kind: "vxlan";
  readonly name: string;
  readonly id: number;
  readonly remotes: readonly string[];
  readonly local?: string;
  readonly port: number;
  readonly dev?: string;
}

export interface ReleaseWish {
  readonly kind: "release";
  readonly name: string;
  readonly force: boolean;
}

/** A request, parsed once. */
export type BridgeWish = UplinkWish | VxlanWish | ReleaseWish;

const fields = [
  "name",
  "uplink",
  "vlan",
  "vxlan",
  "release",
  "force",
  "signal",
  "timeoutMs",
] as const satisfies (keyof BridgeRequest)[];
const vxlanFields = ["id", "remotes", "local", "port", "dev"] as const satisfies (keyof VxlanRequest)[];

/** The port that RFC 7348 has for it; the kernel's own default is the older 8472. */
const VXLAN_PORT = 4789;
/** The id has 24 bits (RFC 7348). */
const VXLAN_ID_MAX = 0xff_ffff;

function refuseUnknown(given: object, known: readonly string[], what: string): void {
  for (const field of Object.keys(given)) {
    if (known.includes(field)) continue;
    const near = suggest(field, known);
    throw invalid(
      `${what} has no field ${JSON.stringify(field)}`,
      near === undefined ? `it has ${known.join(", ")}` : `did you mean ${near}?`,
    );
  }
}

function number(value: unknown, what: string, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw invalid(`${what} ${JSON.stringify(value)} is not a whole number from 1 to ${max}`);
}

/** An address of a host, not of a group of them. */
function hostAddress(text: unknown, what: string): string {
  if (typeof text !== "string") throw invalid(`${what} is an address, not ${JSON.stringify(text)}`);
  const address = parseIp(text);
  const [first = 0] = ipBytes(address);
  const group = familyOf(address) === "inet" ? first >= 224 && first < 240 : first === 0xff;
  if (group)
    throw invalid(
      `${what} ${address} is a multicast address`,
      "name the other hosts one by one: --remote may be repeated",
    );
  if (address === "0.0.0.0" || address === "::") throw invalid(`${what} ${address} is no host's address`);
  return address;
}

function vxlanWish(name: string, vxlan: VxlanRequest): VxlanWish {
  if (typeof vxlan !== "object" || vxlan === null)
    throw invalid(`vxlan of a request is an object, not ${JSON.stringify(vxlan)}`, "such as { id: 7, remotes: [...] }");
  refuseUnknown(vxlan, vxlanFields, "vxlan of a request");
  const id = number(vxlan.id, "the VXLAN id", VXLAN_ID_MAX);
  if (!Array.isArray(vxlan.remotes) || vxlan.remotes.length === 0)
    throw invalid(`VXLAN ${id} leads nowhere`, "say --remote ADDRESS for each of the other hosts");
  const remotes = [...new Set(vxlan.remotes.map((one) => hostAddress(one, "the remote")))];
  const local = vxlan.local === undefined ? undefined : hostAddress(vxlan.local, "the local address");
  const all = local === undefined ? remotes : [...remotes, local];
  const family = familyOf(remotes[0] as string);
  const other = all.find((one) => familyOf(one) !== family);
  if (other !== undefined)
    throw invalid(
      `${remotes[0]} and ${other} are of different families, and a VXLAN link is of one`,
      "give IPv4 or IPv6 addresses throughout",
    );
  if (local !== undefined && remotes.includes(local))
    throw invalid(`${local} is both our own address and a remote one`, "leave it out of the remotes");
  return {
    kind: "vxlan",
    name,
    id,
    remotes,
    ...(local === undefined ? {} : { local }),
    port: vxlan.port === undefined ? VXLAN_PORT : number(vxlan.port, "the UDP port", 65_535),
    ...(vxlan.dev === undefined ? {} : { dev: parseIfname(vxlan.dev, "interface") }),
  };
}

/** Checks a whole request before anything is touched. Throws PipeworkError "invalid-request". */
export function parseBridgeWish(request: BridgeRequest): BridgeWish {
  refuseUnknown(request, fields, "a request for a bridge");
  checkTimeout(request.timeoutMs);
  if (typeof request.name !== "string") throw invalid("the request needs the name of a bridge");
  const name = parseIfname(request.name, "bridge name");
  const { uplink, vlan, vxlan, release, force } = request;
  const asked = [uplink !== undefined, vxlan !== undefined, release === true].filter(Boolean).length;
  if (asked !== 1) {
    throw invalid(
      asked === 0
        ? `bridge ${name}: nothing is said about what to do with it`
        : `bridge ${name}: one thing at a time, and more are asked for`,
      "say --uplink IF, --vxlan ID --remote ADDRESS, or --release",
    );
  }
  if (vlan !== undefined && uplink === undefined)
    throw invalid(`bridge ${name}: a VLAN is one of an uplink`, "say --uplink IF");
  if (force !== undefined && vxlan !== undefined)
    throw invalid(`bridge ${name}: there is nothing to force about a VXLAN`, "leave --force out");
  if (release === true) return { kind: "release", name, force: force === true };
  if (vxlan !== undefined) return vxlanWish(name, vxlan);
  const nic = parseIfname(uplink as string, "uplink");
  if (nic === name) throw invalid(`${name} cannot be its own uplink`, "name the bridge otherwise, such as br0");
  return {
    kind: "uplink",
    name,
    uplink: nic,
    ...(vlan === undefined ? {} : { vlan: parseVlan(String(vlan)) }),
    force: force === true,
  };
}
