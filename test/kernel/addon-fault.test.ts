import { describe, expect, test } from "vitest";
import { child } from "./support/child.js";

const EIO = 5;
const ENOBUFS = 105;
const EPERM = 1;
const ETIMEDOUT = 110;

/** What the child said, with one system call of its threads failing (or faked) as told. */
async function with_(inject: string, what: string) {
  const call = inject.split(":")[0] as string;
  const { code, signal, said, stderr } = await child(`fault:${what}`, {
    strace: ["-e", `trace=${call}`, "-e", `inject=${inject}`],
  });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
  expect(said).toHaveLength(1);
  return said[0];
}

describe.concurrent("faults of system calls", () => {
  // The kernel has made the link by then.
  for (const [name, errno] of [
    ["EIO", EIO],
    ["ENOBUFS", ENOBUFS],
  ] as const) {
    test(`an answer that is lost (${name}): the step itself is undone as well, on a new socket`, async () => {
      expect(await with_(`recvmsg:error=${name}:when=2`, "lostAck")).toMatchObject({
        ok: false,
        failed: { index: 1, errno, syscall: "recvmsg" },
        undone: [
          { index: 1, position: 0, errno: 0 },
          { index: 1, position: 1, errno: 0 },
          { index: 0, position: 0, errno: 0 },
        ],
        left: [false, false],
      });
    });
  }

  test("an answer that never comes: given up at the deadline, and undone if it was done", async () => {
    // The message is not sent, though its sender is told so.
    expect(await with_("sendto:retval=1:when=2", "lostAck")).toMatchObject({
      failed: { index: 1, errno: ETIMEDOUT, syscall: "recvmsg", text: "the kernel did not answer within 10 seconds" },
      undone: [
        { index: 1, position: 0, errno: 0 },
        { index: 1, position: 1, errno: 0, skipped: true },
        { index: 0, position: 0, errno: 0 },
      ],
      left: [false, false],
    });
  });

  test("a message that cannot be sent: only what went before is undone", async () => {
    expect(await with_("sendto:error=ENOBUFS:when=2", "unsent")).toMatchObject({
      failed: { index: 1, errno: ENOBUFS, syscall: "sendto" },
      undone: [{ index: 0, position: 0, errno: 0 }],
      left: [false, false],
    });
  });

  test("notice and ack of a delete both lost: a failure, undone as far as it can be", async () => {
    expect(await with_("recvmsg:error=EIO:when=1", "lostAckOfReap")).toMatchObject({
      ok: false,
      via: "ack",
      failed: { index: 2, errno: EIO, syscall: "recvmsg" },
      undone: [{ index: 1, position: 0, errno: 0 }],
      left: [false, false],
    });
  });

  test("socket options that the kernel does not know: everything works; without a subscription the ack decides", async () => {
    expect(await with_("setsockopt:error=ENOPROTOOPT", "reapWithoutNotice")).toMatchObject({
      ok: true,
      via: "ack",
      left: [false],
    });
  });

  test("no descriptors left: EMFILE, or success, never a wreck", async () => {
    const { code, signal, said, stderr } = await child("fault:noDescriptors", { descriptors: 64 });
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(said).toEqual([
      { works: expect.any(Number), EMFILE: expect.any(Number), other: [], left: [false, false, true] },
    ]);
    expect(said[0].works).toBeGreaterThan(20);
    expect(said[0].EMFILE).toBeGreaterThan(10);
  });

  test("a namespace that cannot be entered is a failure of that job alone", async () => {
    expect(await with_("setns:error=EPERM:when=2", "notEntered")).toEqual({
      failure: { errno: EPERM, syscall: "setns" },
      works: true,
    });
  });

  test("no way home: that job fails, its thread is replaced, and no thread stays away", async () => {
    expect(await with_("setns:error=EPERM:when=3", "wayHomeOfBegin")).toEqual({
      failure: { reason: "way-home", errno: EPERM, syscall: "setns" },
      works: true,
      namespaces: 1,
    });
  });

  test("no way home in the middle of a program: what was written is put back all the same", async () => {
    expect(await with_("setns:error=EPERM:when=7", "wayHomeOfSysctl")).toMatchObject({
      failed: { index: 1, errno: EPERM, syscall: "setns" },
      undone: [
        { index: 1, position: 0, errno: 0 },
        { index: 0, position: 0, errno: 0 },
      ],
      restored: true,
      left: [false],
      namespaces: 1,
    });
  });
});
