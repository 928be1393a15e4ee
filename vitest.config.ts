import { defineConfig } from "vitest/config";

// Kernel and docker tests run as root on real namespaces and a real engine. In forked processes, because they watch the
// threads and descriptors of their process; one file at a time, because all of them take turns at the one RTNL lock.
// Tried twice: carriers, RCU and engines take the time that a busy machine leaves them. Vitest names what needed it.
const real = { pool: "forks", fileParallelism: false, testTimeout: 30_000, hookTimeout: 60_000, retry: 1 } as const;

export default defineConfig({
  test: {
    projects: [
      // The time is for a machine that does much else besides: none of them waits for anything.
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000 } },
      { test: { name: "kernel", include: ["test/kernel/**/*.test.ts"], ...real } },
      {
        test: {
          name: "docker",
          include: ["test/docker/**/*.test.ts"],
          globalSetup: ["test/docker/global-setup.ts"],
          ...real,
          hookTimeout: 120_000,
        },
      },
      { test: { name: "packaging", include: ["test/packaging/**/*.test.ts"], ...real, testTimeout: 120_000 } },
    ],
  },
});
