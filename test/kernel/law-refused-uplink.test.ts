import { vi } from "vitest";
import { refusedLaw } from "./support/refused-law.js";
import { uplinkScenarios } from "./support/uplink-scenario.js";

vi.setConfig({ testTimeout: 120_000 });
refusedLaw(uplinkScenarios);
