import type { AttributesOut } from "../netlink/attribute.js";
import { routeMetrics, rtaxFeatures } from "../netlink/route.js";
import type { Json } from "./json.js";
import type { Printout } from "./printout.js";

/** Names of the metrics in text, where they differ from the kernel's; JSON has one more of its own. */
const words: Partial<Record<keyof typeof routeMetrics.rows, string>> = {
  ccAlgo: "congctl",
  rtoMin: "rto_min",
  fastopenNoCookie: "fastopen_no_cookie",
};

/** A time of that many milliseconds as %g prints it. */
function timeText(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  // Six digits, without zeros at the end.
  return `${Number((milliseconds / 1000).toPrecision(6))}s`;
}

const timeUnits: Partial<Record<keyof typeof routeMetrics.rows, number>> = { rtt: 8, rttvar: 4, rtoMin: 1 };

/** The metrics of a route, in the order of their numbers. */
export function printMetrics(out: Printout, metrics: AttributesOut<(typeof routeMetrics)["rows"]>): void {
  const lock = metrics.lock ?? 0;
  const fields: [string, Json][] = [];
  let text = "";
  for (const [field, { number }] of Object.entries(routeMetrics.rows)) {
    const key = field as keyof typeof routeMetrics.rows;
    const value = metrics[key];
    if (key === "lock" || (value === undefined && (lock & (1 << number)) === 0)) continue;
    const name = words[key] ?? key;
    text += `${name} ${(lock & (1 << number)) === 0 ? "" : "lock "}`;
    if (key === "ccAlgo") {
      fields.push(["congestion", String(value ?? "")]);
      text += `${value ?? ""} `;
    } else if (key === "features") {
      const bits = Number(value ?? 0);
      if ((bits & rtaxFeatures.RTAX_FEATURE_ECN) !== 0) {
        fields.push(["ecn", null]);
        text += "ecn ";
      }
      const rest = (bits & ~rtaxFeatures.RTAX_FEATURE_ECN) >>> 0;
      if (rest !== 0) {
        fields.push(["features", `0x${rest.toString(16)}`]);
        text += `0x${rest.toString(16)} `;
      }
    } else {
      const unit = timeUnits[key];
      const number = Math.trunc(Number(value ?? 0) / (unit ?? 1));
      fields.push([name, number]);
      text += `${unit === undefined ? number : timeText(number)} `;
    }
  }
  out.put("metrics", { list: [{ fields }] }, text);
}
