import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { ResolveContext } from "../../../src/guests/context.js";
import type { DockerEngine } from "../../../src/guests/docker.js";
import type { NativeError, NativeNetns } from "../../../src/kernel/native.js";
import { temporaryDirectory } from "./scripted-engine.js";

/**
 * A machine without a kernel: a directory with proc/ and netns/, in which ordinary files stand for namespaces. A file's inode
 * is the namespace's, so a hard link to it is a bind mount of the same one. When the test ends every descriptor has to be closed
 * except those of guests it still holds.
 */
export class FakeMachine {
  readonly root = temporaryDirectory();
  readonly opened: NativeNetns[] = [];
  /** What the next open throws instead. */
  failure: Partial<NativeError> | null = null;
  readonly home: { dev: number; ino: number };

  constructor() {
    this.home = this.namespace("proc/1/ns/net");
    mkdirSync(join(this.root, "netns"));
    onTestFinished(() => expect(this.opened.filter(({ closed }) => !closed)).toEqual([]));
  }

  path(name: string): string {
    return join(this.root, name);
  }

  /** Makes a namespace; its identity. */
  namespace(name: string): { dev: number; ino: number } {
    this.file(name, "a namespace");
    const { dev, ino } = statSync(this.path(name));
    return { dev, ino };
  }

  file(name: string, content: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
  }

  context(engine: DockerEngine | null, more: Partial<ResolveContext> = {}): ResolveContext {
    return {
      openNetns: (path) => this.#open(path),
      home: this.home,
      docker: () => {
        if (engine === null) throw new Error("no engine may be asked");
        return engine;
      },
      proc: this.path("proc"),
      netnsDirectories: [this.path("netns")],
      ...more,
    };
  }

  #open(path: string): NativeNetns {
    if (this.failure !== null) throw Object.assign(new Error("the kernel's words"), this.failure);
    let identity: { dev: number; ino: number };
    try {
      identity = statSync(path);
    } catch (error) {
      throw Object.assign(new Error("No such file or directory"), {
        errno: -((error as NodeJS.ErrnoException).errno ?? 0),
      });
    }
    let closed = false;
    const netns: NativeNetns = {
      dev: identity.dev,
      ino: identity.ino,
      get fd() {
        return closed ? -1 : 99;
      },
      get closed() {
        return closed;
      },
      close() {
        closed = true;
      },
    };
    this.opened.push(netns);
    return netns;
  }
}
