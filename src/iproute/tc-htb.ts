import type { AttributesIn, AttributesOut } from "../netlink/attribute.js";
import { type htbAttributes, tcHtbXstats } from "../netlink/qdisc-rate.js";
import { decodeStruct } from "../netlink/struct.js";
import { Reader } from "../netlink/wire.js";
import { invalid } from "../values/error.js";
import type { Shown } from "./shown.js";
import { transmissionTicks, transmittedBytes } from "./tc-clock.js";
import { hex8, rateText, sizeText } from "./tc-format.js";
import type { QdiscKind, TcContext } from "./tc-kind.js";
import { count, linkLayer, rate, sizeAndCell } from "./tc-number.js";
import { once, readOptions } from "./tc-options.js";
import { ratespec, tellLinkLayer, wideRate } from "./tc-ratespec.js";
import type { Words } from "./words.js";

type In = AttributesIn<(typeof htbAttributes)["rows"]>;
type Out = AttributesOut<(typeof htbAttributes)["rows"]>;

/** The version of HTB's interface that iproute2 states; the kernel looks at its upper half. */
const HTB_VERSION = 3;

function qdisc(words: Words): In {
  const init = { version: HTB_VERSION, rate2quantum: 10, defcls: 0, debug: 0 };
  let directQlen: number | undefined;
  let offload: true | undefined;
  readOptions(words, "qdisc htb", {
    "r2q*": () => {
      init.rate2quantum = count(words, "a number", 10);
    },
    "default*": () => {
      init.defcls = count(words, "the minor number of a class", 16);
    },
    "debug*": () => {
      // One digit from 0 to 3 for each of sixteen parts of HTB; what follows them is not looked at.
      const digits = /^[0-3]{0,16}/.exec(words.argument("up to sixteen digits from 0 to 3").text)?.[0] ?? "";
      init.debug = [...digits].reduce((bits, digit, i) => (bits | (Number(digit) << (2 * i))) >>> 0, 0);
    },
    "direct_qlen*": () => {
      directQlen = count(words, "a number of packets", 10);
    },
    "offload*": () => {
      offload = true;
    },
  });
  // Said or not, all ones is what the kernel takes for not said.
  return { init, directQlen: directQlen === 0xffff_ffff ? undefined : directQlen, offload };
}

function classOptions(words: Words, { clock }: TcContext): In {
  let prio = 0;
  let mtu = 1600;
  let mpu = 0;
  let overhead = 0;
  let quantum = 0;
  let linklayer: "ethernet" | "atm" = "ethernet";
  let burst: ReturnType<typeof sizeAndCell> = { size: 0 };
  let cburst: ReturnType<typeof sizeAndCell> = { size: 0 };
  let bytesPerSecond: number | undefined;
  let ceil: number | undefined;
  readOptions(words, "class htb", {
    "prio*": () => {
      prio = count(words, "a priority", 10);
    },
    "mtu*": () => {
      mtu = count(words, "a number of bytes", 10);
    },
    "mpu*": () => {
      mpu = count(words, "a number of bytes", 10, 0xffff);
    },
    "overhead*": () => {
      overhead = count(words, "a number of bytes", 10, 0xffff);
    },
    "linklayer*": () => {
      linklayer = linkLayer(words);
    },
    "quantum*": () => {
      quantum = count(words, "a number of bytes", 10);
    },
    "burst*|buffer|maxburst": () => {
      burst = { ...burst, ...sizeAndCell(words) };
    },
    "cburst*|cbuffer|cmaxburst": () => {
      cburst = { ...cburst, ...sizeAndCell(words) };
    },
    ceil: (word) => {
      once(words, word, ceil || undefined);
      ceil = rate(words);
    },
    rate: (word) => {
      once(words, word, bytesPerSecond || undefined);
      bytesPerSecond = rate(words);
    },
  });
  if (!bytesPerSecond)
    throw invalid(
      "class htb: the rate is missing",
      "such as: class add dev eth1 parent 1: classid 1:10 htb rate 10mbit",
    );
  ceil ||= bytesPerSecond;
  // Enough for one turn of the kernel's timer, and a packet to be on the safe side.
  const usual = (bytes: number) => Math.trunc(bytes / clock.hz) + mtu;
  const common = { mtu, mpu, overhead, linklayer };
  const rateOf = ratespec(clock, { ...common, rate: Math.min(bytesPerSecond, 0xffff_ffff), cellLog: burst.cellLog });
  const ceilOf = ratespec(clock, { ...common, rate: Math.min(ceil, 0xffff_ffff), cellLog: cburst.cellLog });
  return {
    rate64: wideRate(bytesPerSecond),
    ceil64: wideRate(ceil),
    parms: {
      rate: rateOf.spec,
      ceil: ceilOf.spec,
      buffer: transmissionTicks(clock, bytesPerSecond, burst.size || usual(bytesPerSecond)),
      cbuffer: transmissionTicks(clock, ceil, cburst.size || usual(ceil)),
      quantum,
      prio,
    },
    rtab: rateOf.table,
    ctab: ceilOf.table,
  };
}

