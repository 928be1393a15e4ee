import { codel, fqCodel } from "./tc-codel.js";
import { bfifo, pfifo, pfifoFast, prio } from "./tc-fifo.js";
import { fq } from "./tc-fq.js";
import { hfsc } from "./tc-hfsc.js";
import { htb } from "./tc-htb.js";
import type { QdiscKind } from "./tc-kind.js";
import { netem } from "./tc-netem.js";
import { red } from "./tc-red.js";
import { sfq } from "./tc-sfq.js";
import { tbf } from "./tc-tbf.js";
import type { Words } from "./words.js";

/** Kinds whose options there are no words for; most need none. */
const plain: QdiscKind = {};

/** `handle 1:` may stand behind the word ingress, and says nothing there. */
function parseIngress(words: Words): undefined {
  while (words.literal("handle")) words.take();
  const word = words.peek();
  if (word !== undefined) throw words.unknown(word, ["handle"], "qdisc ingress takes no options");
  return undefined;
}

const ingress: QdiscKind = { qdisc: parseIngress, show: (shown) => shown.text("---------------- ") };

/** Every kind of qdisc whose words and listings are known. */
export const qdiscKinds: Readonly<Record<string, QdiscKind>> = {
  netem,
  tbf,
  htb,
  hfsc,
  prio,
  pfifo,
  bfifo,
  pfifo_head_drop: pfifo,
  pfifo_fast: pfifoFast,
  sfq,
  red,
  fq,
  fq_codel: fqCodel,
  codel,
  ingress,
  clsact: { show: () => {} },
  noqueue: plain,
  mq: plain,
  drr: plain,
  multiq: plain,
  pie: plain,
  fq_pie: plain,
  hhf: plain,
  sfb: plain,
  skbprio: plain,
};

export function qdiscKind(kind: string): QdiscKind | undefined {
  return Object.hasOwn(qdiscKinds, kind) ? qdiscKinds[kind] : undefined;
}
