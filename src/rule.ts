import type { LiveGuest } from "./guests/guest.js";
import type { Instance } from "./instance.js";
import { noDevices } from "./iproute/device.js";
import type { Names } from "./iproute/names.js";
import { type RuleCommand, readRuleCommand } from "./iproute/rule-command.js";
import { matchesRule } from "./iproute/rule-filter.js";
import { printRule } from "./iproute/rule-print.js";
import { ruleRepliesFrom, rulesAsk } from "./kernel/read-routing.js";
import { hostNames } from "./kernel/rt-names.js";
import { runPlan } from "./kernel/run-plan.js";
import { Transaction } from "./kernel/transaction.js";
import { PlanBuilder } from "./plan/builder.js";
import { planRuleChange, type RuleChangeCommand } from "./plan/change-rules.js";
import { RuleTable } from "./plan/rule-table.js";
import type { Plan } from "./plan/step.js";
import { inGuest, inOrder, type Lines, readLines, Shown, type WordsOptions, type WordsResult } from "./word-lines.js";

type Question = Extract<RuleCommand, { kind: "show" }>;

function changes(command: RuleCommand): command is RuleChangeCommand {
  return command.kind !== "show";
}

async function viewAndPlan(
  instance: Instance,
  guest: LiveGuest,
  commands: readonly RuleChangeCommand[],
  options: WordsOptions,
  locked: boolean,
): Promise<{ transaction: Transaction; plan: Plan }> {
  const { transaction, answers } = await Transaction.begin(
    instance.runner,
    [instance.host, guest.netns],
    [rulesAsk("inet"), rulesAsk("inet6")],
    locked ? instance.lockFor(options) : undefined,
  );
  try {
    // A family that the kernel lacks has no rules; the kernel itself will say so.
    const [inet, inet6] = answers.map(
      (answer) => new RuleTable(ruleRepliesFrom(answer, "the guest's rules", ["EAFNOSUPPORT", "EOPNOTSUPP"])),
    ) as [RuleTable, RuleTable];
    const builder = new PlanBuilder();
    for (const [i, command] of commands.entries()) planRuleChange(builder, `line${i + 1}`, { inet, inet6 }, command);
    const plan = builder.finish({
      action: "rule",
      guest: guest.ref,
      guestId: guest.id,
      ifname: "",
      outcome: builder.steps.length === 0 ? "unchanged" : "changed",
    });
    return { transaction, plan };
  } catch (error) {
    await transaction.end();
    throw error;
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
  const asks = questions.map(({ filter }) => rulesAsk(filter.family));
  const { transaction, answers } = await Transaction.begin(
    instance.runner,
    [instance.host, guest.netns],
    asks,
    undefined,
  );
  await transaction.end();
  for (const [i, { filter, options }] of questions.entries()) {
    const rules = ruleRepliesFrom(answers[i], "the guest's rules").filter((reply) => matchesRule(filter, reply));
    shown.add(
      rules.map((reply) => printRule(reply, { names, devices: noDevices, options })),
      options,
    );
  }
}

/** Lines of `ip rule` in a guest: all that change something as one transaction. */
export async function rule(
  instance: Instance,
  ref: string,
  lines: Lines,
  options: WordsOptions = {},
): Promise<WordsResult> {
  const names = hostNames();
  const commands = readLines(lines, options).map((words) => readRuleCommand(words, names));
  const { before, changing, after } = inOrder(commands, changes);
  const shown = new Shown();
  return inGuest(instance, ref, options, async (guest) => {
    await view(instance, guest, names, before as Question[], shown);
    if (changing.length > 0) {
      const { transaction, plan } = await viewAndPlan(instance, guest, changing as RuleChangeCommand[], options, true);
      if (plan.steps.length === 0) await transaction.end();
      else shown.warnings.push(...(await runPlan(transaction, plan, {})).warnings);
    }
    await view(instance, guest, names, after as Question[], shown);
    return shown.result();
  });
}

/** The plan that the lines would run now. */
export async function planRuleOnly(
  instance: Instance,
  ref: string,
  lines: Lines,
  options: WordsOptions = {},
): Promise<Plan> {
  const names = hostNames();
  const commands = readLines(lines, options).map((words) => readRuleCommand(words, names));
  const { changing } = inOrder(commands, changes);
  return inGuest(instance, ref, options, async (guest) => {
    const { transaction, plan } = await viewAndPlan(instance, guest, changing as RuleChangeCommand[], options, false);
    await transaction.end();
    return plan;
  });
}
