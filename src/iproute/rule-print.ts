import { AF_INET } from "../netlink/family.js";
import { rtProt } from "../netlink/route.js";
import { ruleActions, ruleFlags } from "../netlink/rule.js";
import type { ShowContext } from "./context.js";
import { dsfieldText, groupText, protocolText, realmText, tableText, typeText } from "./name-print.js";
import { be64Value } from "./number64.js";
import { Printout } from "./printout.js";
import { type RuleReply, ruleTable } from "./rule-view.js";

/** A prefix length or a group that suppresses nothing. */
const NONE = 0xffffffff;

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function printPrefix(
  out: Printout,
  which: "src" | "dst",
  address: string | undefined,
  length: number,
  bits: number,
): void {
  const word = which === "src" ? "from" : "to";
  const shown = address === undefined || address === "" ? "0" : address;
  if (address === undefined && length === 0) {
    if (which === "src") out.put("src", "all", "from all");
    return;
  }
  const whole = length === bits;
  out.put(which, shown, `${which === "dst" ? " " : ""}${word} ${shown}${whole ? "" : `/${length}`}`);
  if (!whole) out.field(`${which}len`, length);
}

function printRange(
  out: Printout,
  name: string,
  { start = 0, end = 0 }: { start?: number | undefined; end?: number | undefined },
): void {
  if (start === end) {
    out.put(name, start, ` ${name} ${start}`);
    return;
  }
  out.field(`${name}_start`, start);
  out.field(`${name}_end`, end);
  out.say(` ${name} ${start}-${end}`);
}

function printSelectors(out: Printout, { header: h, attributes: a }: RuleReply, context: ShowContext): void {
  const bits = h.family === AF_INET ? 32 : 128;
  if ((h.flags & ruleFlags.FIB_RULE_INVERT) !== 0) out.put("not", null, "not ");
  printPrefix(out, "src", a.src, h.srcLen, bits);
  printPrefix(out, "dst", a.dst, h.dstLen, bits);
  if (h.tos !== 0) {
    const tos = dsfieldText(h.tos, context);
    out.put("tos", tos, ` tos ${tos}`);
  }
  const mark = a.fwmark ?? 0;
  const mask = a.fwmask ?? NONE;
  if (a.fwmark !== undefined || a.fwmask !== undefined) {
    out.put("fwmark", hex(mark), ` fwmark ${hex(mark)}`);
    if (mask !== NONE) out.put("fwmask", hex(mask), `/${hex(mask)}`);
  }
  for (const [name, ifname, detached] of [
    ["iif", a.iifname, ruleFlags.FIB_RULE_IIF_DETACHED],
    ["oif", a.oifname, ruleFlags.FIB_RULE_OIF_DETACHED],
  ] as const) {
    if (ifname === undefined) continue;
    out.put(name, ifname, ` ${name} ${ifname}`);
    if ((h.flags & detached) !== 0) out.put(`${name}_detached`, null, " [detached]");
  }
  if ((a.l3mdev ?? 0) !== 0) out.put("l3mdev", null, " lookup [l3mdev-table]");
  if (a.uidRange !== undefined) {
    const { start, end } = a.uidRange;
    out.field("uid_start", start);
    out.field("uid_end", end);
    out.say(` uidrange ${start}-${end}`);
  }
  if (a.ipProto !== undefined) {
    const name = context.options.numeric ? undefined : context.names.ipProtocols.name(a.ipProto);
    const text = name ?? `ipproto-${a.ipProto}`;
    out.put("ipproto", text, ` ipproto ${text}`);
  }
  if (a.sportRange !== undefined) printRange(out, "sport", a.sportRange);
  if (a.dportRange !== undefined) printRange(out, "dport", a.dportRange);
  const tunnel = a.tunId === undefined ? undefined : be64Value(a.tunId);
  if (tunnel !== undefined) out.put("tun_id", tunnel, ` tun_id ${tunnel}`);
}

function printAction(out: Printout, reply: RuleReply, context: ShowContext): void {
  const { header: h, attributes: a } = reply;
  const table = ruleTable(reply);
  if (table !== 0) {
    const name = tableText(table, context);
    out.put("table", name, ` lookup ${name}`);
    if (a.suppressPrefixlen !== undefined && a.suppressPrefixlen !== NONE)
      out.put("suppress_prefixlen", a.suppressPrefixlen, ` suppress_prefixlength ${a.suppressPrefixlen}`);
    if (a.suppressIfgroup !== undefined && a.suppressIfgroup !== NONE) {
      const group = groupText(a.suppressIfgroup, context);
      out.put("suppress_ifgroup", group, ` suppress_ifgroup ${group}`);
    }
  }
  if (a.flow !== undefined) {
    const [from, to] = [a.flow >>> 16, a.flow & 0xffff];
    if (from !== 0) out.put("flow_from", realmText(from, context), ` realms ${realmText(from, context)}/`);
    else out.say(" realms ");
    out.put("flow_to", realmText(to, context), realmText(to, context));
  }
  switch (h.action) {
    case ruleActions.FR_ACT_TO_TBL:
      break;
    case ruleActions.FR_ACT_GOTO:
      if (a.goto === undefined) out.put("goto", "none", " goto none");
      else out.put("goto", a.goto, ` goto ${a.goto}`);
      if ((h.flags & ruleFlags.FIB_RULE_UNRESOLVED) !== 0) out.put("unresolved", null, " [unresolved]");
      break;
    case ruleActions.FR_ACT_NOP:
      out.put("nop", null, " nop");
      break;
    default: {
      const action = typeText(h.action, context);
      out.put("action", action, ` ${action}`);
    }
  }
}

/** One rule as `ip rule` shows it, without the newline. */
export function printRule(reply: RuleReply, context: ShowContext): Printout {
  const out = new Printout();
  const { priority = 0, protocol } = reply.attributes;
  out.put("priority", priority, `${priority}:\t`);
  printSelectors(out, reply, context);
  printAction(out, reply, context);
  const usual = protocol === undefined || protocol === rtProt.RTPROT_UNSPEC || protocol === rtProt.RTPROT_KERNEL;
  if (protocol !== undefined && (!usual || context.options.details)) {
    const name = protocolText(protocol, context);
    out.put("protocol", name, ` proto ${name}`);
  }
  return out;
}
