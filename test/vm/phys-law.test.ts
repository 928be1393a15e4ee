import { afterAll } from "vitest";
import { refusedLaw } from "../kernel/support/refused-law.js";
import { physScenarios } from "../kernel/support/scenario-phys.js";
import { closeWorlds } from "../kernel/support/world.js";
import { needs } from "./support/needs.js";

needs("veth", "bridge");
afterAll(closeWorlds);

// The two that send every message which these kernels could take otherwise; the others on the kernel at hand.
refusedLaw(physScenarios.filter(({ name }) => /MAC and MTU|given back/.test(name)));
