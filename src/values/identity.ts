import { md5 } from "./md5.js";

let lastGuest = "";
let lastIfname = "";
let lastDigest = "";

/**
 * The digest that names of one attachment are cut from: 32 hex digits over guest and interface. One attach asks for it
 * seven times, so the last one is kept.
 */
export function identityDigest(guestId: string, ifname: string): string {
  if (guestId !== lastGuest || ifname !== lastIfname || lastDigest === "") {
    lastDigest = md5(`${guestId}\0${ifname}`);
    lastGuest = guestId;
    lastIfname = ifname;
  }
  return lastDigest;
}
