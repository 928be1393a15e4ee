import { afterAll } from "vitest";
import { refusedLaw } from "./support/refused-law.js";
import { furtherPhysScenarios, physScenarios } from "./support/scenario-phys.js";
import { closeWorlds } from "./support/world.js";

afterAll(closeWorlds);

refusedLaw([...physScenarios, ...furtherPhysScenarios]);
