import { DockerEngine } from "./guests/docker.js";
import { DOCKER, type EngineKind, PODMAN } from "./guests/engine-kind.js";
import type { LiveGuest } from "./guests/guest.js";
import { hostNetwork } from "./guests/host-network.js";
import { lxcDirectory } from "./guests/lxc-directory.js";
import type { LxcHost } from "./guests/lxc-host.js";
import { resolveGuest } from "./guests/resolve.js";
import { Kernel } from "./kernel/kernel.js";
import type { NativeAddon, NativeNetns, NativeRunner } from "./kernel/native.js";
import { fromNative, type LockOptions } from "./kernel/transaction.js";
import type { LinkView } from "./plan/view.js";
import { PipeworkError } from "./values/error.js";

export interface PipeworkOptions {
  /** The engine: unix:///path, tcp://host:port. Default: DOCKER_HOST, else unix:///var/run/docker.sock. */
  docker?: string | undefined;
  /** Podman as root: unix:///path. Default: CONTAINER_HOST, else unix:///run/podman/podman.sock. */
  podman?: string | undefined;
  /** The directory of LXC's containers. Default: lxc.lxcpath of /etc/lxc/lxc.conf, else /var/lib/lxc. */
  lxc?: string | undefined;
  /** For a process that asks an engine once and ends: a connection per question, quicker to start. */
  oneShot?: boolean | undefined;
  /**
   * The namespace whose bridges and NICs guests are attached to, and in which LXC's monitors are asked, as netns:NAME or
   * netns:/path. Default: the caller's own.
   */
  host?: string | undefined;
  /** Where the lock and the records live. Default: /run/pipework. */
  runDir?: string | undefined;
}

/** Milliseconds. The lock is held for about one of them per interface. */
const LOCK_MS = 10_000;

/** What an instance owns: the namespace thread, the engine connection, the identity of the host side. All of it on first use. */
export class Instance {
  readonly runDir: string;
  /** Bridges as they were at the last ordinary attach, by name: what the next one guesses. */
  readonly bridges = new Map<string, LinkView>();
  readonly #options: PipeworkOptions;
  readonly kernel: Kernel;
  #docker: DockerEngine | undefined;
  #podman: DockerEngine | undefined;
  #lxc: LxcHost | undefined;
  #host: NativeNetns | undefined;
  #own: NativeNetns | undefined;
  #home: { dev: number; ino: number } | undefined;
  #closed = false;

  /** `load` is the seam for tests: a fake kernel, or the real one with faults injected. */
  constructor(options: PipeworkOptions, load?: () => NativeAddon) {
    this.#options = options;
    this.kernel = new Kernel(load);
    this.runDir = options.runDir ?? "/run/pipework";
  }

  get runner(): NativeRunner {
    if (this.#closed) throw new PipeworkError({ code: "closed", message: "this instance is closed" });
    return this.kernel.runner;
  }

  get docker(): DockerEngine {
    this.#docker ??= this.#engine(DOCKER, this.#options.docker);
    return this.#docker;
  }

  get podman(): DockerEngine {
    this.#podman ??= this.#engine(PODMAN, this.#options.podman);
    return this.#podman;
  }

  get lxc(): LxcHost {
    this.#lxc ??= {
      directory: lxcDirectory(this.#options.lxc),
      converse: (options) => this.runner.converse({ ...options, netns: this.host }),
    };
    return this.#lxc;
  }

  #engine(kind: EngineKind, host: string | undefined): DockerEngine {
    return new DockerEngine({
      kind,
      host,
      env: process.env,
      oneShot: this.#options.oneShot,
      converse: (options) => this.runner.converse(options),
    });
  }

  /** The host side's namespace; null is the caller's own, which needs no descriptor. */
  get host(): NativeNetns | null {
    const { host } = this.#options;
    if (host === undefined) return null;
    if (this.#host === undefined) {
      const name = host.replace(/^netns:/, "");
      const path = name.startsWith("/") ? name : `/run/netns/${name}`;
      try {
        this.#host = this.kernel.openNetns(path);
      } catch (error) {
        throw fromNative(error, `opening ${path}, the namespace of the host side`);
      }
    }
    return this.#host;
  }

  /** A descriptor of the host side's namespace, for what is moved back there. */
  get hostNetns(): NativeNetns {
    if (this.host !== null) return this.host;
    this.#own ??= this.kernel.openNetns("/proc/thread-self/ns/net");
    return this.#own;
  }

  /** Identity of the host side's namespace: a guest in it is refused, and records are kept by it. */
  get home(): { readonly dev: number; readonly ino: number } {
    if (this.#home === undefined) {
      const own = this.host === null ? this.kernel.openNetns("/proc/thread-self/ns/net") : undefined;
      const { dev, ino } = (own ?? this.host) as NativeNetns;
      own?.close();
      this.#home = { dev, ino };
    }
    return this.#home;
  }

  get recordDir(): string {
    return `${this.runDir}/${this.home.ino}`;
  }

  /** The lock that changes are made under, with how long one waits for it. */
  lockFor({ timeoutMs, signal }: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined }): LockOptions {
    return { runDir: this.runDir, timeoutMs: timeoutMs ?? LOCK_MS, signal };
  }

  async resolve(
    ref: string,
    limits: { timeoutMs?: number | undefined; patienceMs?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<LiveGuest> {
    if (this.#closed) throw new PipeworkError({ code: "closed", message: "this instance is closed" });
    const { kernel, home } = this;
    const guest = await resolveGuest(ref, {
      openNetns: (path) => kernel.openNetns(path),
      home,
      docker: () => this.docker,
      podman: () => this.podman,
      lxc: () => this.lxc,
      ...limits,
    });
    if (this.host !== null) this.#refuseOwn(guest);
    return guest;
  }

  /** Where the host side is another namespace, this process's own is still not to be taken for a guest. */
  #refuseOwn(guest: LiveGuest): void {
    const own = this.kernel.openNetns("/proc/thread-self/ns/net");
    own.close();
    if (own.ino !== guest.netns.ino || own.dev !== guest.netns.dev) return;
    guest.close();
    throw hostNetwork(guest.ref, "it");
  }

  /** Finishes what runs, refuses what comes. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#docker?.close();
    this.#podman?.close();
    await this.kernel.close();
    this.#host?.close();
    this.#own?.close();
  }
}
