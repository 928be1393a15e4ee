import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandSocket, LXC_ANSWER, lxcCommands, lxcRequest, readLxcAnswer } from "../../../src/guests/lxc-command.js";
import { isDefined, lxcDirectory } from "../../../src/guests/lxc-directory.js";
import { networkOwner } from "../../../src/guests/lxc-share.js";
import { answerBytes } from "./fake-monitor.js";
import { temporaryDirectory } from "./scripted-engine.js";

describe("the socket of a monitor", () => {
  it("is named after the container's directory", () => {
    expect(commandSocket("/var/lib/lxc", "web1")).toBe("\0/var/lib/lxc/web1/command");
  });

  // As `lxc-start -P` of LXC 5.0.2 showed them in /proc/net/unix.
  it.each([
    [78, `\0/tmp/${"x".repeat(78)}/container-one/command`],
    [79, "\0lxc/911afef10858f791/command"],
  ])("is a hash when that is longer than sun_path holds (%i)", (length, expected) => {
    expect(commandSocket(`/tmp/${"x".repeat(length)}`, "container-one")).toBe(expected);
  });
});

describe("the words of a monitor", () => {
  it("are asked for in the struct of LXC", () => {
    const bytes = Buffer.from(lxcRequest(lxcCommands.LXC_CMD_GET_INIT_PID));
    expect(bytes.toString("hex")).toBe("04000000000000000000000000000000");
    expect(LXC_ANSWER).toBe(16);
  });

  it("are read with who said them", () => {
    expect(readLxcAnswer(answerBytes({ monitor: 12, uid: 100000, ret: -1 }, 4711))).toEqual({
      monitor: { pid: 12, uid: 100000 },
      ret: -1,
      value: 4711,
    });
    expect(readLxcAnswer(answerBytes({ uid: 0xffffffff }, -1))).toMatchObject({
      monitor: { uid: 0xffffffff },
      value: -1,
    });
  });

  it.each([0, 12, 27, 29])("are none when they are %i bytes", (length) => {
    expect(readLxcAnswer(new Uint8Array(length))).toBeNull();
  });
});

describe("the directory of LXC's containers", () => {
  it.each([
    ["", "/var/lib/lxc"],
    ["lxc.lxcpath = /srv/lxc/\n", "/srv/lxc"],
    ["# lxc.lxcpath = /no\n\tlxc.lxcpath=/srv/lxc\nlxc.lxcpath = /later\n", "/srv/lxc"],
    ["lxc.lxcpath =\nlxc.lxcpath = /srv/lxc", "/srv/lxc"],
    ["lxc.lxcpathology = /no\nnot lxc.lxcpath = /no\nlxc.bdev.zfs.root = lxc\n", "/var/lib/lxc"],
    ["lxc.lxcpath = /\n", "/"],
  ])("is read from %j", (content, directory) => {
    const file = join(temporaryDirectory(), "lxc.conf");
    writeFileSync(file, content);
    expect(lxcDirectory(undefined, file)).toBe(directory);
    expect(lxcDirectory("/given//", file)).toBe("/given");
  });

  it("is the usual one without a configuration", () => {
    expect(lxcDirectory(undefined, `${temporaryDirectory()}/none`)).toBe("/var/lib/lxc");
  });

  it("tells what is defined, and whose network it shares", () => {
    const directory = temporaryDirectory();
    const define = (name: string, content: string): void => {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, "config"), content);
    };
    define("own", "lxc.net.0.type = empty\n");
    define("shares", "lxc.namespace.share.net = first\nlxc.namespace.share.net = own\n");
    define("quoted", 'lxc.namespace.share.net = "own"\n');
    define("older", "lxc.namespace.net = own\n");
    define("process", "lxc.namespace.share.net = 4711\n");
    define("path", "lxc.namespace.share.net = /proc/1/ns/net\n");
    expect(["own", "none", "../own"].map((name) => isDefined(directory, name))).toEqual([true, false, false]);
    expect(
      ["own", "shares", "quoted", "older", "process", "path", "none"].map((name) => networkOwner(directory, name)),
    ).toEqual([null, "own", "own", "own", null, null, null]);
  });
});
