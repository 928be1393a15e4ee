import { fnv1a64 } from "../values/fnv1a.js";

/** lxc_cmd_t of LXC's src/lxc/commands.h: the same numbers since LXC 1.0. */
export const lxcCommands = { LXC_CMD_GET_STATE: 3, LXC_CMD_GET_INIT_PID: 4 } as const;

/** lxc_state_t of LXC's src/lxc/state.h, by number. */
export const lxcStates = [
  "STOPPED",
  "STARTING",
  "RUNNING",
  "STOPPING",
  "ABORTING",
  "FREEZING",
  "FROZEN",
  "THAWED",
] as const;

export type LxcState = (typeof lxcStates)[number];

/** A monitor leaves two bytes of sun_path unused: one before the name and one behind it. */
const LONGEST_NAME = 105;

/** Both sides are programs of one machine and send their own structs; an int is 32 bits on all of them. */
const POINTER = ["arm", "ia32", "mips", "mipsel", "ppc", "s390"].includes(process.arch) ? 4 : 8;
const SIZE = 8 + POINTER;
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Bytes of struct ucred before the answer. */
const UCRED = 12;

/** Bytes of a whole answer. */
export const LXC_ANSWER = SIZE;

/** Path of a container's command socket: a name in the abstract namespace, behind a zero byte. Longer ones are hashed. */
export function commandSocket(directory: string, name: string): string {
  const plain = `${directory}/${name}/command`;
  if (new TextEncoder().encode(plain).length <= LONGEST_NAME) return `\0${plain}`;
  return `\0lxc/${fnv1a64(`${directory}/${name}`)}/command`;
}

/** struct lxc_cmd_req: the command, and no data. */
export function lxcRequest(command: number): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  new DataView(bytes.buffer).setInt32(0, command, littleEndian);
  return bytes;
}

export interface LxcAnswer {
  /** Who answered, as seen from here; `pid` 0: a process of a PID namespace that is not seen. */
  readonly monitor: { readonly pid: number; readonly uid: number };
  /** 0, or a negative errno. */
  readonly ret: number;
  /** What was asked for: these commands put a small number where the pointer to their data would be. */
  readonly value: number;
}

/** Reads struct ucred and struct lxc_cmd_rsp; null when that is not what it is. */
export function readLxcAnswer(bytes: Uint8Array): LxcAnswer | null {
  if (bytes.length !== UCRED + SIZE) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (offset: number): number => view.getInt32(offset, littleEndian);
  // The low half of the pointer's 64 bits is where an int stands in it.
  const value = word(UCRED + 8 + (littleEndian ? 0 : POINTER - 4));
  return { monitor: { pid: word(0), uid: view.getUint32(4, littleEndian) }, ret: word(UCRED), value };
}
