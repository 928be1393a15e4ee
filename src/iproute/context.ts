import type { Devices } from "./device.js";
import type { Names } from "./names.js";
import type { Options } from "./option.js";

/** What printing needs besides the object itself. */
export interface ShowContext {
  readonly names: Names;
  readonly devices: Devices;
  readonly options: Options;
}
