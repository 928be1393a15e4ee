import { routeMetrics, rtaxFeatures } from "../netlink/route.js";
import { unsignedArgument } from "./number.js";
import { timeArgument } from "./time.js";
import type { Words } from "./words.js";

/** RTA_METRICS while its words are read; RTAX_LOCK is a bit for each number of a metric. */
export type RouteMetrics = { [K in keyof typeof routeMetrics.rows]?: K extends "ccAlgo" ? string : number };

/** The word behind the metric's name: `lock` keeps the kernel from changing the value. */
function lock(words: Words, metrics: RouteMetrics, metric: keyof typeof routeMetrics.rows): void {
  if (!words.literal("lock")) return;
  metrics.lock = (metrics.lock ?? 0) | (1 << routeMetrics.rows[metric].number);
}

/** TCP's names have at most 15 bytes (TCP_CA_NAME_MAX, net/tcp.h). */
const CONGESTION_NAME_MAX = 15;

function switched(words: Words): number {
  const word = words.argument("0 or 1");
  if (word.text !== "0" && word.text !== "1") throw words.refuse(word, "is neither 0 nor 1");
  return Number(word.text);
}

/** Names of metrics, as the vocabulary of routes has them. */
export type MetricWord = Exclude<keyof typeof routeMetrics.rows, "lock">;

/** Reads what follows the name of a metric. Throws a refusal that names the word. */
export function readMetric(words: Words, metric: MetricWord, metrics: RouteMetrics): void {
  switch (metric) {
    case "features": {
      const word = words.argument("a feature");
      if (word.text !== "ecn") throw words.unknown(word, ["ecn"], "is no feature of a route");
      metrics.features = rtaxFeatures.RTAX_FEATURE_ECN;
      return;
    }
    case "quickack":
    case "fastopenNoCookie":
      metrics[metric] = switched(words);
      return;
    case "ccAlgo": {
      lock(words, metrics, metric);
      const word = words.argument("a congestion control algorithm");
      if (new TextEncoder().encode(word.text).length > CONGESTION_NAME_MAX || word.text.includes("\0"))
        throw words.refuse(word, "is not the name of a congestion control algorithm");
      metrics.ccAlgo = word.text;
      return;
    }
    case "rtt":
    case "rttvar":
      lock(words, metrics, metric);
      metrics[metric] = timeArgument(words, metric === "rtt" ? 8 : 4);
      return;
    case "rtoMin":
      // A least timeout that the kernel may change would be none: iproute2 always locks it.
      metrics.lock = (metrics.lock ?? 0) | (1 << routeMetrics.rows.rtoMin.number);
      metrics.rtoMin = timeArgument(words, 1);
      return;
    default:
      lock(words, metrics, metric);
      metrics[metric] = unsignedArgument(words, "a number", metric === "hoplimit" ? 255 : undefined);
  }
}
