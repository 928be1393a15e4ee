import type { LiveGuest } from "./guests/guest.js";
import type { Instance } from "./instance.js";
import type { ShowContext } from "./iproute/context.js";
import type { Devices } from "./iproute/device.js";
import type { Names } from "./iproute/names.js";
import type { Options } from "./iproute/option.js";
import { type RouteCommand, readRouteCommand } from "./iproute/route-command.js";
import { routeMessage } from "./iproute/route-draft.js";
import { matches, type ResolvedFilter, resolveFilter } from "./iproute/route-filter.js";
import { printRoute } from "./iproute/route-print.js";
import type { RouteReply } from "./iproute/route-view.js";
import { familyOfNumber } from "./iproute/route-words.js";
import { devicesAsk, devicesFrom, routeRepliesFrom, routesAsk, selectionAsks } from "./kernel/read-routing.js";
import { hostNames } from "./kernel/rt-names.js";
import { runPlan } from "./kernel/run-plan.js";
import { type Answer, type Ask, Transaction } from "./kernel/transaction.js";
import { PlanBuilder } from "./plan/builder.js";
import { type ChangeCommand, planRouteChange } from "./plan/change-routes.js";
import type { KnownRoute } from "./plan/route-group.js";
import { RouteTable } from "./plan/route-table.js";
import type { Plan } from "./plan/step.js";
import { type Family, familyOf } from "./values/ipaddress.js";
import { inGuest, inOrder, type Lines, readLines, Shown, type WordsOptions, type WordsResult } from "./word-lines.js";

type Question = Extract<RouteCommand, { kind: "show" | "get" }>;

function changes(command: RouteCommand): command is ChangeCommand {
  return command.kind === "change" || command.kind === "flush";
}

/** What of the routes must be known to undo the lines: of each family those of the prefix lengths that are named. */
function neededRoutes(commands: readonly ChangeCommand[]): Ask[] {
  const families: readonly Family[] = ["inet", "inet6"];
  return families.flatMap((family) => {
    const mine = commands.filter((one) =>
      one.kind === "flush"
        ? one.filter.family === undefined || one.filter.family === family
        : familyOfNumber(one.draft.header.family) === family,
    );
    if (mine.length === 0) return [];
    const lengths = mine.map((one) => (one.kind === "flush" ? undefined : (one.draft.header.dstLen ?? 0)));
    return [lengths.includes(undefined) ? routesAsk(family) : routesAsk(family, lengths as number[])];
  });
}

/** A table that a flush names must be there, unless lines before make it. */
async function checkTables(
  transaction: Transaction,
  commands: readonly ChangeCommand[],
  devices: Devices,
): Promise<void> {
  const made = new Set<number>();
  for (const command of commands) {
    if (command.kind === "change") {
      const { header, attributes } = routeMessage(command.draft, devices);
      if (command.change !== "delete") made.add(attributes.table ?? header.table ?? 0);
      continue;
    }
    const filter = resolveFilter(command.filter, devices);
    if (filter.table === 0 || made.has(filter.table) || filter.cached === true) continue;
    for (const answer of await transaction.ask(selectionAsks(filter)))
      routeRepliesFrom(answer, `the routes of table ${filter.table}`);
  }
}

interface Planned {
  readonly transaction: Transaction;
  readonly plan: Plan;
  readonly devices: Devices;
  /** Routes that each flush removes. */
  readonly flushed: ReadonlyMap<ChangeCommand, readonly KnownRoute[]>;
}

async function viewAndPlan(
  instance: Instance,
  guest: LiveGuest,
  commands: readonly ChangeCommand[],
  options: WordsOptions,
  locked: boolean,
): Promise<Planned> {
  const lock = locked ? instance.lockFor(options) : undefined;
  const asks = [devicesAsk, ...neededRoutes(commands)];
  const { transaction, answers } = await Transaction.begin(instance.runner, [instance.host, guest.netns], asks, lock);
  try {
    const [links, ...dumps] = answers;
    const devices = devicesFrom(links);
    // A family that the kernel lacks has no routes; the kernel itself will say so.
    const absent = ["EAFNOSUPPORT", "EOPNOTSUPP", "ENOENT"];
    const table = new RouteTable(dumps.flatMap((answer) => routeRepliesFrom(answer, "the guest's routes", absent)));
    await checkTables(transaction, commands, devices);
    const builder = new PlanBuilder();
    const flushed = new Map<ChangeCommand, readonly KnownRoute[]>();
    for (const [i, command] of commands.entries())
      flushed.set(command, planRouteChange(builder, `line${i + 1}`, table, command, devices));
    const plan = builder.finish({
      action: "route",
      guest: guest.ref,
      guestId: guest.id,
      ifname: "",
      outcome: builder.steps.length === 0 ? "unchanged" : "changed",
    });
    return { transaction, plan, devices, flushed };
  } catch (error) {
    await transaction.end();
    throw error;
  }
}

