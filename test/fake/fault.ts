/**
 * What is to go wrong in the next program: at the instruction of that number it is refused, or done while its ack is
 * lost, or not done while nobody can know it, or the process dies before it; or only some instructions are carried out
 * and then the process dies.
 */
export type Fault =
  | { readonly kind: "refuse"; readonly at: number }
  | { readonly kind: "lose-ack"; readonly at: number }
  | { readonly kind: "lose-request"; readonly at: number }
  | { readonly kind: "kill"; readonly at: number }
  | { readonly kind: "only"; readonly which: ReadonlySet<number> };

/** How a process that was killed looks to whoever awaited it: nothing of it runs any more, undo included. */
export class Killed extends Error {}
