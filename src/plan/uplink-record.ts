/** What must be known to take an uplink back: a file, written before anything is changed. */
export interface UplinkRecord {
  readonly bridge: string;
  /** The port: the NIC, or its VLAN link. */
  readonly uplink: string;
  readonly ifindex: number;
  /** The NIC below a VLAN link. */
  readonly parent?: string;
  /** Of a bridge that was there before: what was its own, and stays. */
  readonly own: {
    readonly mac?: string;
    readonly addresses: readonly string[];
    readonly routes: readonly string[];
    /** Values below /proc/sys/net, by key. */
    readonly settings: Readonly<Record<string, string>>;
  };
  /** What the NIC handed over, by addressKey and routeKey. */
  readonly moved: { readonly addresses: readonly string[]; readonly routes: readonly string[] };
}

/** Not .json: those are records of attachments. An interface name holds no slash. */
export function uplinkRecordName(bridge: string): string {
  return `${bridge}.uplink`;
}

export function formatUplinkRecord(record: UplinkRecord): string {
  return `${JSON.stringify({ version: 1, ...record })}\n`;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** Undefined when it is damaged or of another version. */
export function parseUplinkRecord(content: string): UplinkRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { version, ...record } = value as UplinkRecord & { version: unknown };
  const { own, moved } = record;
  const whole =
    version === 1 &&
    typeof record.bridge === "string" &&
    typeof record.uplink === "string" &&
    Number.isInteger(record.ifindex) &&
    isTexts(own?.addresses) &&
    isTexts(own.routes) &&
    typeof own.settings === "object" &&
    own.settings !== null &&
    isTexts(moved?.addresses) &&
    isTexts(moved.routes);
  return whole ? record : undefined;
}