function show(shown: Shown, { init, directQlen, offload }: Out): void {
  if (init !== undefined) {
    shown.put("r2q", init.rate2quantum | 0, `r2q ${init.rate2quantum | 0}`);
    // C's %#x has no 0x in front of nothing.
    const defcls = init.defcls === 0 ? "0" : `0x${init.defcls.toString(16)}`;
    shown.put("default", defcls, ` default ${defcls}`);
    shown.put("direct_packets_stat", init.directPkts, ` direct_packets_stat ${init.directPkts}`);
    if (shown.flags.details) {
      const version = `${init.version >>> 16}.${init.version & 0xffff}`;
      shown.put("ver", version, ` ver ${version}`);
    }
  }
  if (directQlen !== undefined) shown.put("direct_qlen", directQlen, ` direct_qlen ${directQlen}`);
  if (offload !== undefined) shown.put("offload", null, " offload");
}

function showClass(shown: Shown, { parms, rate64, ceil64 }: Out, { clock }: TcContext): void {
  if (parms === undefined) return;
  const { details, iec, raw } = shown.flags;
  if (parms.level === 0) {
    shown.put("prio", parms.prio | 0, `prio ${parms.prio | 0} `);
    if (details) shown.put("quantum", parms.quantum | 0, `quantum ${parms.quantum | 0} `);
  }
  const bytesPerSecond = rate64 ?? parms.rate.rate;
  const ceil = ceil64 ?? parms.ceil.rate;
  shown.put("rate", bytesPerSecond, `rate ${rateText(bytesPerSecond, iec)} `);
  if (parms.rate.overhead !== 0) shown.put("overhead", parms.rate.overhead, `overhead ${parms.rate.overhead} `);
  shown.put("ceil", ceil, `ceil ${rateText(ceil, iec)} `);
  const layer = tellLinkLayer(parms.rate.linklayer, details);
  if (layer !== undefined) shown.put("linklayer", layer, `linklayer ${layer} `);
  const burst = transmittedBytes(clock, Number(bytesPerSecond), parms.buffer);
  const cburst = transmittedBytes(clock, Number(ceil), parms.cbuffer);
  const cell = (log: number) => 2 ** log;
  if (details) {
    shown.put("burst", burst, `burst ${sizeText(burst)}/`);
    shown.put("burst_cell", cell(parms.rate.cellLog), `${cell(parms.rate.cellLog)} `);
    shown.put("mpu_rate", parms.rate.mpu, `mpu ${sizeText(parms.rate.mpu)} `);
    shown.put("cburst", cburst, `cburst ${sizeText(cburst)}/`);
    shown.put("cburst_cell", cell(parms.ceil.cellLog), `${cell(parms.ceil.cellLog)} `);
    shown.put("mpu_ceil", parms.ceil.mpu, `mpu ${sizeText(parms.ceil.mpu)} `);
    shown.put("level", parms.level | 0, `level ${parms.level | 0} `);
  } else {
    shown.put("burst", burst, `burst ${sizeText(burst)} `);
    shown.put("cburst", cburst, `cburst ${sizeText(cburst)} `);
  }
  if (raw) shown.text(`buffer [${hex8(parms.buffer)}] cbuffer [${hex8(parms.cbuffer)}] `);
}

function showStats(shown: Shown, bytes: Uint8Array): void {
  const reader = new Reader(bytes);
  if (reader.length < tcHtbXstats.size) return;
  const { lends, borrows, giants, tokens, ctokens } = decodeStruct(reader, tcHtbXstats);
  shown.put("lended", lends, ` lended: ${lends} `);
  shown.put("borrowed", borrows, `borrowed: ${borrows} `);
  shown.put("giants", giants, `giants: ${giants}\n`);
  shown.put("tokens", tokens, ` tokens: ${tokens} `);
  shown.put("ctokens", ctokens, `ctokens: ${ctokens}\n`);
}

export const htb: QdiscKind = { qdisc, class: classOptions, show, showClass, showStats };
