import {
  encodeEncap,
  ip6Encap,
  ipEncap,
  ipv6SrHdr,
  lwtunnelEncap,
  mplsEncap,
  seg6Encap,
  seg6Mode,
  tunnelFlags,
} from "../netlink/route-encap.js";
import { encodeStruct } from "../netlink/struct.js";
import { Writer } from "../netlink/wire.js";
import { ipBytes } from "../values/ipaddress.js";
import { readAddress } from "./address.js";
import { dsfieldArgument, type Names } from "./names.js";
import { parseUnsigned, unsignedArgument } from "./number.js";
import { be64Argument } from "./number64.js";
import { vocabulary } from "./vocabulary.js";
import type { Words } from "./words.js";

/** RTA_ENCAP_TYPE and RTA_ENCAP. */
export interface Encap {
  readonly encapType: number;
  readonly encap: Uint8Array;
}

const kinds = vocabulary({
  mpls: "mpls",
  ip: "ip",
  ip6: "ip6",
  seg6: "seg6",
  ila: "ila",
  bpf: "bpf",
  seg6local: "seg6local",
  rpl: "rpl",
  ioam6: "ioam6",
  xfrm: "xfrm",
});

/** Labels of 20 bits as a stack: the last has the bottom bit (RFC 3032, 2.1). */
function labelStack(words: Words): Uint8Array {
  const word = words.argument("a stack of MPLS labels");
  const writer = new Writer();
  const labels = word.text.split("/");
  for (const [i, label] of labels.entries()) {
    const value = parseUnsigned(label);
    if (value === undefined || value > 0xfffffn)
      throw words.refuse(word, "is not a stack of MPLS labels", "labels of 20 bits joined by /, such as 100/200");
    const bottom = i === labels.length - 1 ? 0x100 : 0;
    writer.be32(writer.reserve(4), Number(value) * 0x1000 + bottom);
  }
  return writer.finish();
}

function mpls(words: Words): Encap {
  const dst = labelStack(words);
  const ttl = words.literal("ttl") ? unsignedArgument(words, "a TTL", 255) : undefined;
  const values = ttl === undefined ? { dst } : { dst, ttl };
  return { encapType: lwtunnelEncap.LWTUNNEL_ENCAP_MPLS, encap: encodeEncap(mplsEncap, values) };
}

const ipWords = vocabulary({
  id: "id",
  dst: "dst",
  src: "src",
  tos: "tos",
  ttl: "ttl",
  key: "key",
  csum: "csum",
  seq: "seq",
  geneve: "geneve_opts",
  vxlan: "vxlan_opts",
  erspan: "erspan_opts",
});

const ip6Words = vocabulary({
  id: "id",
  dst: "dst",
  src: "src",
  tos: "tc",
  ttl: "hoplimit",
  key: "key",
  csum: "csum",
  seq: "seq",
  geneve: "geneve_opts",
  vxlan: "vxlan_opts",
  erspan: "erspan_opts",
});

/** `encap ip` and `encap ip6`, which differ in the names of two words. */
function tunnel(words: Words, names: Names, family: "inet" | "inet6"): Encap {
  const known = family === "inet" ? ipWords : ip6Words;
  const seen = new Set<string>();
  let id: Uint8Array | undefined;
  let dst: string | undefined;
  let src: string | undefined;
  let tos: number | undefined;
  let ttl: number | undefined;
  let flags = 0;
  for (;;) {
    const keyword = words.keyword(known);
    if (keyword === undefined) break;
    if (seen.has(keyword)) throw words.refuse(words.last as never, "is given twice");
    seen.add(keyword);
    switch (keyword) {
      case "id":
        id = be64Argument(words, "a tunnel id");
        break;
      case "dst":
        dst = readAddress(words, words.argument("an address"), family).address;
        break;
      case "src":
        src = readAddress(words, words.argument("an address"), family).address;
        break;
      case "tos":
        tos = dsfieldArgument(words, names);
        break;
      case "ttl":
        ttl = unsignedArgument(words, "a TTL", 255);
        break;
      case "key":
      case "csum":
      case "seq":
        flags |= tunnelFlags[keyword];
        break;
      default:
        throw words.refuse(
          words.last as never,
          "options of a tunnel's protocol are not among the words of this version",
        );
    }
  }
  const given = { ...(id && { id }), ...(dst && { dst }), ...(src && { src }), ...(flags !== 0 && { flags }) };
  if (family === "inet") {
    const values = { ...given, ...(ttl !== undefined && { ttl }), ...(tos !== undefined && { tos }) };
    return { encapType: lwtunnelEncap.LWTUNNEL_ENCAP_IP, encap: encodeEncap(ipEncap, values) };
  }
  const values = { ...given, ...(ttl !== undefined && { hoplimit: ttl }), ...(tos !== undefined && { tc: tos }) };
  return { encapType: lwtunnelEncap.LWTUNNEL_ENCAP_IP6, encap: encodeEncap(ip6Encap, values) };
}

