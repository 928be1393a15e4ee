// What "vitest" means inside the machine: vitest's own runner and expect without what surrounds them, whose start takes an
// emulated processor 20 s. No `vi`, no `inject`, no snapshots, no `expect.poll`.
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  ChaiStyleAssertions,
  chai,
  customMatchers,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import { getCurrentTest } from "@vitest/runner";

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  onTestFailed,
  onTestFinished,
  suite,
  test,
} from "@vitest/runner";

for (const plugin of [JestExtend, JestChaiExpect, ChaiStyleAssertions, JestAsymmetricMatchers]) chai.use(plugin);

function assertion(value, message) {
  const test = getCurrentTest();
  const made = chai.expect(value, message);
  return test === undefined ? made : made.withTest(test);
}

export const expect = Object.assign(assertion, chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT], {
  getState: () => getState(expect),
  setState: (state) => setState(state, expect),
  extend: (matchers) => chai.expect.extend(expect, matchers),
  unreachable: (message) => chai.assert.fail(`expected${message ? ` "${message}" ` : " "}not to be reached`),
});
// The matchers look for expect and its state there.
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, writable: true, configurable: true });
setState({ assertionCalls: 0 }, expect);
expect.extend(customMatchers);
