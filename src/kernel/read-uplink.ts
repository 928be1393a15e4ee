import { readFileSync } from "node:fs";
import { address } from "../netlink/address.js";
import { AF_INET, AF_INET6 } from "../netlink/family.js";
import { decodeReplies, NLMSG_HDRLEN } from "../netlink/message.js";
import { neighbour } from "../netlink/neighbour.js";
import { route, rtmsg } from "../netlink/route.js";
import { rule } from "../netlink/rule.js";
import { dumpAddresses } from "../plan/address-message.js";
import { dumpNeighbours, isByHand } from "../plan/handover-neighbour.js";
import { linksOf, placeOf } from "../plan/handover-route.js";
import { dumpLinks } from "../plan/link-message.js";
import { dumpRoutesThrough } from "../plan/route-message.js";
import { dumpRules } from "../plan/rule-message.js";
import { parseUplinkRecord, type UplinkRecord, uplinkRecordName } from "../plan/uplink-record.js";
import { type SettingFamily, settingKey, settingNames } from "../plan/uplink-setting.js";
import {
  type KernelAddress,
  type KernelNeighbour,
  type KernelRoute,
  linkOf,
  type UplinkView,
} from "../plan/uplink-view.js";
import { linksFrom, replies } from "./observe.js";
import type { Answer, Ask, Transaction } from "./transaction.js";

const FAMILIES = [AF_INET, AF_INET6];
/** A family that the kernel was built without has none of it. */
const NONE = ["EAFNOSUPPORT", "EOPNOTSUPP", "ENOENT"];

/** Where rtm_dst_len lies in a route message. */
const RTM_DST_LEN = NLMSG_HDRLEN + rtmsg.fields.dstLen[0];

/** Reads a value below /proc/sys/net inside the host's namespace; undefined where there is none. */
export type ReadSetting = (key: string) => Promise<string | undefined>;

export interface UplinkReads {
  readonly bridge: string;
  /** The port as it is named now; absent for a release, whose record names it. */
  readonly port: (view: Pick<UplinkView, "links">) => string | undefined;
  readonly recordDir: string;
  readonly readSetting: ReadSetting;
  /** Whether the host side is this machine's own namespace, which programs of the machine look after. */
  readonly ownMachine: boolean;
}

function host(message: Ask["message"], keep?: Ask["keep"]): Ask {
  return { netns: "host", message, ...(keep === undefined ? {} : { keep }) };
}

function routesIn(answer: Answer | undefined): KernelRoute[] {
  return decodeReplies(route, replies(answer, "the host's routes", NONE) ?? new Uint8Array());
}

/**
 * The routes through these links, and all others that have the same place as one of them. The tables may hold a million
 * more; of those only the ones of the same prefix lengths leave the kernel's door.
 */
async function routesOf(transaction: Transaction, indexes: readonly number[]): Promise<KernelRoute[]> {
  if (indexes.length === 0) return [];
  const through = await transaction.ask(
    FAMILIES.flatMap((family) => indexes.map((index) => host(dumpRoutesThrough(family, index)))),
  );
  const own = through.flatMap(routesIn).filter((one) => linksOf(one).some((index) => indexes.includes(index)));
  const places = new Set(own.map(placeOf));
  const lengths = (family: number) => [
    ...new Set(own.filter((one) => one.header.family === family).map((one) => one.header.dstLen)),
  ];
  const all = await transaction.ask(
    FAMILIES.map((family) =>
      host(dumpRoutesThrough(family), { offset: RTM_DST_LEN, value: Uint8Array.from(lengths(family)) }),
    ),
  );
  return all.flatMap(routesIn).filter((one) => places.has(placeOf(one)));
}

async function addressesOf(transaction: Transaction, indexes: readonly number[]): Promise<KernelAddress[]> {
  const answers = await transaction.ask(indexes.map((index) => host(dumpAddresses(index))));
  return answers
    .flatMap((answer) => decodeReplies(address, replies(answer, "the host's addresses") ?? new Uint8Array()))
    .filter(({ header }) => indexes.includes(header.index) && FAMILIES.includes(header.family));
}

