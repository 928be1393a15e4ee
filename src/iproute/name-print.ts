import type { ShowContext } from "./context.js";
import type { NameTable } from "./names.js";
import { typeName } from "./route-type.js";

/** A number by its name, unless numbers are asked for or it has none. */
function named(table: (context: ShowContext) => NameTable) {
  return (number: number, context: ShowContext): string =>
    (context.options.numeric ? undefined : table(context).name(number)) ?? String(number);
}

export const tableText = named(({ names }) => names.tables);
export const protocolText = named(({ names }) => names.protocols);
export const scopeText = named(({ names }) => names.scopes);
export const realmText = named(({ names }) => names.realms);
export const groupText = named(({ names }) => names.groups);

export function dsfieldText(number: number, { names, options }: ShowContext): string {
  const name = options.numeric ? undefined : names.dsfields.name(number);
  return name ?? `0x${number.toString(16).padStart(2, "0")}`;
}

export function typeText(number: number, { options }: ShowContext): string {
  return options.numeric ? String(number) : typeName(number);
}
