import type { Operation, Plan, Side, Step, UndoOperation } from "./step.js";

/** Gathers the steps of one plan in order and keeps their ids unique. */
export class PlanBuilder {
  readonly steps: Step[] = [];
  readonly warnings: string[] = [];
  readonly #ids = new Set<string>();

  add(step: Step): string {
    if (this.#ids.has(step.id)) throw new Error(`two steps are called ${step.id}`);
    this.#ids.add(step.id);
    this.steps.push(step);
    return step.id;
  }

  warn(sentence: string): void {
    this.warnings.push(sentence);
  }

  finish(about: Pick<Plan, "action" | "guest" | "guestId" | "ifname" | "outcome" | "links">): Plan {
    return { ...about, steps: this.steps, warnings: this.warnings };
  }
}

export function inverse(netns: Side, ...operations: Operation[]): { readonly inverse: readonly UndoOperation[] } {
  return { inverse: operations.map((op) => ({ netns, op })) };
}
