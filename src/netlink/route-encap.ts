import {
  type AttributeSet,
  decodeAttributes,
  defineAttributes,
  encodeAttributes,
  type Rows,
  row,
} from "./attribute.js";
import { bytes, ip } from "./attribute-bytes.js";
import { be16, s32, u8, u32 } from "./attribute-integer.js";
import { nested } from "./attribute-nested.js";
import { defineStruct } from "./struct.js";
import { Reader, Writer } from "./wire.js";

/** RTA_ENCAP_TYPE, linux/lwtunnel.h: what RTA_ENCAP holds. */
export const lwtunnelEncap = {
  LWTUNNEL_ENCAP_MPLS: 1,
  LWTUNNEL_ENCAP_IP: 2,
  LWTUNNEL_ENCAP_ILA: 3,
  LWTUNNEL_ENCAP_IP6: 4,
  LWTUNNEL_ENCAP_SEG6: 5,
  LWTUNNEL_ENCAP_BPF: 6,
  LWTUNNEL_ENCAP_SEG6_LOCAL: 7,
  LWTUNNEL_ENCAP_RPL: 8,
} as const;

/** Flags of LWTUNNEL_IP_FLAGS: TUNNEL_CSUM, TUNNEL_KEY, TUNNEL_SEQ of linux/if_tunnel.h, in network byte order there. */
export const tunnelFlags = { csum: 1, key: 4, seq: 8 } as const;

/** linux/mpls_iptunnel.h: `dst` is a stack of labels of 4 bytes each, in network byte order. */
export const mplsEncap = defineAttributes("MPLS_IPTUNNEL", {
  dst: row("MPLS_IPTUNNEL_DST", 1, bytes),
  ttl: row("MPLS_IPTUNNEL_TTL", 2, u8),
});

/** linux/lwtunnel.h. `id` is a number of 8 bytes in network byte order. */
export const ipEncap = defineAttributes("LWTUNNEL_IP", {
  id: row("LWTUNNEL_IP_ID", 1, bytes),
  dst: row("LWTUNNEL_IP_DST", 2, ip),
  src: row("LWTUNNEL_IP_SRC", 3, ip),
  ttl: row("LWTUNNEL_IP_TTL", 4, u8),
  tos: row("LWTUNNEL_IP_TOS", 5, u8),
  flags: row("LWTUNNEL_IP_FLAGS", 6, be16),
});
export const ip6Encap = defineAttributes("LWTUNNEL_IP6", {
  id: row("LWTUNNEL_IP6_ID", 1, bytes),
  dst: row("LWTUNNEL_IP6_DST", 2, ip),
  src: row("LWTUNNEL_IP6_SRC", 3, ip),
  hoplimit: row("LWTUNNEL_IP6_HOPLIMIT", 4, u8),
  tc: row("LWTUNNEL_IP6_TC", 5, u8),
  flags: row("LWTUNNEL_IP6_FLAGS", 6, be16),
});

/** linux/seg6_iptunnel.h: `srh` is a mode (int) and a struct ipv6_sr_hdr with its segments. */
export const seg6Encap = defineAttributes("SEG6_IPTUNNEL", { srh: row("SEG6_IPTUNNEL_SRH", 1, bytes) });
export const seg6Mode = {
  SEG6_IPTUN_MODE_INLINE: 0,
  SEG6_IPTUN_MODE_ENCAP: 1,
  SEG6_IPTUN_MODE_L2ENCAP: 2,
  SEG6_IPTUN_MODE_ENCAP_RED: 3,
  SEG6_IPTUN_MODE_L2ENCAP_RED: 4,
} as const;
/** struct ipv6_sr_hdr, linux/seg6.h (RFC 8754); segments of 16 bytes follow, the last one first. */
export const ipv6SrHdr = defineStruct("ipv6_sr_hdr", 8, "", {
  nexthdr: [0, "u8"],
  hdrlen: [1, "u8"],
  type: [2, "u8"],
  segmentsLeft: [3, "u8"],
  firstSegment: [4, "u8"],
  flags: [5, "u8"],
  tag: [6, "be16"],
});

/** linux/seg6_local.h. */
const seg6Counters = defineAttributes("SEG6_LOCAL_CNT", {
  pad: row("SEG6_LOCAL_CNT_PAD", 1, bytes),
  packets: row("SEG6_LOCAL_CNT_PACKETS", 2, bytes),
  bytes: row("SEG6_LOCAL_CNT_BYTES", 3, bytes),
  errors: row("SEG6_LOCAL_CNT_ERRORS", 4, bytes),
});
export const seg6LocalEncap = defineAttributes("SEG6_LOCAL", {
  action: row("SEG6_LOCAL_ACTION", 1, u32),
  srh: row("SEG6_LOCAL_SRH", 2, bytes),
  table: row("SEG6_LOCAL_TABLE", 3, u32),
  nh4: row("SEG6_LOCAL_NH4", 4, ip),
  nh6: row("SEG6_LOCAL_NH6", 5, ip),
  iif: row("SEG6_LOCAL_IIF", 6, s32),
  oif: row("SEG6_LOCAL_OIF", 7, s32),
  vrftable: row("SEG6_LOCAL_VRFTABLE", 9, u32),
  counters: row("SEG6_LOCAL_COUNTERS", 10, nested(seg6Counters)),
});
export const seg6LocalAction = {
  SEG6_LOCAL_ACTION_END: 1,
  SEG6_LOCAL_ACTION_END_X: 2,
  SEG6_LOCAL_ACTION_END_T: 3,
  SEG6_LOCAL_ACTION_END_DX2: 4,
  SEG6_LOCAL_ACTION_END_DX6: 5,
  SEG6_LOCAL_ACTION_END_DX4: 6,
  SEG6_LOCAL_ACTION_END_DT6: 7,
  SEG6_LOCAL_ACTION_END_DT4: 8,
  SEG6_LOCAL_ACTION_END_B6: 9,
  SEG6_LOCAL_ACTION_END_B6_ENCAP: 10,
  SEG6_LOCAL_ACTION_END_BM: 11,
  SEG6_LOCAL_ACTION_END_S: 12,
  SEG6_LOCAL_ACTION_END_AS: 13,
  SEG6_LOCAL_ACTION_END_AM: 14,
  SEG6_LOCAL_ACTION_END_BPF: 15,
  SEG6_LOCAL_ACTION_END_DT46: 16,
} as const;

/** The payload of RTA_ENCAP. Throws EncodeError for a value that does not fit. */
export function encodeEncap<R extends Rows>(set: AttributeSet<R>, values: Parameters<typeof encodeAttributes<R>>[2]) {
  const writer = new Writer();
  encodeAttributes(writer, set, values);
  return writer.finish();
}

/** Throws DecodeError. */
export function decodeEncap<R extends Rows>(set: AttributeSet<R>, payload: Uint8Array) {
  return decodeAttributes(new Reader(payload), set);
}