async function neighboursOf(transaction: Transaction, indexes: readonly number[]): Promise<KernelNeighbour[]> {
  const asks = indexes.flatMap((index) =>
    FAMILIES.flatMap((family) => [false, true].map((proxy) => host(dumpNeighbours(index, family, proxy)))),
  );
  const answers = await transaction.ask(asks);
  return answers
    .flatMap((answer) => decodeReplies(neighbour, replies(answer, "the host's neighbours", NONE) ?? new Uint8Array()))
    .filter((one) => indexes.includes(one.header.ifindex) && isByHand(one));
}

/** What the bridge has otherwise than the NIC; one that is to be made has the namespace's defaults. */
async function settingsOf(
  read: ReadSetting,
  port: string | undefined,
  bridge: string,
  there: boolean,
): Promise<Pick<UplinkView, "settings" | "notify">> {
  if (port === undefined) return { settings: [], notify: { ipv4: "0", ipv6: "0" } };
  const wanted = new Map<string, string>();
  const compared = await Promise.all(
    (Object.keys(settingNames) as SettingFamily[]).flatMap((family) =>
      settingNames[family].map(async (name) => {
        const [of, is] = await Promise.all([
          read(settingKey(family, port, name)),
          read(settingKey(family, there ? bridge : "default", name)),
        ]);
        if (of !== undefined) wanted.set(name, of);
        if (of === undefined || is === undefined || of === is) return [];
        return [{ key: settingKey(family, bridge, name), is, wanted: of }];
      }),
    ),
  );
  const notify = { ipv4: wanted.get("arp_notify") ?? "0", ipv6: wanted.get("ndisc_notify") ?? "0" };
  return { settings: compared.flat(), notify };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Programs that say in their state files that they configure a link. */
export function managersOf(ifindex: number, run = "/run"): string[] {
  const networkd = textOf(`${run}/systemd/netif/links/${ifindex}`);
  const manager = textOf(`${run}/NetworkManager/devices/${ifindex}`);
  return [
    ...(networkd !== undefined && !/^ADMIN_STATE=unmanaged$/m.test(networkd) ? ["systemd-networkd"] : []),
    ...(manager !== undefined && !/^managed=(false|0)$/m.test(manager) ? ["NetworkManager"] : []),
  ];
}

export function readUplinkRecord(recordDir: string, bridge: string): UplinkRecord | undefined {
  const content = textOf(`${recordDir}/${uplinkRecordName(bridge)}`);
  return content === undefined ? undefined : parseUplinkRecord(content);
}

/** The view of an uplink, from the first answer, which is all links. */
export async function readUplink(
  transaction: Transaction,
  reads: UplinkReads,
  first: Answer | undefined,
): Promise<UplinkView> {
  const links = linksFrom(first, "the host's links");
  const record = readUplinkRecord(reads.recordDir, reads.bridge);
  const bridge = links.find((link) => link.name === reads.bridge);
  const name = reads.port({ links }) ?? record?.uplink;
  const port = name === undefined ? undefined : linkOf({ links }, name);
  const indexes = [port?.index, bridge?.index].filter((index) => index !== undefined);
  const rules = await transaction.ask(FAMILIES.map((family) => host(dumpRules(family))));
  return {
    links,
    addresses: await addressesOf(transaction, indexes),
    routes: await routesOf(transaction, indexes),
    neighbours: await neighboursOf(transaction, indexes),
    rules: rules.flatMap((answer) =>
      decodeReplies(rule, replies(answer, "the host's rules", NONE) ?? new Uint8Array()),
    ),
    ...(await settingsOf(reads.readSetting, port?.name, reads.bridge, bridge !== undefined)),
    ...(record === undefined ? {} : { record }),
    managers: reads.ownMachine && port !== undefined ? managersOf(port.index) : [],
  };
}

/** The question that a view begins with. */
export const uplinkAsks: readonly Ask[] = [host(dumpLinks())];
