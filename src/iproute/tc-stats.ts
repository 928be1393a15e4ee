import type { AttributesOut } from "../netlink/attribute.js";
import type { StructOut } from "../netlink/struct.js";
import type { tcfT, tcStatsAttributes } from "../netlink/tc-stats.js";
import type { Shown } from "./shown.js";
import { rateText, sizeText } from "./tc-format.js";

type Stats = AttributesOut<(typeof tcStatsAttributes)["rows"]>;

/** A struct that newer kernels have more of, with zeros for what this one does not tell. */
export function atLeast(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length >= size) return bytes;
  const whole = new Uint8Array(size);
  whole.set(bytes);
  return whole;
}

/** What of the traffic went through hardware, where there is any that did. */
function showHardware(shown: Shown, { basic, basicHw }: Stats, indent: string): void {
  if (basicHw === undefined || (basicHw.bytes === 0n && basicHw.packets === 0)) return;
  if (basic !== undefined && basic.bytes >= basicHw.bytes && basic.packets >= basicHw.packets) {
    shown.newline();
    shown.put("sw_bytes", basic.bytes - basicHw.bytes, `${indent}Sent software ${basic.bytes - basicHw.bytes} bytes`);
    shown.put("sw_packets", basic.packets - basicHw.packets, ` ${basic.packets - basicHw.packets} pkt`);
  }
  shown.newline();
  shown.put("hw_bytes", basicHw.bytes, `${indent}Sent hardware ${basicHw.bytes} bytes`);
  shown.put("hw_packets", basicHw.packets, ` ${basicHw.packets} pkt`);
}

/** TCA_STATS2, each line behind `indent`. */
export function showStats(shown: Shown, stats: Stats, indent: string): void {
  const { basic, queue } = stats;
  if (basic !== undefined) {
    const packets = stats.pkt64 || basic.packets;
    shown.put("bytes", basic.bytes, `${indent}Sent ${basic.bytes} bytes`);
    shown.put("packets", packets, ` ${packets} pkt`);
  }
  if (queue !== undefined) {
    shown.put("drops", queue.drops, ` (dropped ${queue.drops}`);
    shown.put("overlimits", queue.overlimits, `, overlimits ${queue.overlimits}`);
    shown.put("requeues", queue.requeues, ` requeues ${queue.requeues}) `);
  }
  showHardware(shown, stats, indent);
  const estimate = stats.rateEst64 ?? stats.rateEst;
  if (estimate !== undefined) {
    shown.put("rate", estimate.bps, `\n${indent}rate ${rateText(estimate.bps, shown.flags.iec)}`);
    shown.put("pps", estimate.pps, ` ${estimate.pps}pps`);
  }
  if (queue === undefined) return;
  // What iproute2 looks at is the estimate of 32 bits, which the kernel sends along with the other.
  if (stats.rateEst === undefined) shown.newline();
  shown.put("backlog", queue.backlog, `${indent}backlog ${sizeText(queue.backlog)}`);
  shown.put("qlen", queue.qlen, ` ${queue.qlen}p`);
  shown.text(` requeues ${queue.requeues}`);
}

/** struct tcf_t of an action, in seconds from the kernel's 1/100. */
export function showTimes(shown: Shown, times: StructOut<(typeof tcfT)["fields"]>): void {
  for (const [key, word, ticks] of [
    ["installed", "installed", times.install],
    ["last_used", "used", times.lastuse],
    ["first_used", "firstused", times.firstuse],
    ["expires", "expires", times.expires],
  ] as const) {
    if (ticks !== 0n) shown.put(key, ticks / 100n, ` ${word} ${ticks / 100n} sec`);
  }
}
