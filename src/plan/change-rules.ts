import type { RuleCommand } from "../iproute/rule-command.js";
import { matchesRule } from "../iproute/rule-filter.js";
import type { StatedRule } from "../iproute/rule-view.js";
import type { Family } from "../netlink/family.js";
import { AF_INET6 } from "../netlink/family.js";
import type { MessageOf } from "../netlink/nouns.js";
import { inverse, type PlanBuilder } from "./builder.js";
import { deletesRule, priorityOf, type RuleTable } from "./rule-table.js";
import type { Operation } from "./step.js";

type RuleMessage = MessageOf<"rule">;
export type RuleChangeCommand = Extract<RuleCommand, { kind: "change" | "flush" }>;

/** The rules of both families. */
export type RuleTables = Readonly<Record<Family, RuleTable>>;

const hints = {
  EEXIST: "such a rule is there already: give the new one another priority",
  ENOENT: "there is no such rule: look with show",
} as const;

function make({ header, attributes }: StatedRule): Operation {
  const flags = ["NLM_F_CREATE", "NLM_F_EXCL"] as const;
  return { op: "netlink", message: { noun: "rule", type: "RTM_NEWRULE", flags, header, attributes } };
}

function deletion({ header, attributes }: StatedRule): RuleMessage {
  return { noun: "rule", type: "RTM_DELRULE", header, attributes };
}

/** Deletes the first rule of a priority, whatever it is. */
function deleteFirst(family: number | undefined, priority: number): Operation {
  const message: RuleMessage = { noun: "rule", type: "RTM_DELRULE", header: { family }, attributes: { priority } };
  return { op: "netlink", message };
}

function undoAdded(rule: StatedRule, before: readonly StatedRule[]): Operation[] {
  const wanted = deletion(rule);
  // The kernel deletes the first that has all that is stated, and one before may have that and more.
  if (!before.some((other) => deletesRule(wanted, other))) return [{ op: "netlink", message: wanted }];
  const { family } = rule.header;
  const priority = priorityOf(rule);
  return [...[...before, rule].map(() => deleteFirst(family, priority)), ...before.map(make)];
}

/** A rule comes behind those of its priority, so those that stood behind it come again. */
function undoRemoved(rule: StatedRule, peers: readonly StatedRule[]): Operation[] {
  const behind = peers.slice(peers.indexOf(rule) + 1);
  if (behind.length === 0) return [make(rule)];
  const { family } = rule.header;
  const others = peers.filter((other) => other !== rule);
  return [...others.map(() => deleteFirst(family, priorityOf(rule))), ...peers.map(make)];
}

function tableFor(tables: RuleTables, family: number | undefined): RuleTable {
  return tables[family === AF_INET6 ? "inet6" : "inet"];
}

function addStep(b: PlanBuilder, id: string, tables: RuleTables, message: RuleMessage, label: string): void {
  const table = tableFor(tables, message.header.family);
  const { header, attributes } = message;
  // The one the kernel would choose, so that the rule can be told again from others like it.
  const rule: StatedRule = {
    header,
    attributes: { ...attributes, priority: attributes.priority ?? table.usualPriority },
  };
  const peers = table.peers(priorityOf(rule));
  table.add(rule);
  b.add({
    id,
    label,
    netns: "guest",
    op: { op: "netlink", message: { ...message, attributes: rule.attributes } },
    undo: inverse("guest", ...undoAdded(rule, peers)),
    hints,
  });
}

function deleteStep(b: PlanBuilder, id: string, tables: RuleTables, message: RuleMessage, label: string): void {
  const table = tableFor(tables, message.header.family);
  const rule = table.rules.find((one) => deletesRule(message, one));
  const operations = rule === undefined ? [] : undoRemoved(rule, table.peers(priorityOf(rule)));
  if (rule !== undefined) table.remove(rule);
  b.add({
    id,
    label,
    netns: "guest",
    op: { op: "netlink", message },
    // Where there is none such, the kernel says so.
    undo: operations.length === 0 ? { none: "nothing is changed" } : inverse("guest", ...operations),
    hints,
  });
}

/** The steps of one line. */
export function planRuleChange(b: PlanBuilder, id: string, tables: RuleTables, command: RuleChangeCommand): void {
  const { text } = command;
  if (command.kind === "change") {
    if (command.change === "add") addStep(b, id, tables, command.message, text);
    else deleteStep(b, id, tables, command.message, text);
    return;
  }
  const { filter } = command;
  const chosen = tables[filter.family].rules.filter((rule) => priorityOf(rule) !== 0 && matchesRule(filter, rule));
  for (const [i, rule] of chosen.entries())
    deleteStep(b, `${id}.${i + 1}`, tables, deletion(rule), `${text}: ${i + 1} of ${chosen.length}`);
}
