import { expect, test } from "vitest";
import { decodeReplies } from "../../../src/netlink/message.js";
import { hopLinks, hopsThrough } from "../../../src/netlink/nexthops.js";
import { encode } from "../../../src/netlink/nouns.js";
import { route, rtnhFlags } from "../../../src/netlink/route.js";
import { golden, request } from "./golden.js";

/** What `ip route add 10.5.0.0/16 nexthop via 192.168.1.1 weight 1 nexthop via 192.168.1.3 weight 2` sent. */
function captured() {
  const capture = golden("route").captures.find(({ command }) => command.includes("nexthop via"));
  if (capture === undefined) throw new Error("the captures hold no multipath route");
  const sent = request(capture);
  const [decoded] = decodeReplies(route, sent);
  if (decoded?.attributes.multipath === undefined) throw new Error("the capture holds no RTA_MULTIPATH");
  return { sent, decoded, multipath: decoded.attributes.multipath };
}

/** rtnh_ifindex of the first of two hops with a gateway each: struct rtnexthop and one attribute of 8 bytes. */
const HOP = 16;

function withLinks(multipath: Uint8Array, first: number, second: number): Uint8Array {
  const bytes = multipath.slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(4, first, true);
  view.setUint32(HOP + 4, second, true);
  return bytes;
}

test("the links of next hops, and their bytes back and forth", () => {
  const { sent, decoded, multipath } = captured();
  expect(hopLinks(multipath)).toEqual([0, 0]);
  expect(hopLinks(withLinks(multipath, 7, 9))).toEqual([7, 9]);
  const { bytes } = encode({
    noun: "route",
    type: "RTM_NEWROUTE",
    flags: ["NLM_F_CREATE", "NLM_F_EXCL"],
    header: decoded.header,
    attributes: decoded.attributes,
  });
  expect(bytes.length).toBe(sent.length);
});

test("another link in the place of one, by number or to be known later; states of the hops are not taken along", () => {
  const { multipath } = captured();
  const two = withLinks(multipath, 7, 9);
  two[2] = rtnhFlags.RTNH_F_LINKDOWN | rtnhFlags.RTNH_F_ONLINK;
  const message = (value: Parameters<typeof encode>[0]["attributes"]) =>
    encode({ noun: "route", type: "RTM_NEWROUTE", header: {}, attributes: value });
  const known = message({ multipath: hopsThrough(two, 9, 12, rtnhFlags.RTNH_F_ONLINK) });
  expect(known.relocations).toEqual([]);
  // struct nlmsghdr, struct rtmsg, struct nlattr.
  const payload = known.bytes.subarray(16 + 12 + 4);
  expect(hopLinks(payload)).toEqual([7, 12]);
  expect(payload[2]).toBe(rtnhFlags.RTNH_F_ONLINK);
  const open = message({ multipath: hopsThrough(two, 7, { slot: "bridge" }, 0) });
  expect(open.relocations).toEqual([{ offset: 16 + 12 + 4 + 4, slot: "bridge" }]);
  expect(open.bytes[16 + 12 + 4 + 2]).toBe(0);
});

test("bytes cut off in the middle of a hop give the hops before", () => {
  const { multipath } = captured();
  expect(hopLinks(withLinks(multipath, 7, 9).subarray(0, HOP + 4))).toEqual([7]);
  expect(hopLinks(new Uint8Array(16))).toEqual([0]);
});
