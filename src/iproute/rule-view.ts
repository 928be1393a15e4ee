import type { AttributesIn } from "../netlink/attribute.js";
import { decodeMessage } from "../netlink/message.js";
import { rule } from "../netlink/rule.js";
import type { StructIn } from "../netlink/struct.js";
import type { Reader } from "../netlink/wire.js";

export type RuleHeader = StructIn<(typeof rule)["header"]["fields"]>;
export type RuleAttributes = AttributesIn<(typeof rule)["attributes"]["rows"]>;

/** A rule as the kernel reports it. */
export type RuleReply = ReturnType<typeof decodeRule>;

export function decodeRule(reader: Reader) {
  return decodeMessage(rule, reader);
}

/** A rule as a message states it, ours or the kernel's. */
export interface StatedRule {
  readonly header: RuleHeader;
  readonly attributes: RuleAttributes;
}

/** The number of the table; 0 where the rule looks nothing up. */
export function ruleTable({ header, attributes }: StatedRule): number {
  return attributes.table ?? header.table ?? 0;
}
