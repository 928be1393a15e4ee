export function ipBytes(_text: string): Uint8Array { throw new Error("todo"); }
export function formatIp(_bytes: Uint8Array): string { throw new Error("todo"); }
