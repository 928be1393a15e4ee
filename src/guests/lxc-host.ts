import type { Converse } from "./engine-transport.js";

/** What is needed to find LXC's containers: where they are defined, and the way to their monitors. */
export interface LxcHost {
  /** lxc.lxcpath, without a slash at the end. */
  readonly directory: string;
  readonly converse: Converse;
}
