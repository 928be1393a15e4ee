import {
  decodeEncap,
  ip6Encap,
  ipEncap,
  ipv6SrHdr,
  lwtunnelEncap,
  mplsEncap,
  seg6Encap,
  tunnelFlags,
} from "../netlink/route-encap.js";
import { decodeStruct } from "../netlink/struct.js";
import { Reader } from "../netlink/wire.js";
import { formatIp } from "../values/ipaddress.js";
import { seg6ModeNumbers } from "./encap-words.js";
import { be64Value } from "./number64.js";
import type { Printout } from "./printout.js";

const kindNames: Readonly<Record<number, string>> = {
  [lwtunnelEncap.LWTUNNEL_ENCAP_MPLS]: "mpls",
  [lwtunnelEncap.LWTUNNEL_ENCAP_IP]: "ip",
  [lwtunnelEncap.LWTUNNEL_ENCAP_ILA]: "ila",
  [lwtunnelEncap.LWTUNNEL_ENCAP_IP6]: "ip6",
  [lwtunnelEncap.LWTUNNEL_ENCAP_SEG6]: "seg6",
  [lwtunnelEncap.LWTUNNEL_ENCAP_BPF]: "bpf",
  [lwtunnelEncap.LWTUNNEL_ENCAP_SEG6_LOCAL]: "seg6local",
  [lwtunnelEncap.LWTUNNEL_ENCAP_RPL]: "rpl",
};

function printTunnelFlags(out: Printout, flags: number | undefined): void {
  for (const name of ["key", "csum", "seq"] as const)
    if (((flags ?? 0) & tunnelFlags[name]) !== 0) out.put(name, true, `${name} `);
}

function printId(out: Printout, id: Uint8Array | undefined): void {
  const number = id === undefined ? undefined : be64Value(id);
  if (number !== undefined) out.put("id", number, `id ${number} `);
}

function printIp(out: Printout, payload: Uint8Array): void {
  const { id, src, dst, ttl, tos, flags } = decodeEncap(ipEncap, payload);
  printId(out, id);
  if (src !== undefined) out.put("src", src, `src ${src} `);
  if (dst !== undefined) out.put("dst", dst, `dst ${dst} `);
  if (ttl !== undefined) out.put("ttl", ttl, `ttl ${ttl} `);
  if (tos !== undefined) out.put("tos", tos, `tos ${tos} `);
  printTunnelFlags(out, flags);
}

function printIp6(out: Printout, payload: Uint8Array): void {
  const { id, src, dst, hoplimit, tc, flags } = decodeEncap(ip6Encap, payload);
  printId(out, id);
  if (src !== undefined) out.put("src", src, `src ${src} `);
  if (dst !== undefined) out.put("dst", dst, `dst ${dst} `);
  if (hoplimit !== undefined) out.put("hoplimit", hoplimit, `hoplimit ${hoplimit} `);
  if (tc !== undefined) out.put("tc", tc, `tc ${tc} `);
  printTunnelFlags(out, flags);
}

function printMpls(out: Printout, payload: Uint8Array): void {
  const { dst, ttl } = decodeEncap(mplsEncap, payload);
  if (dst !== undefined) {
    const reader = new Reader(dst);
    const labels: number[] = [];
    for (let at = 0; at + 4 <= dst.length; at += 4) labels.push(reader.be32(at) >>> 12);
    const stack = labels.join("/");
    out.put("dst", stack, ` ${stack} `);
  }
  if (ttl !== undefined) out.put("ttl", ttl, `ttl ${ttl} `);
}

function printSeg6(out: Printout, payload: Uint8Array): void {
  const { srh } = decodeEncap(seg6Encap, payload);
  if (srh === undefined || srh.length < 4 + ipv6SrHdr.size) return;
  const reader = new Reader(srh);
  const number = reader.s32(0);
  const mode = Object.entries(seg6ModeNumbers).find(([, one]) => one === number)?.[0] ?? "<unknown>";
  const { firstSegment, flags } = decodeStruct(reader.slice(4, 4 + ipv6SrHdr.size), ipv6SrHdr);
  out.put("mode", mode, `mode ${mode} `);
  const segments: string[] = [];
  for (let i = firstSegment; i >= 0; i--) {
    const at = 4 + ipv6SrHdr.size + i * 16;
    if (at + 16 > srh.length) continue;
    // Inline, the last is the place of the packet's own destination, and shown as ::.
    segments.push(formatIp(srh.subarray(at, at + 16)));
  }
  const total = segments.length;
  out.put("segs", { list: segments }, `segs ${total} [ ${segments.map((one) => `${one} `).join("")}] `);
  if ((flags & 0x08) !== 0) {
    const at = 4 + ipv6SrHdr.size + (firstSegment + 1) * 16 + 4;
    if (at + 4 <= srh.length) {
      const key = `0x${reader.be32(at).toString(16).toUpperCase()}`;
      out.put("hmac", key, `hmac ${key} `);
    }
  }
}

/** The encapsulation of a route or a next hop. */
export function printEncap(out: Printout, type: number, payload: Uint8Array): void {
  const kind = kindNames[type] ?? "unknown";
  out.put("encap", kind, ` encap ${kind} `);
  bodies[type]?.(out, payload);
}

const bodies: Readonly<Record<number, (out: Printout, payload: Uint8Array) => void>> = {
  [lwtunnelEncap.LWTUNNEL_ENCAP_MPLS]: printMpls,
  [lwtunnelEncap.LWTUNNEL_ENCAP_IP]: printIp,
  [lwtunnelEncap.LWTUNNEL_ENCAP_IP6]: printIp6,
  [lwtunnelEncap.LWTUNNEL_ENCAP_SEG6]: printSeg6,
};
