import { afterAll } from "vitest";
import { refusedLaw } from "../kernel/support/refused-law.js";
import { furtherPhysScenarios, physScenarios } from "../kernel/support/scenario-phys.js";
import { closeWorlds } from "../kernel/support/world.js";
import { needs } from "./support/needs.js";

needs("veth", "bridge");
afterAll(closeWorlds);

refusedLaw([...physScenarios, ...furtherPhysScenarios]);
