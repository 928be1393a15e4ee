/** The first words of the new form. */
export const verbs = ["attach", "detach", "list", "wait", "bridge", "doctor", "demo"] as const;

/** Verbs that later versions have. */
export const laterVerbs = ["apply", "watch", "export"] as const;

/** Legacy first words that hand the rest to another program's language. */
export const guestCommands = ["route", "rule", "tc"] as const;

export type GuestCommand = (typeof guestCommands)[number];

export const verbNames: readonly string[] = [...verbs, ...laterVerbs, "help"];

export function isVerb(word: string): boolean {
  return verbNames.includes(word);
}

export function isLaterVerb(word: string): boolean {
  return (laterVerbs as readonly string[]).includes(word);
}

export function isGuestCommand(word: string): word is GuestCommand {
  return (guestCommands as readonly string[]).includes(word);
}
