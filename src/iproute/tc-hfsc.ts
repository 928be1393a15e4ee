import type { AttributesIn, AttributesOut } from "../netlink/attribute.js";
import { type hfscAttributes, type tcHfscQopt, tcHfscStats, type tcServiceCurve } from "../netlink/qdisc-rate.js";
import { decodeStruct, type StructIn, type StructOut } from "../netlink/struct.js";
import { Reader } from "../netlink/wire.js";
import { invalid } from "../values/error.js";
import type { Shown } from "./shown.js";
import { rateText, timeText } from "./tc-format.js";
import type { QdiscKind } from "./tc-kind.js";
import { count, rate32, size, time } from "./tc-number.js";
import { once, readOptions } from "./tc-options.js";
import { vocabulary } from "./vocabulary.js";
import type { Words } from "./words.js";

type Curve = StructIn<(typeof tcServiceCurve)["fields"]>;
type Curves = AttributesIn<(typeof hfscAttributes)["rows"]>;

function qdisc(words: Words): StructIn<(typeof tcHfscQopt)["fields"]> {
  let defcls: number | undefined;
  readOptions(words, "qdisc hfsc", {
    "default*": (word) => {
      once(words, word, defcls || undefined);
      defcls = count(words, "the minor number of a class", 16, 0xffff);
    },
  });
  return { defcls: defcls ?? 0 };
}

const words = {
  m1: vocabulary({ m1: "m1*" }),
  d: vocabulary({ d: "d*" }),
  m2: vocabulary({ m2: "m2*" }),
  umax: vocabulary({ umax: "umax*" }),
  dmax: vocabulary({ dmax: "dmax*" }),
  rate: vocabulary({ rate: "rate*" }),
};
const curveWords = ["m1", "d", "m2", "umax", "dmax", "rate"];

/** [m1 BPS] [d TIME] m2 BPS, two slopes and where they meet; or [umax BYTES] [dmax TIME] rate BPS, which is turned into them. */
function curve(line: Words): Curve {
  const first = line.peek();
  const m1 = line.keyword(words.m1) === undefined ? undefined : rate32(line);
  const d = line.keyword(words.d) === undefined ? undefined : time(line);
  if (line.keyword(words.m2) !== undefined) return notFlat(line, { m1: m1 ?? 0, d: d ?? 0, m2: rate32(line) });
  if (m1 !== undefined) {
    const word = line.argument("m2 and a rate");
    throw line.unknown(word, ["m2"], "is not m2, the slope of the second segment");
  }
  const umax = line.keyword(words.umax) === undefined ? 0 : size(line);
  // d is a beginning of dmax as well.
  const dmax = line.keyword(words.dmax) === undefined ? (d ?? 0) : time(line);
  const word = line.peek();
  if (line.keyword(words.rate) === undefined) {
    if (word === undefined)
      throw line.refuse(first ?? line.argument("a curve"), "the curve is not finished: its rate, or m2, is missing");
    throw line.unknown(word, curveWords, "is no word of a service curve");
  }
  const bytesPerSecond = rate32(line);
  if (umax !== 0 && dmax === 0) throw line.refuse(first ?? line.argument("a curve"), "umax needs a dmax");
  const slope = dmax === 0 ? 0 : Math.ceil((umax * 1_000_000) / dmax);
  if (slope > bytesPerSecond) return notFlat(line, { m1: Math.min(slope, 0xffff_ffff), d: dmax, m2: bytesPerSecond });
  // The packet fits into the rate: nothing is served until what is left of dmax suffices for it.
  const wait = bytesPerSecond === 0 ? 0 : Math.floor((umax * 1_000_000) / bytesPerSecond);
  return notFlat(line, { m1: 0, d: Math.max(0, dmax - wait), m2: bytesPerSecond });
}

function notFlat(line: Words, one: Curve): Curve {
  if (one.m1 || one.m2) return one;
  throw line.refuse(line.last ?? line.argument("a rate"), "both slopes of the curve are nothing");
}

function classOptions(line: Words): Curves {
  const curves: { rsc?: Curve; fsc?: Curve; usc?: Curve } = {};
  readOptions(line, "class hfsc", {
    "rt*": () => {
      curves.rsc = curve(line);
    },
    "ls*": () => {
      curves.fsc = curve(line);
    },
    "sc*": () => {
      curves.rsc = curve(line);
      curves.fsc = curves.rsc;
    },
    "ul*": () => {
      curves.usc = curve(line);
    },
  });
  const example = "such as: class add dev eth1 parent 1: classid 1:10 hfsc sc rate 10mbit ul rate 20mbit";
  if (curves.rsc === undefined && curves.fsc === undefined && curves.usc === undefined)
    throw invalid("class hfsc: there is no service curve", example);
  if (curves.usc !== undefined && curves.fsc === undefined)
    throw invalid("class hfsc: an upper limit (ul) needs a share of the link (ls or sc)", example);
  return curves;
}

function show(shown: Shown, { defcls }: StructOut<(typeof tcHfscQopt)["fields"]>): void {
  if (defcls !== 0) shown.put("default", defcls.toString(16), `default ${defcls.toString(16)} `);
}

type CurveOut = StructOut<(typeof tcServiceCurve)["fields"]>;

function showCurve(shown: Shown, name: string, { m1, d, m2 }: CurveOut): void {
  const { iec } = shown.flags;
  shown.text(`${name} `);
  shown.object(name, () => {
    shown.put("m1", m1, `m1 ${rateText(m1, iec)} `);
    shown.put("d", d, `d ${timeText(d)} `);
    shown.put("m2", m2, `m2 ${rateText(m2, iec)} `);
  });
}

function showClass(shown: Shown, { rsc, fsc, usc }: AttributesOut<(typeof hfscAttributes)["rows"]>): void {
  const same = rsc !== undefined && fsc !== undefined && rsc.m1 === fsc.m1 && rsc.d === fsc.d && rsc.m2 === fsc.m2;
  if (same) showCurve(shown, "sc", rsc);
  else {
    if (rsc !== undefined) showCurve(shown, "rt", rsc);
    if (fsc !== undefined) showCurve(shown, "ls", fsc);
  }
  if (usc !== undefined) showCurve(shown, "ul", usc);
}

function showStats(shown: Shown, bytes: Uint8Array): void {
  const reader = new Reader(bytes);
  if (reader.length < tcHfscStats.size) return;
  const { work, rtwork, period, level } = decodeStruct(reader, tcHfscStats);
  shown.put("period", period, ` period ${period} `);
  if (work !== 0n) shown.put("work", work, `work ${work} bytes `);
  if (rtwork !== 0n) shown.put("rtwork", rtwork, `rtwork ${rtwork} bytes `);
  shown.put("level", level, `level ${level} \n`);
}

export const hfsc: QdiscKind = { qdisc, class: classOptions, show, showClass, showStats };
