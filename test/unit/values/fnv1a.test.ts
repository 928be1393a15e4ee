import { expect, test } from "vitest";
import { fnv1a64 } from "../../../src/values/fnv1a.js";

// Test vectors of draft-eastlake-fnv, appendix C.
test.each([
  ["", "cbf29ce484222325"],
  ["a", "af63dc4c8601ec8c"],
  ["foobar", "85944171f73967e8"],
  ["chongo was here!\n", "46810940eff5f915"],
])("FNV-1a of %j", (text, digits) => {
  expect(fnv1a64(text)).toBe(digits);
});
