import { parseUnsigned } from "./number.js";
import type { Word, Words } from "./words.js";

/** Numbers with names, as the files of /etc/iproute2 give them. */
export class NameTable {
  readonly #names = new Map<number, string>();

  /** @param texts contents of the files, those that count more later */
  constructor(builtin: Readonly<Record<number, string>>, texts: readonly string[]) {
    for (const [number, name] of Object.entries(builtin)) this.#names.set(Number(number), name);
    for (const text of texts)
      for (const line of text.split("\n")) {
        const match = /^\s*(0x[0-9a-f]+|\d+)\s+([^\s#]\S*)/i.exec(line);
        if (match !== null) this.#names.set(Number(match[1]), match[2] as string);
      }
  }

  name(number: number): string | undefined {
    return this.#names.get(number);
  }

  /** Of several numbers with that name the lowest. */
  number(name: string): number | undefined {
    let found: number | undefined;
    for (const [number, one] of this.#names)
      if (one === name && (found === undefined || number < found)) found = number;
    return found;
  }

  get names(): string[] {
    return [...this.#names.values()];
  }

  /** The number that a word names or is. Throws a refusal that names the word and the nearest known name. */
  read(words: Words, word: Word, { what, max, base = 0 }: { what: string; max: number; base?: 0 | 16 }): number {
    const named = this.number(word.text);
    if (named !== undefined) return named;
    const { text } = word;
    const value = parseUnsigned(base === 16 && !/^0x/i.test(text) ? `0x${text}` : text);
    if (value === undefined) throw words.unknown(word, this.names, `is not ${what}`);
    if (value > BigInt(max)) throw words.refuse(word, `is not ${what}: the greatest is ${max}`);
    return Number(value);
  }
}

/** Protocols above IP, as protocols(5) lists them: name, number, other names. */
export class IpProtocols {
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<number, string>();

  constructor(texts: readonly string[]) {
    const builtin = "icmp 1\nigmp 2\ntcp 6\nudp 17\ngre 47\nesp 50\nah 51\nipv6-icmp 58\nsctp 132\nudplite 136\n";
    for (const line of [...texts, builtin].join("\n").split("\n")) {
      const match = /^\s*([^\s#]\S*)\s+(\d+)([^#]*)/.exec(line);
      if (match === null) continue;
      const [, name, digits, others] = match as unknown as [string, string, string, string];
      const number = Number(digits);
      if (!this.#names.has(number)) this.#names.set(number, name);
      for (const one of [name, ...others.trim().split(/\s+/)])
        if (one !== "" && !this.#numbers.has(one)) this.#numbers.set(one, number);
    }
  }

  name(number: number): string | undefined {
    return this.#names.get(number);
  }

  /** A number, or a name. Throws a refusal that names the word. */
  read(words: Words, word: Word): number {
    const value = parseUnsigned(word.text);
    if (value !== undefined && value <= 255n) return Number(value);
    const number = this.#numbers.get(word.text);
    if (number === undefined) throw words.unknown(word, [...this.#numbers.keys()], "is no protocol above IP");
    return number;
  }
}

/** The tables that routes and rules name things by. */
export interface Names {
  readonly tables: NameTable;
  readonly protocols: NameTable;
  readonly scopes: NameTable;
  readonly dsfields: NameTable;
  readonly realms: NameTable;
  readonly groups: NameTable;
  readonly ipProtocols: IpProtocols;
}

/** What iproute2 knows without any file (linux/rtnetlink.h). */
const builtin = {
  tables: { 253: "default", 254: "main", 255: "local" },
  protocols: {
    0: "unspec",
    1: "redirect",
    2: "kernel",
    3: "boot",
    4: "static",
    8: "gated",
    9: "ra",
    10: "mrt",
    11: "zebra",
    12: "bird",
    13: "dnrouted",
    14: "xorp",
    15: "ntk",
    16: "dhcp",
    42: "babel",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    192: "eigrp",
  },
  scopes: { 0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere" },
  dsfields: { 0: "0" },
  realms: { 0: "unknown" },
  groups: { 0: "default" },
} as const;

/** Their files. */
const files = {
  tables: "rt_tables",
  protocols: "rt_protos",
  scopes: "rt_scopes",
  dsfields: "rt_dsfield",
  realms: "rt_realms",
  groups: "group",
} as const;

/** Not iproute2's own: protocols(5). */
const IP_PROTOCOLS = "protocols";

/**
 * The tables, each read when it is first needed.
 * @param read the contents of a file of that name and of the *.conf files beside it, those that count more later
 */
export function namesFrom(read: (file: string) => readonly string[]): Names {
  const known = new Map<string, NameTable>();
  const table = (key: keyof typeof files): NameTable => {
    const found = known.get(key) ?? new NameTable(builtin[key], read(files[key]));
    known.set(key, found);
    return found;
  };
  let ipProtocols: IpProtocols | undefined;
  return {
    get tables() {
      return table("tables");
    },
    get protocols() {
      return table("protocols");
    },
    get scopes() {
      return table("scopes");
    },
    get dsfields() {
      return table("dsfields");
    },
    get realms() {
      return table("realms");
    },
    get groups() {
      return table("groups");
    },
    get ipProtocols() {
      ipProtocols ??= new IpProtocols(read(IP_PROTOCOLS));
      return ipProtocols;
    },
  };
}

/** The names that iproute2 knows without any file. */
export const builtinNames: Names = namesFrom(() => []);

const TABLE = { what: "a routing table", max: 0xffffffff };

export function tableArgument(words: Words, names: Names): number {
  return names.tables.read(words, words.argument("a routing table"), TABLE);
}

export function protocolArgument(words: Words, names: Names): number {
  const word = words.argument("a routing protocol");
  return names.protocols.read(words, word, { what: "a routing protocol", max: 0xff });
}

export function scopeArgument(words: Words, names: Names): number {
  return names.scopes.read(words, words.argument("a scope"), { what: "a scope", max: 0xff });
}

/** Numbers of the field are hexadecimal with 0x or without, as iproute2 has them. */
export function dsfieldArgument(words: Words, names: Names): number {
  const word = words.argument("a TOS value");
  return names.dsfields.read(words, word, { what: "a TOS value", max: 0xff, base: 16 });
}

/** `TO` or `FROM/TO`, as the kernel packs them; a single number may be the packed one. */
export function realmsArgument(words: Words, names: Names): number {
  const word = words.argument("a realm");
  const read = (text: string, max: number) => names.realms.read(words, { ...word, text }, { what: "a realm", max });
  const slash = word.text.indexOf("/");
  if (slash < 0) return read(word.text, 0xffffffff);
  const [from, to] = [word.text.slice(0, slash), word.text.slice(slash + 1)];
  return ((read(from, 0xff) << 16) | (to === "" ? 0 : read(to, 0xff))) >>> 0;
}
