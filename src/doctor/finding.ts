/** One thing looked at. `remedy` is there whenever something should be done. */
export interface Finding {
  readonly id: string;
  readonly level: "ok" | "warning" | "problem";
  readonly what: string;
  readonly remedy?: string;
}
