import { describe, expect, it } from "vitest";
import { parseEngineAddress } from "../../../src/guests/engine-address.js";

const TLS = { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/certs" };

describe("an engine address", () => {
  it.each([
    [undefined, {}, { kind: "unix", text: "unix:///var/run/docker.sock", path: "/var/run/docker.sock" }],
    [
      undefined,
      { DOCKER_HOST: "" },
      { kind: "unix", text: "unix:///var/run/docker.sock", path: "/var/run/docker.sock" },
    ],
    [undefined, { DOCKER_HOST: "unix:///a/b.sock" }, { kind: "unix", text: "unix:///a/b.sock", path: "/a/b.sock" }],
    [undefined, { DOCKER_HOST: "/a/b.sock" }, { kind: "unix", text: "unix:///a/b.sock", path: "/a/b.sock" }],
    ["unix:///c.sock", { DOCKER_HOST: "/a/b.sock" }, { kind: "unix", text: "unix:///c.sock", path: "/c.sock" }],
    ["tcp://e.example", {}, { kind: "tcp", text: "tcp://e.example", host: "e.example", port: 2375, prefix: "" }],
    ["tcp://e.example:80", {}, { kind: "tcp", text: "tcp://e.example:80", host: "e.example", port: 80, prefix: "" }],
    ["tcp://[::1]:2375", {}, { kind: "tcp", text: "tcp://[::1]:2375", host: "::1", port: 2375, prefix: "" }],
    ["tcp://[::1]", {}, { kind: "tcp", text: "tcp://[::1]", host: "::1", port: 2375, prefix: "" }],
    ["http://h:1/d/", {}, { kind: "tcp", text: "http://h:1/d/", host: "h", port: 1, prefix: "/d" }],
    ["tcp://h", TLS, { kind: "tcp", text: "tcp://h", host: "h", port: 2376, prefix: "", tls: "/certs" }],
    ["tcp://h:443", TLS, { kind: "tcp", text: "tcp://h:443", host: "h", port: 443, prefix: "", tls: "/certs" }],
    ["http://h", TLS, { kind: "tcp", text: "http://h", host: "h", port: 2375, prefix: "" }],
    [
      "https://h",
      { HOME: "/root" },
      { kind: "tcp", text: "https://h", host: "h", port: 2376, prefix: "", tls: "/root/.docker" },
    ],
  ] as const)("%s with %j is understood", (host, env, expected) => {
    expect(parseEngineAddress(host, env)).toEqual(expected);
  });

  it.each([
    ["docker.sock", "invalid-request", /no engine address/],
    ["unix://relative.sock", "invalid-request", /no absolute path/],
    [`unix:///${"x".repeat(107)}`, "invalid-request", /107 bytes/],
    ["tcp://h:99999", "invalid-request", /no engine address/],
    ["tcp://", "invalid-request", /no engine address/],
    ["tcp://user:secret@h", "invalid-request", /more than a host and a port/],
    ["fd://3", "invalid-request", /unknown scheme fd:/],
    ["ssh://root@h", "unsupported", /another machine/],
    ["npipe:////./pipe/docker_engine", "unsupported", /Windows/],
  ])("%s is refused", (host, code, message) => {
    expect(() => parseEngineAddress(host, {})).toThrow(
      expect.objectContaining({ name: "PipeworkError", code, message: expect.stringMatching(message) }),
    );
  });

  it("accepts a socket path of exactly 107 bytes, as the kernel does", () => {
    const path = `/${"x".repeat(106)}`;
    expect(parseEngineAddress(path, {})).toMatchObject({ path });
  });

  it("names DOCKER_HOST when the mistake is there", () => {
    expect(() => parseEngineAddress(undefined, { DOCKER_HOST: "nonsense" })).toThrow(/^DOCKER_HOST "nonsense"/);
  });
});
