import type { tcFifoQopt, tcPrioQopt } from "../netlink/qdisc-fifo.js";
import type { StructIn, StructOut } from "../netlink/struct.js";
import { invalid } from "../values/error.js";
import type { Shown } from "./shown.js";
import { sizeText } from "./tc-format.js";
import type { QdiscKind } from "./tc-kind.js";
import { countOf, integer, size } from "./tc-number.js";
import { readOptions } from "./tc-options.js";
import type { Words } from "./words.js";

type FifoOut = StructOut<(typeof tcFifoQopt)["fields"]>;
type PrioIn = StructIn<(typeof tcPrioQopt)["fields"]>;
type PrioOut = StructOut<(typeof tcPrioQopt)["fields"]>;

/** Without a limit nothing is sent, and the kernel takes the link's queue length. */
function parseFifo(words: Words): object | undefined {
  let limit: number | undefined;
  readOptions(words, "qdisc fifo", {
    limit: () => {
      limit = size(words);
    },
  });
  return limit === undefined ? undefined : { limit };
}

const showPackets = (shown: Shown, { limit }: FifoOut) => shown.put("limit", limit, `limit ${limit}p`);
const showBytes = (shown: Shown, { limit }: FifoOut) => shown.put("limit", limit, `limit ${sizeText(limit)}`);

/** In packets, and pfifo_head_drop likewise. */
export const pfifo: QdiscKind = { qdisc: parseFifo, show: showPackets };
export const bfifo: QdiscKind = { qdisc: parseFifo, show: showBytes };

/** The kernel's own map of priorities to bands, which is tc's as well. */
const PRIOMAP = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];

function parsePrio(words: Words): PrioIn {
  let bands = 3;
  const priomap = [...PRIOMAP];
  let mapped: number | undefined;
  while (!words.done) {
    const word = words.take();
    if (word === undefined) break;
    if (word.text === "bands") {
      bands = integer(words, "a number of bands", 10);
    } else if (word.text === "priomap") {
      if (mapped !== undefined) throw words.refuse(word, "is there twice");
      mapped = 0;
    } else if (word.text === "multiqueue") {
      // Every kernel since 2.6.26 passes over it.
    } else if (mapped === undefined) {
      throw words.unknown(word, ["bands", "priomap", "multiqueue"], "is no option of qdisc prio");
    } else {
      if (mapped >= priomap.length) throw words.refuse(word, `there are no more than ${priomap.length} priorities`);
      priomap[mapped++] = countOf(words, word, "a band", 10, Math.min(bands - 1, 0xff));
    }
  }
  if (bands < 0) throw invalid(`qdisc prio: ${bands} bands are too few`);
  return { bands, priomap };
}

function showPrio(shown: Shown, { bands, priomap }: PrioOut): void {
  shown.put("bands", bands, `bands ${bands} `);
  shown.text("priomap");
  shown.array("priomap", () => {
    for (const band of priomap) shown.put(null, band, ` ${band}`);
  });
  shown.data("multiqueue", false);
}

export const prio: QdiscKind = { qdisc: parsePrio, show: showPrio };
/** Only the kernel makes one. */
export const pfifoFast: QdiscKind = { show: showPrio };
