import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

// Node makes the map anew at every call.
let systemErrors: ReturnType<typeof getSystemErrorMap> | undefined;

function systemError(errno: number): [string, string] | undefined {
  systemErrors ??= getSystemErrorMap();
  return systemErrors.get(-errno);
}

/** Number of an errno by its name, from Node's own table. */
export function errnoNumber(name: string): number {
  const number = (constants.errno as Record<string, number>)[name];
  if (number === undefined) throw new Error(`${name} is no errno of this system`);
  return number;
}

/** Name of a positive errno, such as EEXIST. */
export function errnoName(errno: number): string {
  return systemError(errno)?.[0] ?? `errno ${errno}`;
}

/** What the system says of a positive errno, for want of an extended ack. */
export function errnoText(errno: number): string {
  return systemError(errno)?.[1] ?? `error ${errno}`;
}
