/** What is read of an Engine's answer to inspect. Names are the Engine's, lower-cased. */
export interface Container {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly state: ContainerState;
  /** default, bridge, host, none, container:<id>, or a network's name. */
  readonly networkMode: string;
  readonly hostname: string;
  /** The engine's bind mount of the network namespace; "" where it has none of its own. */
  readonly sandboxKey: string;
}

export interface ContainerState {
  /** created, running, paused, restarting, removing, exited, dead; an engine may have more. */
  readonly status: string;
  readonly running: boolean;
  readonly paused: boolean;
  readonly restarting: boolean;
  /** 0: there is no process. */
  readonly pid: number;
  /** RFC 3339, with nanoseconds: one start of one container has one value. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly exitCode: number;
  /** Why a start failed, in the engine's words; "" if it did not. */
  readonly error: string;
}

/** A line of the container list. */
export interface ContainerSummary {
  readonly id: string;
  /** All names, without the leading slash. */
  readonly names: readonly string[];
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** An answer that parses as JSON and still is not what the Engine API promises. */
export class UnexpectedAnswer extends Error {
  override readonly name = "UnexpectedAnswer";
}

/** @throws UnexpectedAnswer naming the first field that is absent or of another type */
export function readContainer(value: unknown): Container {
  const root = record(value, "the answer");
  const state = record(root.State, "State");
  const host = record(root.HostConfig, "HostConfig");
  const config = optionalRecord(root.Config, "Config");
  const network = optionalRecord(root.NetworkSettings, "NetworkSettings");
  const pid = number(state.Pid, "State.Pid");
  if (!Number.isSafeInteger(pid) || pid < 0) throw new UnexpectedAnswer(`State.Pid is ${pid}`);
  return {
    id: string(root.Id, "Id"),
    name: string(root.Name, "Name").replace(/^\//, ""),
    state: {
      status: string(state.Status, "State.Status"),
      running: boolean(state.Running, "State.Running"),
      paused: state.Paused === true,
      restarting: state.Restarting === true,
      pid,
      startedAt: string(state.StartedAt, "State.StartedAt"),
      finishedAt: text(state.FinishedAt),
      exitCode: typeof state.ExitCode === "number" ? state.ExitCode : 0,
      error: text(state.Error),
    },
    networkMode: string(host.NetworkMode, "HostConfig.NetworkMode"),
    hostname: text(config.Hostname),
    sandboxKey: text(network.SandboxKey),
  };
}

/** @throws UnexpectedAnswer naming the first field that is absent or of another type */
export function readContainerList(value: unknown): ContainerSummary[] {
  if (!Array.isArray(value)) throw new UnexpectedAnswer("the answer is no list");
  return value.map((each: unknown) => {
    const item = record(each, "an entry of the list");
    const names: unknown = item.Names ?? [];
    if (!Array.isArray(names)) throw new UnexpectedAnswer("Names is no list");
    const labels = Object.entries(optionalRecord(item.Labels, "Labels")).map(([key, label]) => [key, text(label)]);
    return {
      id: string(item.Id, "Id"),
      names: names.map((name: unknown) => string(name, "Names").replace(/^\//, "")),
      state: text(item.State),
      labels: Object.fromEntries(labels) as Record<string, string>,
    };
  });
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UnexpectedAnswer(`${field} is no object`);
  return value as Record<string, unknown>;
}

function optionalRecord(value: unknown, field: string): Record<string, unknown> {
  return value === undefined || value === null ? {} : record(value, field);
}

function string(value: unknown, field: string): string {
  if (typeof value !== "string") throw new UnexpectedAnswer(`${field} is no text`);
  return value;
}

function number(value: unknown, field: string): number {
  if (typeof value !== "number") throw new UnexpectedAnswer(`${field} is no number`);
  return value;
}

function boolean(value: unknown, field: string): boolean {
  if (typeof value !== "boolean") throw new UnexpectedAnswer(`${field} is neither true nor false`);
  return value;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
