import { killedLaw } from "./support/killed-law.js";
import { freshScenarios } from "./support/scenario.js";

killedLaw(freshScenarios);
