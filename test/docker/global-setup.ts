import type { TestProject } from "vitest/node";
import { startEngine } from "./fixture/engine.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the test engine's unix socket. */
    engineSocket: string;
    /** The bridge its containers are on by default. */
    engineBridge: string;
  }
}

/** One engine for all files of the docker project. */
export default async function setup(project: TestProject): Promise<() => void> {
  const engine = await startEngine();
  project.provide("engineSocket", engine.socket);
  project.provide("engineBridge", engine.bridge);
  return () => engine.stop();
}
