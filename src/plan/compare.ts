import { rtProt } from "../netlink/route.js";
import { type Prefix, prefixText } from "../values/prefix.js";
import { kindOf, typeOfLink } from "./kinds.js";
import type { LinkType } from "./request.js";
import type { AddressView, AttachView, LinkView, RouteView } from "./view.js";
import type { AttachWish, RouteWish } from "./wish.js";

export function missingAddresses(wish: AttachWish, there: readonly AddressView[]): Prefix[] {
  return wish.addresses.filter((a) => !there.some((t) => t.address === a.address && t.prefixlen === a.prefixlen));
}

export function missingRoutes(wish: AttachWish, index: number, there: readonly RouteView[]): RouteWish[] {
  return wish.routes.filter(
    ({ destination, via }) =>
      !there.some(
        (r) =>
          r.family === destination.family &&
          r.dst === destination.network &&
          r.dstLen === destination.prefixlen &&
          r.oif === index &&
          r.via === via,
      ),
  );
}

/** What an existing link of ours has otherwise than the request states, each as "has X, not Y". Unstated things never differ. */
export function differences(wish: AttachWish, view: AttachView, link: LinkView, type: LinkType): string[] {
  const found: string[] = [];
  const differs = (what: string, is: unknown, wished: unknown) => {
    if (wished === undefined || is === wished) return;
    found.push(is === undefined ? `${what} ${String(wished)}` : `${what} ${String(is)}, not ${String(wished)}`);
  };
  const there = view.guest.memory?.type ?? typeOfLink(link);
  differs("is of type", there ?? link.kind ?? "an interface", type);
  if (there === type) {
    kindOf(type).differences(wish, view, link, differs);
    differs("has MAC", link.address, wish.mac);
    differs("has MTU", link.mtu, wish.mtu);
  }
  for (const family of ["inet", "inet6"] as const) {
    const via = wish.gateways[family];
    if (via === undefined) continue;
    const own = view.guest.routes.find(
      (r) => r.family === family && r.dstLen === 0 && r.oif === link.index && r.protocol !== rtProt.RTPROT_RA,
    );
    if (own === undefined) continue;
    differs("has gateway", own.via ?? "none", via);
    differs("has metric", own.metric, family === "inet6" && wish.metric === 0 ? undefined : wish.metric);
  }
  return found;
}

/** For a refusal: what is there, in a few words. */
export function describeLink(link: LinkView, addresses: readonly AddressView[], peer: LinkView | undefined): string {
  const words = [link.kind === "veth" ? "a veth" : link.kind === undefined ? "an interface" : `a ${link.kind}`];
  if (peer !== undefined) words.push(`(host end ${peer.name})`);
  if (link.address !== undefined) words.push(`with MAC ${link.address}`);
  const texts = addresses.map((a) => prefixText(a)).filter((text) => !text.startsWith("fe80:"));
  if (texts.length > 0) words.push(`and ${texts.join(", ")}`);
  return words.join(" ");
}
