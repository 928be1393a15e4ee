import type { Devices } from "../iproute/device.js";
import type { RouteCommand } from "../iproute/route-command.js";
import { routeMessage } from "../iproute/route-draft.js";
import { keptByFlush, resolveFilter } from "../iproute/route-filter.js";
import type { RouteReply } from "../iproute/route-view.js";
import type { RouteChange } from "../iproute/route-words.js";
import type { MessageOf } from "../netlink/nouns.js";
import { invalid } from "../values/error.js";
import { inverse, type PlanBuilder } from "./builder.js";
import {
  deleteOf,
  type KnownRoute,
  plannedRoute,
  undoMade,
  undoRemoved,
  undoRemovedOne,
  undoReplaced,
} from "./route-group.js";
import { deletes, type RouteTable } from "./route-table.js";
import type { Operation } from "./step.js";

type RouteMessage = MessageOf<"route">;
export type ChangeCommand = Extract<RouteCommand, { kind: "change" | "flush" }>;

function tooMuchAtOnce(text: string): Error {
  return invalid(
    `"${text}": what it does depends on what the kernel makes of the lines before it, so that it could not be undone exactly`,
    "give it in a call of its own",
  );
}

/** What a line does to the routes that will be there then, and how that is undone. */
function undoOf(table: RouteTable, change: RouteChange, message: RouteMessage): Operation[] {
  const made = plannedRoute(message);
  const peers = table.peers(made);
  switch (change) {
    case "add":
      table.setPeers(made, [made]);
      return undoMade(made, peers);
    case "append":
      table.setPeers(made, [...peers, made]);
      return undoMade(made, peers);
    case "prepend":
      table.setPeers(made, [made, ...peers]);
      return undoMade(made, peers);
    case "change":
    case "replace":
      table.setPeers(made, [made, ...peers.slice(1)]);
      // Which of several next hops IPv6 replaces is the kernel's to say (fib6_add_rt2node).
      if (peers.length > 1) table.blur(made);
      return undoReplaced(made, peers);
    case "test":
      return [];
    case "delete":
      return undoDelete(table, message);
  }
}

function undoDelete(table: RouteTable, message: RouteMessage): Operation[] {
  const group = table.group(message);
  const fits = group.map((one) => deletes(message, one));
  const first = fits.findIndex((fit) => fit !== false);
  // Where none is known to fit, the kernel will refuse.
  if (first < 0) return [];
  const removed = group[first] as KnownRoute;
  const only = fits.filter((fit) => fit !== false).length === 1;
  if (fits[first] === undefined && !only) {
    table.blur(removed);
    return undoRemovedOne(group);
  }
  const peers = table.peers(removed);
  const index = peers.indexOf(removed);
  if (removed.attributes.multipath !== undefined && message.attributes.gateway !== undefined) {
    // IPv6 takes one next hop away and leaves the others.
    table.blur(removed);
    return undoRemovedOne(group);
  }
  table.setPeers(
    removed,
    peers.filter((one) => one !== removed),
  );
  return undoRemoved(peers, index);
}

/** Why the kernel refuses most of what it refuses. */
const hints = {
  EEXIST: "such a route is there already: replace it, append to it, or give the new one another metric",
  ESRCH: "there is no such route: look with show",
  ENOENT: "there is no such route to change: look with show",
} as const;

function undoSteps(operations: readonly Operation[]) {
  return operations.length === 0 ? ({ none: "nothing is changed" } as const) : inverse("guest", ...operations);
}

/** `add`, `delete`, `replace`...: one step. */
function changeStep(
  b: PlanBuilder,
  id: string,
  table: RouteTable,
  { change, draft, text }: Extract<RouteCommand, { kind: "change" }>,
  devices: Devices,
): void {
  const message = routeMessage(draft, devices);
  if (table.isBlurred(message)) throw tooMuchAtOnce(text);
  b.add({
    id,
    label: text,
    netns: "guest",
    op: { op: "netlink", message },
    undo: undoSteps(undoOf(table, change, message)),
    hints,
  });
}

/** One step for each route that the filter means. Returns them, for `-s -s`. */
function flushSteps(
  b: PlanBuilder,
  id: string,
  table: RouteTable,
  { filter, text }: Extract<RouteCommand, { kind: "flush" }>,
  devices: Devices,
): KnownRoute[] {
  const { routes, unsure } = table.select(resolveFilter(filter, devices));
  if (unsure) throw tooMuchAtOnce(text);
  const flushed = routes.filter((one) => !keptByFlush(one as unknown as RouteReply));
  for (const [i, one] of flushed.entries()) {
    const peers = table.peers(one);
    const index = peers.indexOf(one);
    table.setPeers(
      one,
      peers.filter((other) => other !== one),
    );
    b.add({
      id: `${id}.${i + 1}`,
      label: `${text}: ${i + 1} of ${flushed.length}`,
      netns: "guest",
      op: { op: "netlink", message: deleteOf(one), tolerate: ["ESRCH"] },
      undo: undoSteps(undoRemoved(peers, index)),
    });
  }
  return flushed;
}

/** The steps of one line; of a flush, the routes that go. Throws a refusal. */
export function planRouteChange(
  b: PlanBuilder,
  id: string,
  table: RouteTable,
  command: ChangeCommand,
  devices: Devices,
): KnownRoute[] {
  if (command.kind === "flush") return flushSteps(b, id, table, command, devices);
  changeStep(b, id, table, command, devices);
  return [];
}
