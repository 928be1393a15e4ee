// Link messages by hand, for programs that have no TypeScript: the sanitizers' smoke test and the children of tests.
import { Buffer } from "node:buffer";

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const NLM_F_DUMP = 0x300;
/** Offset of ifi_index in a link message. */
export const IFINDEX = 20;
/** How the end of a link is announced: RTNLGRP_LINK. */
export const notice = (slot) => ({ group: 1, type: RTM_DELLINK, offset: IFINDEX, slot });

const NLM_F_CREATE_EXCL = 0x600;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;

function attribute(number, payload) {
  const bytes = Buffer.alloc((4 + payload.length + 3) & ~3);
  bytes.writeUInt16LE(4 + payload.length, 0);
  bytes.writeUInt16LE(number, 2);
  payload.copy(bytes, 4);
  return bytes;
}

const string = (text) => Buffer.from(`${text}\0`);

export function link(type, flags, ...attributes) {
  const header = Buffer.alloc(32);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  return new Uint8Array(Buffer.concat([header, ...attributes]));
}

export function veth(name, peer) {
  const other = attribute(VETH_INFO_PEER, Buffer.concat([Buffer.alloc(16), attribute(IFLA_IFNAME, string(peer))]));
  const info = Buffer.concat([attribute(IFLA_INFO_KIND, string("veth")), attribute(IFLA_INFO_DATA, other)]);
  return link(RTM_NEWLINK, NLM_F_CREATE_EXCL, attribute(IFLA_IFNAME, string(name)), attribute(IFLA_LINKINFO, info));
}

export const byName = (type, name) => link(type, 0, attribute(IFLA_IFNAME, string(name)));