const seg6Words = vocabulary({ mode: "mode", segs: "segs", hmac: "hmac" });
const seg6Modes = vocabulary({
  inline: "inline",
  encap: "encap",
  l2encap: "l2encap",
  "encap.red": "encap.red",
  "l2encap.red": "l2encap.red",
});
export const seg6ModeNumbers = {
  inline: seg6Mode.SEG6_IPTUN_MODE_INLINE,
  encap: seg6Mode.SEG6_IPTUN_MODE_ENCAP,
  l2encap: seg6Mode.SEG6_IPTUN_MODE_L2ENCAP,
  "encap.red": seg6Mode.SEG6_IPTUN_MODE_ENCAP_RED,
  "l2encap.red": seg6Mode.SEG6_IPTUN_MODE_L2ENCAP_RED,
} as const;

/** Type of a routing header for segments, IPV6_SRCRT_TYPE_4 (RFC 8754, 2). */
const SEGMENT_ROUTING = 4;
/** SR6_FLAG1_HMAC, and the TLV it announces: type 5, 38 bytes behind its two (linux/seg6_hmac.h). */
const HMAC_FLAG = 0x08;
const HMAC_TLV = { type: 5, length: 38 };

function seg6(words: Words): Encap {
  let mode: keyof typeof seg6ModeNumbers | undefined;
  let segments: string[] | undefined;
  let hmac: number | undefined;
  for (;;) {
    const keyword = words.keyword(seg6Words);
    if (keyword === undefined) break;
    const twice = { mode, segs: segments, hmac }[keyword] !== undefined;
    if (twice) throw words.refuse(words.last as never, "is given twice");
    if (keyword === "mode") mode = words.choice(seg6Modes, "a mode of segment routing");
    else if (keyword === "hmac") hmac = unsignedArgument(words, "the id of a key");
    else {
      if (mode === undefined) throw words.refuse(words.last as never, "mode and its word must stand before it");
      const word = words.argument("a list of segments");
      segments = word.text.split(",").map((text) => readAddress(words, { ...word, text }, "inet6").address);
    }
  }
  const { last } = words;
  if (segments === undefined) throw words.refuse(last as never, "segs and a list of segments are missing behind it");
  // The last segment stands first; inline, the packet's own destination is the last (RFC 8754, 4.1).
  const inline = mode === "inline";
  const listed = [...(inline ? ["::"] : []), ...[...segments].reverse()];
  const tlv = hmac === undefined ? 0 : HMAC_TLV.length + 2;
  const writer = new Writer();
  writer.s32(writer.reserve(4), seg6ModeNumbers[mode as keyof typeof seg6ModeNumbers]);
  encodeStruct(writer, ipv6SrHdr, {
    hdrlen: (listed.length * 16 + tlv) / 8,
    type: SEGMENT_ROUTING,
    segmentsLeft: listed.length - 1,
    firstSegment: listed.length - 1,
    flags: hmac === undefined ? 0 : HMAC_FLAG,
  });
  for (const segment of listed) writer.bytes(writer.reserve(16), ipBytes(segment));
  if (hmac !== undefined) {
    const at = writer.reserve(tlv);
    writer.u8(at, HMAC_TLV.type);
    writer.u8(at + 1, HMAC_TLV.length);
    writer.be32(at + 4, hmac);
  }
  return { encapType: lwtunnelEncap.LWTUNNEL_ENCAP_SEG6, encap: encodeEncap(seg6Encap, { srh: writer.finish() }) };
}

/** The words behind `encap`. Throws a refusal that names the word. */
export function readEncap(words: Words, names: Names): Encap {
  const kind = words.choice(kinds, "a kind of encapsulation");
  switch (kind) {
    case "mpls":
      return mpls(words);
    case "ip":
      return tunnel(words, names, "inet");
    case "ip6":
      return tunnel(words, names, "inet6");
    case "seg6":
      return seg6(words);
    default:
      throw words.refuse(words.last as never, "this kind of encapsulation is not among the words of this version");
  }
}
