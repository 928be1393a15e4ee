import type { tcEstimator, tcSizespec } from "../netlink/qdisc.js";
import type { StructIn } from "../netlink/struct.js";
import { linkSize } from "./tc-clock.js";
import { count, integer, linkLayer, time } from "./tc-number.js";
import { once, readSome } from "./tc-options.js";
import type { Word, Words } from "./words.js";

/** estimator INTERVAL TIME_CONSTANT: how often the rate is looked at, and how long it is remembered. */
export function estimator(words: Words): StructIn<(typeof tcEstimator)["fields"]> {
  const every = time(words);
  const constant = time(words);
  // Quarters of a second, doubled up to eight seconds; the kernel counts from one second.
  let interval = 0;
  while (interval <= 5 && every > 2 ** interval * 250_000) interval++;
  let log = 1;
  while (log < 32 && every / -Math.log(1 - 1 / 2 ** log) <= constant) log++;
  log--;
  if (interval > 5 || log === 0 || log >= 31)
    throw words.refuse(words.last as Word, "does not go with that interval", "such as: estimator 1sec 8sec");
  return { interval: (interval - 2) & 0xff, ewma_log: log };
}

type Sizespec = { -readonly [K in keyof StructIn<(typeof tcSizespec)["fields"]>]: number };

/** stab ...: what a packet is counted as. `data` is the table, where one is needed. */
export function sizeTable(words: Words): { base: Sizespec; data?: Uint8Array } {
  const base: Sizespec = {};
  const said = new Set<string>();
  const single = (word: Word, key: keyof Sizespec, value: () => number) => {
    once(words, word, said.has(key) ? true : undefined);
    said.add(key);
    base[key] = value();
  };
  const first = words.last as Word;
  readSome(words, {
    "mtu*": (word) => single(word, "mtu", () => count(words, "a number of bytes", 10)),
    "mpu*": (word) => single(word, "mpu", () => count(words, "a number of bytes", 10)),
    "overhead*": (word) => single(word, "overhead", () => integer(words, "a number of bytes", 10)),
    "tsize*": (word) => single(word, "tsize", () => count(words, "a number of slots", 10, 0xffff)),
    "linklayer*": (word) => single(word, "linklayer", () => (linkLayer(words) === "atm" ? 2 : 1)),
  });
  const atm = base.linklayer === 2;
  if (!base.linklayer && !base.mpu && !base.overhead)
    throw words.refuse(
      first,
      "changes nothing without overhead, mpu or linklayer",
      "such as: stab overhead 20 linklayer atm",
    );
  if (!atm && !base.mpu) return { base: { ...base, mtu: 0, tsize: 0, cellLog: 0, cellAlign: 0 } };
  return table(base, atm);
}

function table(spec: Sizespec, atm: boolean): { base: Sizespec; data: Uint8Array } {
  const mtu = spec.mtu || 2047;
  const tsize = spec.tsize || 512;
  let cellLog = 0;
  while (mtu >>> cellLog > tsize - 1) cellLog++;
  const sizes = Array.from({ length: tsize }, (_, i) => linkSize(((i + 1) << cellLog) >>> 0, spec.mpu ?? 0, atm));
  let sizeLog = 0;
  while (Math.max(...sizes) / 2 ** sizeLog >= 0x1_0000) sizeLog++;
  const data = Uint16Array.from(sizes, (size) => size >>> sizeLog);
  return {
    base: { ...spec, mtu, tsize, cellLog, sizeLog, cellAlign: -1 },
    data: new Uint8Array(data.buffer),
  };
}
