import { type RuleReply, ruleTable, type StatedRule } from "../iproute/rule-view.js";
import { ruleFlags } from "../netlink/rule.js";

/** Flags that the kernel reports and does not take. */
const REPORTED = ruleFlags.FIB_RULE_UNRESOLVED | ruleFlags.FIB_RULE_IIF_DETACHED | ruleFlags.FIB_RULE_OIF_DETACHED;

/** A rule of the kernel as it takes it. */
export function statedRule({ header, attributes }: RuleReply): StatedRule {
  const { unknown: _, ...rest } = attributes;
  return {
    header: { ...header, flags: header.flags & ~REPORTED & ~ruleFlags.FIB_RULE_PERMANENT },
    attributes: { ...rest, priority: rest.priority ?? 0 },
  };
}

export function priorityOf({ attributes }: StatedRule): number {
  return attributes.priority ?? 0;
}

const NONE = 0xffffffff;

type Range = { readonly start?: number | undefined; readonly end?: number | undefined } | undefined;

function sameRange(a: Range, b: Range): boolean {
  return a?.start === b?.start && a?.end === b?.end;
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Whether a deletion means the rule: what it does not state, it does not ask for (rule_find, net/core/fib_rules.c). */
export function deletesRule(wanted: StatedRule, rule: StatedRule): boolean {
  const { header: h, attributes: a } = wanted;
  const { header: rh, attributes: ra } = rule;
  const unless = (stated: unknown, actual: unknown) => stated === undefined || stated === 0 || stated === actual;
  const limit = (stated: number | undefined, actual: number | undefined) =>
    stated === undefined || stated === NONE || stated === (actual ?? NONE);
  if (a.priority !== undefined && a.priority !== priorityOf(rule)) return false;
  if (!unless(h.action, rh.action)) return false;
  if (ruleTable(wanted) !== 0 && ruleTable(wanted) !== ruleTable(rule)) return false;
  if (!unless(h.srcLen, rh.srcLen) || ((h.srcLen ?? 0) > 0 && a.src !== ra.src)) return false;
  if (!unless(h.dstLen, rh.dstLen) || ((h.dstLen ?? 0) > 0 && a.dst !== ra.dst)) return false;
  if (!unless(h.tos, rh.tos) || !unless(a.fwmark, ra.fwmark) || !unless(a.flow, ra.flow)) return false;
  if (!unless(a.fwmask, ra.fwmask ?? NONE)) return false;
  if (a.iifname !== undefined && a.iifname !== ra.iifname) return false;
  if (a.oifname !== undefined && a.oifname !== ra.oifname) return false;
  if (!unless(a.l3mdev, ra.l3mdev) || !unless(a.ipProto, ra.ipProto) || !unless(a.protocol, ra.protocol)) return false;
  if (!limit(a.suppressPrefixlen, ra.suppressPrefixlen) || !limit(a.suppressIfgroup, ra.suppressIfgroup)) return false;
  if (a.uidRange !== undefined && !sameRange(a.uidRange, ra.uidRange)) return false;
  if (a.sportRange !== undefined && !sameRange(a.sportRange, ra.sportRange)) return false;
  if (a.dportRange !== undefined && !sameRange(a.dportRange, ra.dportRange)) return false;
  return a.tunId === undefined || sameBytes(a.tunId, ra.tunId);
}

/** The rules of one family, as they will be when the steps planned so far have been done; in the kernel's order. */
export class RuleTable {
  #rules: readonly StatedRule[];

  constructor(replies: readonly RuleReply[]) {
    this.#rules = replies.map(statedRule);
  }

  get rules(): readonly StatedRule[] {
    return this.#rules;
  }

  /** The priority of a rule that states none: one less than that of the second rule (fib_default_rule_pref). */
  get usualPriority(): number {
    const second = this.#rules[1];
    const priority = second === undefined ? 0 : priorityOf(second);
    return priority === 0 ? 0 : priority - 1;
  }

  peers(priority: number): readonly StatedRule[] {
    return this.#rules.filter((rule) => priorityOf(rule) === priority);
  }

  /** Behind those of its priority. */
  add(rule: StatedRule): void {
    const after = this.#rules.findIndex((other) => priorityOf(other) > priorityOf(rule));
    const at = after < 0 ? this.#rules.length : after;
    this.#rules = [...this.#rules.slice(0, at), rule, ...this.#rules.slice(at)];
  }

  remove(rule: StatedRule): void {
    this.#rules = this.#rules.filter((other) => other !== rule);
  }
}
