import { rtnType } from "../netlink/route.js";
import { parseUnsigned } from "./number.js";
import { vocabulary } from "./vocabulary.js";

/** Types of routes, linux/rtnetlink.h, in iproute2's order: where a beginning fits several, the first is meant. */
const types = vocabulary({
  local: "local",
  nat: "nat",
  broadcast: ["broadcast*", "brd"],
  anycast: "anycast*",
  multicast: "multicast*",
  prohibit: "prohibit*",
  unreachable: "unreachable*",
  blackhole: "blackhole*",
  xresolve: "xresolve*",
  unicast: "unicast*",
  throw: "throw",
});

const numbers: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(rtnType).map(([name, number]) => [name.slice("RTN_".length).toLowerCase(), number]),
);
const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name]));

export const typeSpellings = types.spellings;

/** The type that a word names; undefined for any other word. */
export function typeNumber(text: string): number | undefined {
  const name = types.find(text);
  if (name !== undefined) return numbers[name];
  const number = parseUnsigned(text);
  return number !== undefined && number <= 255n ? Number(number) : undefined;
}

export function typeName(number: number): string {
  const name = names.get(number);
  return number === rtnType.RTN_UNSPEC ? "none" : (name ?? String(number));
}
