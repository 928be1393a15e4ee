import { Reader } from "../../src/netlink/wire.js";
import { addressMessage } from "./address-messages.js";
import { ipv6Switched } from "./ip-stack.js";
import type { FakeLink, FakeNamespace } from "./link.js";
import { linkMessage } from "./link-messages.js";
import { LinkTable } from "./link-table.js";
import { Refusal } from "./refusal.js";
import { routeMessage } from "./route-messages.js";

export interface FakeAnswer {
  readonly errno: number;
  readonly text?: string;
  readonly replies: Uint8Array;
}

const SYSCTL = /^\/proc\/sys\/net\/ipv6\/conf\/([^/]+)\/([a-z0-9_]+)$/;
const noReply = new Uint8Array();

/** Namespaces with links, addresses, routes and sysctls, that answers the very bytes the real kernel is sent. */
export class FakeKernel {
  readonly namespaces: FakeNamespace[] = [];
  readonly links = new LinkTable();
  readonly #descriptors = new Map<number, FakeNamespace>();
  #nextDescriptor = 100;
  #nextInode = 4026532000;

  constructor() {
    this.links.namespaces = this.namespaces;
  }

  /** `ipv6` false: as Docker makes its namespaces. */
  addNamespace(path: string, { ipv6 = true }: { ipv6?: boolean } = {}): FakeNamespace {
    const ns: FakeNamespace = {
      path,
      ino: this.#nextInode++,
      alive: true,
      links: [],
      addresses: [],
      routes: [],
      ipv6Defaults: new Map([
        ["disable_ipv6", ipv6 ? "0" : "1"],
        ["accept_ra", "1"],
        ["ndisc_notify", "0"],
      ]),
    };
    this.namespaces.push(ns);
    this.links.create(ns, { name: "lo", kind: undefined, address: undefined });
    return ns;
  }

  namespaceAt(path: string): FakeNamespace | undefined {
    return this.namespaces.find((ns) => ns.alive && ns.path === path);
  }

  open(ns: FakeNamespace): number {
    const descriptor = this.#nextDescriptor++;
    this.#descriptors.set(descriptor, ns);
    return descriptor;
  }

  closeDescriptor(descriptor: number): void {
    this.#descriptors.delete(descriptor);
  }

  get openDescriptors(): number {
    return this.#descriptors.size;
  }

  namespaceOfDescriptor(descriptor: number): FakeNamespace {
    const ns = this.#descriptors.get(descriptor);
    if (ns === undefined) throw new Refusal("EBADF");
    return ns;
  }

  /** Handles one message sent on a socket of that namespace. */
  request(ns: FakeNamespace, bytes: Uint8Array): FakeAnswer {
    try {
      return { errno: 0, replies: this.#handle(ns, bytes) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { errno: error.errno, ...(error.text === undefined ? {} : { text: error.text }), replies: noReply };
    }
  }

  #handle(ns: FakeNamespace, bytes: Uint8Array): Uint8Array {
    const type = new Reader(bytes).u16(4);
    // Each object has four message types, of which the lowest is a multiple of four (linux/rtnetlink.h).
    switch (type >> 2) {
      case 4:
        return linkMessage(this, ns, bytes);
      case 5:
        return addressMessage(this, ns, bytes);
      case 6:
        return routeMessage(this, ns, bytes);
      default:
        throw new Refusal("EOPNOTSUPP");
    }
  }

  #sysctl(ns: FakeNamespace, path: string): { link: FakeLink; key: string } {
    const [, name, key] = SYSCTL.exec(path) ?? [];
    const link = name === undefined ? undefined : this.links.find(ns, name);
    if (link === undefined || key === undefined || !link.ipv6.has(key)) throw new Refusal("ENOENT");
    return { link, key };
  }

  readSysctl(ns: FakeNamespace, path: string): string {
    const { link, key } = this.#sysctl(ns, path);
    return link.ipv6.get(key) as string;
  }

  writeSysctl(ns: FakeNamespace, path: string, value: string): void {
    const { link, key } = this.#sysctl(ns, path);
    const before = link.ipv6.get(key);
    link.ipv6.set(key, value);
    if (key === "disable_ipv6" && before !== value) ipv6Switched(link, value === "1");
  }
}
