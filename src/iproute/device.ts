import { PipeworkError } from "../values/error.js";
import type { Word, Words } from "./words.js";

/** The interfaces of the namespace that words speak of, and messages number. */
export interface Devices {
  /** By name or alternative name. */
  index(name: string): number | undefined;
  name(index: number): string | undefined;
  /** The routing table of the VRF of that name. */
  vrfTable(name: string): number | undefined;
  /** For "did you mean". */
  readonly names: readonly string[];
}

/** For what names its interfaces itself. */
export const noDevices: Devices = {
  index: () => undefined,
  name: () => undefined,
  vrfTable: () => undefined,
  names: [],
};

/** A device named by a word; its index is known only when the namespace has been looked at. */
export interface DeviceWord {
  readonly words: Words;
  readonly word: Word;
}

export function deviceArgument(words: Words): DeviceWord {
  return { words, word: words.argument("an interface name") };
}

function unknownDevice({ words, word }: DeviceWord, devices: Devices, what: string): PipeworkError {
  const { message, hint } = words.unknown(word, devices.names, `there is no ${what} of that name in the guest`);
  return new PipeworkError({ code: "interface-not-found", message, hint });
}

/** The index behind the word. Throws "interface-not-found". */
export function deviceIndex(device: DeviceWord, devices: Devices): number {
  const { text } = device.word;
  // As iproute2 prints an interface that it has no name for.
  const numbered = /^if([1-9]\d{0,8})$/.exec(text);
  const index = devices.index(text) ?? (numbered === null ? undefined : Number(numbered[1]));
  if (index === undefined) throw unknownDevice(device, devices, "interface");
  return index;
}

/** The routing table of the VRF behind the word. Throws "interface-not-found". */
export function vrfTable(device: DeviceWord, devices: Devices): number {
  const table = devices.vrfTable(device.word.text);
  if (table === undefined) throw unknownDevice(device, devices, "VRF");
  return table;
}

export function deviceName(index: number, devices: Devices): string {
  return devices.name(index) ?? `if${index}`;
}
