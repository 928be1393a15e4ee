import { killedLaw } from "./support/killed-law.js";
import { furtherScenarios } from "./support/scenario.js";

killedLaw(furtherScenarios);
