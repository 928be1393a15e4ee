import { freshScenarios, furtherScenarios, type Scenario } from "../../kernel/support/scenario.js";

/** Those of the kernel tests' scenarios in which these kernels do otherwise than newer ones, and one that does it all. */
export const scenarios: readonly Scenario[] = [
  "veth, displacing both defaults",
  "macvlan by a temporary name, parent down",
  "replaced while the old link stays",
  "a macvlan replaced by one of another MTU, which goes first",
].map((name) => {
  const found = [...freshScenarios, ...furtherScenarios].find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no scenario "${name}"`);
  return found;
});
