export function macBytes(_text: string): Uint8Array { throw new Error("todo"); }
export function formatMac(_bytes: Uint8Array): string { throw new Error("todo"); }