function showFlush(shown: Shown, routes: readonly KnownRoute[], context: ShowContext, filter: ResolvedFilter): void {
  const { stats } = context.options;
  if (stats === 0) return;
  if (routes.length === 0) {
    shown.say("Nothing to flush.\n");
    return;
  }
  if (stats > 1)
    shown.add(
      routes.map((one) => printRoute(one as unknown as RouteReply, context, filter)),
      context.options,
    );
  shown.say(`\n*** Round 1, deleting ${routes.length} entries ***\n*** Flush is complete after 1 round ***\n`);
}

/** The question that `connected` asks after the first answer. */
function followUp(first: RouteReply, asked: Ask): Ask | undefined {
  const { prefsrc } = first.attributes;
  if (prefsrc === undefined) return undefined;
  const { header, attributes } = asked.message as { header: object; attributes: object };
  const srcLen = familyOf(prefsrc) === "inet" ? 32 : 128;
  return {
    netns: "guest",
    message: {
      noun: "route",
      type: "RTM_GETROUTE",
      header: { ...header, srcLen },
      attributes: { ...attributes, src: prefsrc },
    },
  };
}

/** Shows what the commands ask for. */
class Viewer {
  constructor(
    readonly transaction: Transaction,
    readonly devices: Devices,
    readonly names: Names,
    readonly shown: Shown,
  ) {}

  #context(options: Options): ShowContext {
    return { names: this.names, devices: this.devices, options };
  }

  async answer(command: Question): Promise<void> {
    if (command.kind === "show") await this.#show(command);
    else await this.#get(command);
  }

  async #show({ filter: asked, options }: Extract<Question, { kind: "show" }>): Promise<void> {
    const filter = resolveFilter(asked, this.devices);
    const answers = await this.transaction.ask(selectionAsks(filter));
    const absent = filter.family === undefined ? ["EAFNOSUPPORT", "EOPNOTSUPP"] : [];
    const routes = answers.flatMap((answer) => routeRepliesFrom(answer, "the guest's routes", absent));
    const chosen = routes.filter((reply) => matches(filter, reply));
    this.shown.add(
      chosen.map((reply) => printRoute(reply, this.#context(options), filter)),
      options,
    );
  }

  async #get({ question, options, text }: Extract<Question, { kind: "get" }>): Promise<void> {
    const ask: Ask = { netns: "guest", message: routeMessage(question.draft, this.devices) };
    this.shown.warnings.push(...question.warnings);
    const replies = await this.#ask(ask, text);
    const [first] = replies;
    const second = question.connected && first !== undefined ? followUp(first, ask) : undefined;
    if (second !== undefined) replies.push(...(await this.#ask(second, text)));
    this.shown.add(
      replies.map((reply) => printRoute(reply, this.#context(options), { table: 0 })),
      options,
    );
  }

  async #ask(ask: Ask, text: string): Promise<RouteReply[]> {
    const [answer] = await this.transaction.ask([ask]);
    return routeRepliesFrom(answer, `"${text}"`);
  }
}

async function view(
  instance: Instance,
  guest: LiveGuest,
  names: Names,
  questions: readonly Question[],
  shown: Shown,
): Promise<void> {
  if (questions.length === 0) return;
  const { transaction, answers } = await Transaction.begin(
    instance.runner,
    [instance.host, guest.netns],
    [devicesAsk],
    undefined,
  );
  try {
    const viewer = new Viewer(transaction, devicesFrom(answers[0] as Answer), names, shown);
    for (const question of questions) await viewer.answer(question);
  } finally {
    await transaction.end();
  }
}

/** Lines of `ip route` in a guest: all that change something as one transaction. */
export async function route(
  instance: Instance,
  ref: string,
  lines: Lines,
  options: WordsOptions = {},
): Promise<WordsResult> {
  const names = hostNames();
  const commands = readLines(lines, options).map((words) => readRouteCommand(words, names));
  const { before, changing, after } = inOrder(commands, changes);
  const shown = new Shown();
  return inGuest(instance, ref, options, async (guest) => {
    await view(instance, guest, names, before as Question[], shown);
    if (changing.length > 0) {
      const planned = await viewAndPlan(instance, guest, changing as ChangeCommand[], options, true);
      if (planned.plan.steps.length === 0) await planned.transaction.end();
      else shown.warnings.push(...(await runPlan(planned.transaction, planned.plan, {})).warnings);
      for (const command of changing as ChangeCommand[]) {
        if (command.kind !== "flush") continue;
        const context = { names, devices: planned.devices, options: command.options };
        const filter = resolveFilter(command.filter, planned.devices);
        showFlush(shown, planned.flushed.get(command) ?? [], context, filter);
      }
    }
    await view(instance, guest, names, after as Question[], shown);
    return shown.result();
  });
}

/** The plan that the lines would run now. */
export async function planRouteOnly(
  instance: Instance,
  ref: string,
  lines: Lines,
  options: WordsOptions = {},
): Promise<Plan> {
  const names = hostNames();
  const commands = readLines(lines, options).map((words) => readRouteCommand(words, names));
  const { changing } = inOrder(commands, changes);
  return inGuest(instance, ref, options, async (guest) => {
    const { transaction, plan } = await viewAndPlan(instance, guest, changing as ChangeCommand[], options, false);
    await transaction.end();
    return plan;
  });
}
