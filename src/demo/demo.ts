import { attach } from "../attach.js";
import { detach } from "../detach.js";
import { parseEngineAddress } from "../guests/engine-address.js";
import { Instance } from "../instance.js";
import type { NativeNetns } from "../kernel/native.js";
import { ping } from "../kernel/ping.js";
import { list } from "../list.js";
import { PipeworkError } from "../values/error.js";
import { DemoContainers } from "./containers.js";

const BRIDGE = "br-demo";
const NAMES = ["pipework-demo-1", "pipework-demo-2"] as const;
/** TEST-NET-1, RFC 5737. */
const ADDRESSES = ["192.0.2.1", "192.0.2.2"] as const;
const PINGS = 3;

export interface DemoOptions {
  /** Path of the engine's unix socket; its absence is no error. Default: that of DOCKER_HOST, else /var/run/docker.sock. */
  readonly socket?: string;
  /** False: throw-away namespaces instead of containers. */
  readonly containers?: boolean;
}

/** Where containers are started; an engine that is reached over TCP may well be on another machine. */
function engineSocket(): string | undefined {
  const address = parseEngineAddress(undefined, process.env);
  return address.kind === "unix" ? address.path : undefined;
}

function pathOf(netns: NativeNetns): string {
  return `netns:/proc/${process.pid}/fd/${netns.fd}`;
}

/** The guests: containers where an engine runs, else namespaces. Both are thrown away at the end. */
async function makeGuests(
  instance: Instance,
  options: DemoOptions,
  print: (line: string) => void,
  cleanup: (() => unknown)[],
): Promise<string[]> {
  const socket = options.socket ?? engineSocket();
  if (socket === undefined) print("DOCKER_HOST names no unix socket: two throw-away namespaces stand for containers");
  if (options.containers !== false && socket !== undefined) {
    try {
      const containers = await DemoContainers.start(socket, NAMES);
      if (containers !== undefined) {
        cleanup.push(() => containers.remove());
        print(`two containers, ${NAMES.join(" and ")}, started by the engine at ${socket} with no network at all`);
        return NAMES.map((name) => `docker:${name}`);
      }
      print(
        `no container engine at ${socket} (or no static /bin/busybox to run in one): two throw-away namespaces stand for containers`,
      );
    } catch (error) {
      print(
        `the engine at ${socket} cannot start containers (${(error as Error).message}): two throw-away namespaces stand for them`,
      );
    }
  }
  const guests: string[] = [];
  for (const _ of NAMES) {
    const netns = await instance.runner.createNetns();
    cleanup.push(() => netns.close());
    guests.push(pathOf(netns));
  }
  return guests;
}

/**
 * Wires two guests to a bridge and lets one ping the other. The host side is a throw-away namespace as well: whatever
 * firewall or bridges this machine has, nothing of it is touched or in the way.
 * @throws PipeworkError when anything of it does not work
 */
export async function demo(print: (line: string) => void, options: DemoOptions = {}): Promise<void> {
  const maker = new Instance({});
  const cleanup: (() => unknown)[] = [() => maker.close()];
  try {
    const host = await maker.runner.createNetns();
    cleanup.push(() => host.close());
    print("a throw-away namespace stands for the host: nothing on this machine is touched");
    const engine = options.socket === undefined ? {} : { docker: `unix://${options.socket}` };
    const instance = new Instance({ host: pathOf(host), ...engine });
    cleanup.push(() => instance.close());
    const guests = await makeGuests(maker, options, print, cleanup);
    for (const [i, guest] of guests.entries()) {
      const started = performance.now();
      const done = await attach(instance, { guest, to: BRIDGE, ifname: "eth1", addresses: [`${ADDRESSES[i]}/24`] });
      print(
        `${NAMES[i]}: ${done.ifname} ${done.addresses.join(" ")} on ${done.to}, MAC ${done.mac}, in ${(performance.now() - started).toFixed(2)} ms`,
      );
    }
    const first = await instance.resolve(guests[0] as string, {});
    try {
      for (let sequence = 1; sequence <= PINGS; sequence++) {
        const ms = await ping(instance.runner, first.netns, ADDRESSES[1], {
          identifier: process.pid & 0xffff,
          sequence,
          timeoutMs: 2000,
        });
        if (ms === undefined) {
          throw new PipeworkError({
            code: "internal",
            message: `${ADDRESSES[0]} pinged ${ADDRESSES[1]} over ${BRIDGE} and had no answer within 2 s`,
          });
        }
        print(`${ADDRESSES[0]} pings ${ADDRESSES[1]}: answer ${sequence} after ${ms.toFixed(2)} ms`);
      }
    } finally {
      first.close();
    }
    for (const guest of guests) await detach(instance, { guest, ifname: "eth1" });
    const left = await list(instance);
    if (left.length > 0)
      throw new PipeworkError({ code: "internal", message: `${left.length} attachments are left after detaching` });
    print("both detached again, nothing left");
  } finally {
    for (const undo of cleanup.reverse()) await undo();
  }
}
