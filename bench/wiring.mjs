import { inGuest } from "./stage.mjs";

/** Long enough for the RCU grace periods of a delete whose ack is collected in the background. */
export const reapMs = 60;

export const bridge = "br0";
export const gateway = "10.77.0.1";

/** What both sides are asked for. `number` makes address and MAC unique on the bridge. */
export function wish(number) {
  const hex = number.toString(16).padStart(4, "0");
  return {
    to: bridge,
    ifname: "eth1",
    address: `10.77.${1 + (number >> 8)}.${number & 255}/16`,
    gateway,
    mac: `02:77:00:00:${hex.slice(0, 2)}:${hex.slice(2)}`,
    mtu: 1500,
    hostIfname: `vb${number}`,
  };
}

export function request(guest, number, more = {}) {
  const { address, ...rest } = wish(number);
  return { guest, ...rest, addresses: [address], ...more };
}

/** State of one attachment as iproute2 sees it, without what differs by nature (ifindexes, the host end's own MAC). */
export function observe(path, { ifname, hostIfname }) {
  const read = (...words) => JSON.parse(inGuest(path, "ip", "-j", ...words));
  const host = JSON.parse(inGuest("/proc/self/ns/net", "ip", "-j", "-d", "link", "show", "dev", hostIfname))[0];
  const [guest] = read("-d", "link", "show", "dev", ifname);
  const [{ addr_info: addresses }] = read("-4", "address", "show", "dev", ifname);
  const link = (l) => ({
    mtu: l.mtu,
    kind: l.linkinfo?.info_kind,
    up: l.flags.includes("UP") && l.flags.includes("LOWER_UP"),
    queues: [l.num_tx_queues, l.num_rx_queues],
  });
  return {
    guest: { ...link(guest), mac: guest.address },
    host: { ...link(host), master: host.master, alias: typeof host.ifalias === "string" },
    addresses: addresses.map((a) => `${a.local}/${a.prefixlen} brd ${a.broadcast}`),
    routes: read("-4", "route", "show").map((r) => `${r.dst} ${r.gateway ?? ""} ${r.dev}`),
  };
}
