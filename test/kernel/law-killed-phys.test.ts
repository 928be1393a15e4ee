import { killedLaw } from "./support/killed-law.js";
import { physScenarios } from "./support/scenario-phys.js";

killedLaw(physScenarios);
