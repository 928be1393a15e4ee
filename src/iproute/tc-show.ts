import type { AttributesOut } from "../netlink/attribute.js";
import { decodeReplies } from "../netlink/message.js";
import { type classAttributes, qdisc, type qdiscAttributes, tclass } from "../netlink/qdisc.js";
import type { StructOut } from "../netlink/struct.js";
import { major, minor, tcHandles, type tcmsg } from "../netlink/tcmsg.js";
import type { Shown } from "./shown.js";
import { classidText, hex8, linkLayerText } from "./tc-format.js";
import type { TcContext } from "./tc-kind.js";
import { qdiscKind } from "./tc-kinds.js";
import { showStats } from "./tc-stats.js";

type Header = StructOut<(typeof tcmsg)["fields"]>;
type QdiscOut = AttributesOut<(typeof qdiscAttributes)["rows"]>;
type ClassOut = AttributesOut<(typeof classAttributes)["rows"]>;

/** What a listing is narrowed to; what is the same in every line is not printed. */
export interface QdiscFilter {
  readonly index?: number | undefined;
  readonly handle?: number | undefined;
  readonly parent?: number | undefined;
}

export function linkName(context: TcContext, index: number): string {
  return context.linkName?.(index) ?? `if${index}`;
}

export function showDevice(shown: Shown, context: TcContext, index: number): void {
  const name = linkName(context, index);
  shown.put("dev", name, `dev ${name} `);
}

function options(shown: Shown, kind: string, value: unknown, context: TcContext): void {
  const known = qdiscKind(kind);
  if (value === undefined || value === null) return;
  if (value instanceof Uint8Array) {
    if (value.length > 0 && known?.show === undefined && known?.showStats === undefined)
      shown.text(`[Unknown qdisc, optlen=${value.length}] `);
    else known?.show?.(shown, value as never, context);
    return;
  }
  known?.show?.(shown, value as never, context);
}

function showQdisc(shown: Shown, h: Header, a: QdiscOut, filter: QdiscFilter, context: TcContext): void {
  const kind = a.kind ?? "";
  const handle = `${major(h.handle).toString(16)}:`;
  shown.put("kind", kind, `qdisc ${kind}`);
  shown.put("handle", handle, ` ${handle}`);
  if (shown.flags.raw) shown.text(`[${hex8(h.handle)}]`);
  shown.text(" ");
  if (filter.index === undefined) showDevice(shown, context, h.ifindex);
  if (h.parent === tcHandles.TC_H_ROOT) shown.put("root", true, "root ");
  else if (h.parent !== 0) shown.put("parent", classidText(h.parent), `parent ${classidText(h.parent)} `);
  if (h.info !== 1) shown.put("refcnt", h.info, `refcnt ${h.info} `);
  if (a.hwOffload) shown.put("offloaded", true, "offloaded ");
  if (a.ingressBlock) shown.put("ingress_block", a.ingressBlock, `ingress_block ${a.ingressBlock} `);
  if (a.egressBlock) shown.put("egress_block", a.egressBlock, `egress_block ${a.egressBlock} `);
  shown.object("options", () => options(shown, kind, a.options, context));
  shown.newline();
  if (shown.flags.details && a.stab !== undefined) {
    showSizeTable(shown, a.stab);
    shown.newline();
  }
  if (!shown.flags.stats) return;
  if (a.stats2 !== undefined) {
    showStats(shown, a.stats2, " ");
    shown.newline();
  }
  const own = a.stats2?.app ?? a.xstats;
  const showOwn = qdiscKind(kind)?.showStats;
  if (own !== undefined && showOwn !== undefined) {
    showOwn(shown, own, context);
    shown.newline();
  }
}

function showSizeTable(shown: Shown, { base }: NonNullable<QdiscOut["stab"]>): void {
  if (base === undefined) return;
  shown.object("stab", () => {
    shown.text(" ");
    const layer = linkLayerText(base.linklayer);
    if (base.linklayer !== 0) shown.put("linklayer", layer, `linklayer ${layer} `);
    for (const key of ["overhead", "mpu", "mtu", "tsize"] as const)
      if (base[key] !== 0) shown.put(key, base[key], `${key} ${base[key]} `);
  });
}

/** A listing of qdiscs, from the replies of a dump. */
export function showQdiscs(shown: Shown, replies: Uint8Array, filter: QdiscFilter, context: TcContext): void {
  for (const { header, attributes } of decodeReplies(qdisc, replies)) {
    if (filter.index !== undefined && header.ifindex !== filter.index) continue;
    if (filter.handle && header.handle !== filter.handle) continue;
    if (filter.parent && header.parent !== filter.parent) continue;
    shown.object(null, () => showQdisc(shown, header, attributes, filter, context));
  }
}

export interface ClassFilter {
  readonly index?: number | undefined;
  /** Handle of the qdisc: ids are printed without their upper half. */
  readonly qdisc?: number | undefined;
  readonly classid?: number | undefined;
}

function showClass(shown: Shown, h: Header, a: ClassOut, filter: ClassFilter, context: TcContext): void {
  const kind = a.kind ?? "";
  const id = (handle: number) => classidText(filter.qdisc ? minor(handle) : handle);
  const known = qdiscKind(kind);
  shown.put("class", kind, `class ${kind} `);
  shown.put("handle", h.handle === 0 ? "" : id(h.handle), `${h.handle === 0 ? "" : id(h.handle)} `);
  if (filter.index === undefined) showDevice(shown, context, h.ifindex);
  if (h.parent === tcHandles.TC_H_ROOT) shown.put("root", true, "root ");
  else shown.put("parent", id(h.parent), `parent ${id(h.parent)} `);
  if (h.info !== 0) shown.put("leaf", `0x${major(h.info).toString(16)}`, `leaf ${major(h.info).toString(16)}: `);
  if (a.options !== undefined && !(a.options instanceof Uint8Array))
    known?.showClass?.(shown, a.options as never, context);
  // Whatever -oneline says: only listings that learned JSON early know it.
  shown.text("\n");
  if (!shown.flags.stats) return;
  shown.object("stats", () => {
    if (a.stats2 !== undefined) {
      showStats(shown, a.stats2, " ");
      shown.text("\n");
    }
    const own = a.stats2?.app ?? a.xstats;
    if (own !== undefined && known?.showStats !== undefined) {
      known.showStats(shown, own, context);
      shown.text("\n");
    }
  });
}

/** A listing of classes, from the replies of a dump. */
export function showClasses(shown: Shown, replies: Uint8Array, filter: ClassFilter, context: TcContext): void {
  for (const { header, attributes } of decodeReplies(tclass, replies)) {
    if (filter.qdisc && major(header.handle) !== major(filter.qdisc)) continue;
    if (filter.classid && header.handle !== filter.classid) continue;
    shown.object(null, () => showClass(shown, header, attributes, filter, context));
  }
}
