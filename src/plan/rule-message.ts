import type { AttributesIn } from "../netlink/attribute.js";
import type { Message } from "../netlink/message.js";
import type { rule } from "../netlink/rule.js";
import type { StructIn } from "../netlink/struct.js";

export type RuleMessage = Message<
  "rule",
  StructIn<(typeof rule)["header"]["fields"]>,
  AttributesIn<(typeof rule)["attributes"]["rows"]>
>;

/** All routing rules of one address family. */
export function dumpRules(family: number): RuleMessage {
  return { noun: "rule", type: "RTM_GETRULE", flags: ["NLM_F_DUMP"], header: { family }, attributes: {} };
}
