import { address, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR } from "../netlink/address.js";
import { link, RTNLGRP_LINK } from "../netlink/link.js";
import { decodeReplies, NLMSG_HDRLEN } from "../netlink/message.js";
import { hopLinks } from "../netlink/nexthops.js";
import { RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, route, rtmsg, rtnType, rtScope, rtTable } from "../netlink/route.js";
import { dumpAddresses } from "../plan/address-message.js";
import { getLinkByName } from "../plan/link-message.js";
import type { WaitLevel } from "../plan/request.js";
import { dumpRoutes } from "../plan/route-message.js";
import type { HeldAddress, Readiness } from "../plan/wait.js";
import type { NativeNetns, NativeRunner, NativeWatch, NativeWatchOptions } from "./native.js";
import { linkFrom, replies } from "./observe.js";
import { type Answer, type Ask, fromNative, nativeQueries } from "./transaction.js";

/** By what the end of a guest is known; see NativeWatchOptions. */
export interface GuestLife {
  readonly pid?: number;
  readonly path?: string;
}

/** Of a route message: rtm_dst_len, which is 0 for default routes. A guest may have a million others. */
const isDefault = { offset: NLMSG_HDRLEN + rtmsg.fields.dstLen[0], value: Uint8Array.of(0) };

/** The multicast groups and notices that tell of what a level depends on. */
function subscription(level: WaitLevel): Pick<NativeWatchOptions, "groups" | "notable"> {
  const groups = [RTNLGRP_LINK];
  const notable: NativeWatchOptions["notable"] = [{ type: link.types.RTM_NEWLINK }, { type: link.types.RTM_DELLINK }];
  if (level === "address") {
    groups.push(RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR);
    notable.push({ type: address.types.RTM_NEWADDR }, { type: address.types.RTM_DELADDR });
  }
  if (level === "route") {
    groups.push(RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE);
    notable.push(
      { type: route.types.RTM_NEWROUTE, keep: isDefault },
      { type: route.types.RTM_DELROUTE, keep: isDefault },
    );
  }
  return { groups, notable };
}

function questions(ifname: string, level: WaitLevel): Ask[] {
  const ask = (message: Ask["message"], keep?: Ask["keep"]): Ask => ({
    netns: "host",
    message,
    ...(keep === undefined ? {} : { keep }),
  });
  if (level === "address") return [ask(getLinkByName(ifname)), ask(dumpAddresses())];
  if (level === "route") {
    return [ask(getLinkByName(ifname)), ask(dumpRoutes("inet"), isDefault), ask(dumpRoutes("inet6"), isDefault)];
  }
  return [ask(getLinkByName(ifname))];
}

function heldAddresses(answer: Answer | undefined, index: number): HeldAddress[] {
  const bytes = replies(answer, "the addresses");
  if (bytes === undefined) return [];
  return decodeReplies(address, bytes).flatMap(({ header, attributes }) => {
    const text = attributes.local ?? attributes.address;
    if (header.index !== index || header.scope !== rtScope.RT_SCOPE_UNIVERSE || text === undefined) return [];
    // The flags that matter are among the low eight, which every kernel has in the header.
    return [{ address: text, prefixlen: header.prefixlen, flags: header.flags }];
  });
}

/** Whether a default route of the main table leads through the link, alone or among others. */
function hasDefaultRoute(answer: Answer | undefined, index: number): boolean {
  // A family that the kernel lacks has none.
  const bytes = replies(answer, "the routes", ["EAFNOSUPPORT", "EOPNOTSUPP", "ENOENT"]);
  if (bytes === undefined) return false;
  return decodeReplies(route, bytes).some(
    ({ header, attributes: { oif, multipath, table } }) =>
      header.dstLen === 0 &&
      header.type === rtnType.RTN_UNICAST &&
      (table ?? header.table) === rtTable.RT_TABLE_MAIN &&
      (oif === index || (multipath !== undefined && hopLinks(multipath).includes(index))),
  );
}

function readinessFrom(answers: readonly Answer[], ifname: string, level: WaitLevel): Readiness {
  const found = linkFrom(answers[0], ifname);
  if (found === undefined) return { addresses: [], defaultRoute: false };
  return {
    link: found,
    addresses: level === "address" ? heldAddresses(answers[1], found.index) : [],
    defaultRoute: level === "route" && [answers[1], answers[2]].some((one) => hasDefaultRoute(one, found.index)),
  };
}

/**
 * An interface that is waited for, from inside its namespace or from outside. Subscribed before it is first looked at, so
 * that nothing is missed; holds the namespace until it is closed or the guest has ended, and no thread.
 */
export class LinkWatch {
  readonly #runner: NativeRunner;
  readonly #native: NativeWatch;
  readonly #ifname: string;
  readonly #level: WaitLevel;

  private constructor(runner: NativeRunner, native: NativeWatch, ifname: string, level: WaitLevel) {
    this.#runner = runner;
    this.#native = native;
    this.#ifname = ifname;
    this.#level = level;
  }

  /** @param netns null: the caller's own. It may be closed afterwards. Throws PipeworkError. */
  static async open(
    runner: NativeRunner,
    netns: NativeNetns | null,
    { ifname, level }: { ifname: string; level: WaitLevel },
    life: GuestLife = {},
  ): Promise<LinkWatch> {
    try {
      const native = await runner.watch({ netns, ...subscription(level), ...life });
      return new LinkWatch(runner, native, ifname, level);
    } catch (error) {
      throw fromNative(error, `watching ${ifname}`);
    }
  }

  /** How far it is: now at first, then whenever something has changed. undefined: the guest has ended. */
  async look(): Promise<Readiness | undefined> {
    let answers: Answer[] | null;
    try {
      answers = await this.#runner.look(this.#native, nativeQueries(questions(this.#ifname, this.#level)));
    } catch (error) {
      throw fromNative(error, `looking at ${this.#ifname}`);
    }
    return answers === null ? undefined : readinessFrom(answers, this.#ifname, this.#level);
  }

  /** Lets go of the namespace. Whoever looks is rejected. */
  close(): Promise<void> {
    return this.#runner.unwatch(this.#native);
  }
}
