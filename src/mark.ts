import { MARK_PREFIX } from "./plan/context.js";

/** The link group of one run, drawn at random; it is no secret. */
export function drawMark(): number {
  return (MARK_PREFIX | Math.floor(Math.random() * 0x10000)) >>> 0;
}
