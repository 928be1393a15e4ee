import type { NativeNetns } from "../../src/kernel/native.js";
import type { FakeKernel } from "./kernel.js";
import type { FakeNamespace } from "./link.js";

/** A descriptor of a fake namespace. */
export class FakeNetns implements NativeNetns {
  readonly dev = 4;
  readonly ino: number;
  readonly namespace: FakeNamespace;
  readonly #kernel: FakeKernel;
  #fd: number;

  constructor(kernel: FakeKernel, namespace: FakeNamespace) {
    this.#kernel = kernel;
    this.namespace = namespace;
    this.ino = namespace.ino;
    this.#fd = kernel.open(namespace);
  }

  get fd(): number {
    return this.#fd;
  }

  get closed(): boolean {
    return this.#fd === -1;
  }

  close(): void {
    if (this.#fd === -1) return;
    this.#kernel.closeDescriptor(this.#fd);
    this.#fd = -1;
  }
}
