import { invalid } from "../values/error.js";

/** How a guest is named: by what kind of thing, and by which name. */
export type GuestReference =
  /** A plain word: whatever engine knows it. */
  | { readonly form: "word"; readonly name: string }
  | { readonly form: "docker" | "podman" | "lxc"; readonly name: string }
  | { readonly form: "pid"; readonly pid: number }
  /** `name`: below /run/netns. */
  | { readonly form: "netns"; readonly name: string }
  | { readonly form: "path"; readonly path: string };

/** What Docker and Podman accept as a container's name; an id fits as well. */
const CONTAINER_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/**
 * Reads docker:X, podman:X, lxc:X, pid:N, netns:NAME, netns:/path, or a plain word.
 * @throws PipeworkError "invalid-request"
 */
export function parseGuestReference(ref: string): GuestReference {
  const shown = `guest ${JSON.stringify(ref)}`;
  if (ref === "") throw invalid("no guest is named", "a container's name or id, pid:N, netns:NAME or netns:/path");
  const colon = ref.indexOf(":");
  if (colon === -1) {
    if (ref.startsWith("/"))
      throw invalid(`${shown} is no container's name`, `for a network namespace by path: netns:${ref}`);
    return { form: "word", name: containerName(ref, shown) };
  }
  const form = ref.slice(0, colon);
  const rest = ref.slice(colon + 1);
  switch (form) {
    case "docker":
      // The Engine writes names with a slash in front, and so do those who copy them from its answers.
      return { form, name: containerName(rest.replace(/^\//, ""), shown) };
    case "podman":
      return { form, name: containerName(rest, shown) };
    case "lxc":
      return { form, name: directoryName(rest, shown) };
    case "pid":
      if (!/^[1-9][0-9]{0,9}$/.test(rest)) throw invalid(`${shown} has no process id`, "write pid:N with N from 1");
      return { form, pid: Number(rest) };
    case "netns":
      return netnsReference(rest, shown);
    default:
      throw invalid(
        `${shown} begins with the unknown kind ${form}:`,
        "docker:, podman:, lxc:, pid: and netns: are possible, or a plain name",
      );
  }
}

function containerName(name: string, shown: string): string {
  if (CONTAINER_NAME.test(name)) return name;
  throw invalid(
    `${shown} is no container's name`,
    "letters, digits, '_', '.' and '-', beginning with a letter or digit",
  );
}

/** LXC takes any name that a directory may have. */
function directoryName(name: string, shown: string): string {
  if (name !== "" && name !== "." && name !== ".." && !/[/\0\n]/.test(name)) return name;
  throw invalid(`${shown} is no container's name`, "write lxc:NAME for one of lxc-ls");
}

function netnsReference(rest: string, shown: string): GuestReference {
  if (rest.includes("\0")) throw invalid(`${shown} holds a zero byte`);
  if (rest.startsWith("/")) return { form: "path", path: rest };
  if (rest === "" || rest === "." || rest === ".." || rest.includes("/")) {
    throw invalid(
      `${shown} names no network namespace`,
      "write netns:NAME for one of `ip netns list`, or netns:/absolute/path",
    );
  }
  return { form: "netns", name: rest };
}
