import type { Act } from "./act.js";
import type { FakeMachine } from "./machine.js";
import { completions } from "./scenario-completion.js";
import { detaches } from "./scenario-detach.js";
import { freshAttachments } from "./scenario-fresh.js";
import { leftovers } from "./scenario-leftovers.js";
import { replacements } from "./scenario-replacement.js";
import type { Scene } from "./scene.js";

/** A kind of plan: what is there before, and the command whose plan it is. */
export interface Scenario {
  readonly name: string;
  readonly before: (scene: Scene, machine: FakeMachine) => Promise<void> | void;
  readonly act: Act;
  /** Why a detach cannot find all of what was there before. */
  readonly beyondDetach?: string;
  /** How the command ends when nothing goes wrong. */
  readonly outcome: string;
}

/** Every kind of plan there is, in groups. */
export const scenarios: Readonly<Record<string, readonly Scenario[]>> = {
  "a fresh attachment": freshAttachments,
  completion: completions,
  replacement: replacements,
  "over what a killed run left": leftovers,
  detach: detaches,
};
