import { describe, expect, it } from "vitest";
import { parseGuestReference } from "../../../src/guests/reference.js";

describe("a guest reference", () => {
  it.each([
    ["web1", { form: "word", name: "web1" }],
    ["0a1b", { form: "word", name: "0a1b" }],
    ["my_app.web-1", { form: "word", name: "my_app.web-1" }],
    ["docker:web1", { form: "docker", name: "web1" }],
    ["docker:/web1", { form: "docker", name: "web1" }],
    ["podman:web1", { form: "podman", name: "web1" }],
    ["lxc:web1", { form: "lxc", name: "web1" }],
    ["pid:1", { form: "pid", pid: 1 }],
    ["pid:4194304", { form: "pid", pid: 4194304 }],
    ["netns:blue", { form: "netns", name: "blue" }],
    ["netns:blue:1", { form: "netns", name: "blue:1" }],
    ["netns:a b", { form: "netns", name: "a b" }],
    ["netns:/run/netns/blue", { form: "path", path: "/run/netns/blue" }],
  ])("%s is understood", (ref, expected) => {
    expect(parseGuestReference(ref)).toEqual(expected);
  });

  it.each([
    ["", /no guest is named/],
    ["/run/netns/blue", /no container's name/],
    ["-x", /no container's name/],
    ["web 1", /no container's name/],
    ["../etc", /no container's name/],
    ["docker:", /no container's name/],
    ["docker:a/b", /no container's name/],
    ["vm:web1", /unknown kind vm:/],
    ["pid:", /no process id/],
    ["pid:0", /no process id/],
    ["pid:-1", /no process id/],
    ["pid:007", /no process id/],
    ["pid:1e3", /no process id/],
    ["pid:self", /no process id/],
    ["netns:", /names no network namespace/],
    ["netns:.", /names no network namespace/],
    ["netns:..", /names no network namespace/],
    ["netns:a/b", /names no network namespace/],
    ["netns:../x", /names no network namespace/],
    ["netns:a\0b", /zero byte/],
  ])("%j is refused", (ref, message) => {
    expect(() => parseGuestReference(ref)).toThrow(
      expect.objectContaining({
        name: "PipeworkError",
        code: "invalid-request",
        message: expect.stringMatching(message),
      }),
    );
  });

  it("hints at netns: for a bare path", () => {
    expect(() => parseGuestReference("/run/netns/blue")).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("netns:/run/netns/blue") }),
    );
  });
});
