import { loadAddon } from "./addon.js";
import type { NativeAddon, NativeNetns, NativeRunner } from "./native.js";

/** The one door to the addon, opened on first use: namespace descriptors, and the runner with its namespace thread. */
export class Kernel {
  readonly #load: () => NativeAddon;
  #addon: NativeAddon | undefined;
  #runner: NativeRunner | undefined;

  /** `load` is the seam for tests: a fake kernel, or the real one with faults injected. */
  constructor(load: () => NativeAddon = loadAddon) {
    this.#load = load;
  }

  /** Loads the addon. Throws PipeworkError "addon-missing" with every file tried. */
  get addon(): NativeAddon {
    this.#addon ??= this.#load();
    return this.#addon;
  }

  get runner(): NativeRunner {
    this.#runner ??= new this.addon.Runner();
    return this.#runner;
  }

  /** Throws a NativeError. */
  openNetns(path: string): NativeNetns {
    return this.addon.openNetns(path);
  }

  async close(): Promise<void> {
    await this.#runner?.close();
  }
}
