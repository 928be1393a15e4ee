import { afterAll, describe, expect, test } from "vitest";
import { detach } from "../../../src/detach.js";
import { Instance } from "../../../src/instance.js";
import { loadAddon } from "../../../src/kernel/addon.js";
import { type NativeInstruction, NativeOp } from "../../../src/kernel/native.js";
import { list } from "../../../src/list.js";
import { PipeworkError } from "../../../src/values/error.js";
import { FaultyAddon, refused, type Tampering } from "../../kernel/support/faulty-addon.js";
import { guestOf, type Scenario } from "../../kernel/support/scenario.js";
import { perform } from "../../kernel/support/scenario-act.js";
import { awaited, settled } from "../../kernel/support/snapshot.js";
import { closeWorlds, type World } from "../../kernel/support/world.js";

const across = { acrossWorlds: true };
const RTM_DELLINK = 17;

/** A world of the scenario's, used again and again: making one takes an emulated processor a second. */
class Rehearsal {
  readonly world: World;
  readonly guest: string;
  readonly #scenario: Scenario;

  private constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.world = scenario.world();
    this.guest = guestOf(this.world);
  }

  static async begin(scenario: Scenario): Promise<Rehearsal> {
    const rehearsal = new Rehearsal(scenario);
    await rehearsal.#before();
    return rehearsal;
  }

  /** Does something by an instance of its own, which is closed at once: its threads would only add up. */
  async #by<T>(work: (instance: Instance) => Promise<T>, load = loadAddon): Promise<T> {
    const instance = new Instance({ host: `netns:${this.world.host}`, runDir: this.world.runDir }, load);
    try {
      return await work(instance);
    } finally {
      await instance.close();
    }
  }

  async #before(): Promise<void> {
    await this.#by(async (instance) => {
      for (const act of this.#scenario.acts ?? []) await perform(instance, this.guest, act);
    });
  }

  /** Back to where the scenario's command has not been given yet. A link that was brought up stays up after a detach. */
  async again(): Promise<void> {
    await this.#by((instance) => detach(instance, { guest: `netns:${this.guest}`, all: true }));
    if (this.#scenario.name.includes("parent down")) this.world.ip(this.world.host, "link set nic0 down");
    await this.#before();
  }

  perform(load = loadAddon): Promise<string> {
    return this.#by((instance) => perform(instance, this.guest, this.#scenario.act), load);
  }

  /**
   * The command, with what happens to the last of its programs: one that finds that this kernel renames no link that is up
   * makes a second plan.
   */
  tampered(programs: number, tampering: Tampering): Promise<string> {
    const faulty = new FaultyAddon(loadAddon());
    const from = (left: number): Tampering => {
      if (left === 1) return tampering;
      return (program) => {
        faulty.tamper = from(left - 1);
        return program;
      };
    };
    faulty.tamper = from(programs);
    return this.perform(() => faulty.load());
  }

  /** Undisturbed: the programs that were run. */
  async programs(): Promise<NativeInstruction[][]> {
    const faulty = new FaultyAddon(loadAddon());
    expect(await this.perform(() => faulty.load())).toBe(this.#scenario.outcome);
    return faulty.programs;
  }

  listed(): Promise<string[]> {
    return this.#by(async (instance) => (await list(instance)).map(({ state, ifname }) => `${ifname} ${state}`));
  }
}

/** A deletion that is waited for is of something that has to make room: behind it there is no way back. */
function makesRoom({ op, message }: NativeInstruction): boolean {
  if (op !== NativeOp.netlink) return false;
  const bytes = message as Uint8Array;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(4, true) === RTM_DELLINK;
}

/** Whichever instruction is refused, all is as it was; and then the command still works. */
export function refusedLaw(scenarios: readonly Scenario[]): void {
  afterAll(closeWorlds);
  describe("each instruction refused by the kernel leaves everything as it was", () => {
    test.each(scenarios)("$name", async (scenario) => {
      const rehearsal = await Rehearsal.begin(scenario);
      const programs = await rehearsal.programs();
      await rehearsal.again();
      const before = await settled(rehearsal.world);
      const program = programs.at(-1) as NativeInstruction[];
      for (const [at, instruction] of program.entries()) {
        if (instruction.optional === true) continue;
        const where = `instruction ${at + 1} of ${program.length}`;
        const error: unknown = await rehearsal
          .tampered(programs.length, (given) => {
            expect(given.length).toBe(program.length);
            return given.with(at, refused(given[at] as NativeInstruction));
          })
          .catch((reason: unknown) => reason);
        expect(error, where).toBeInstanceOf(PipeworkError);
        const { undo, message } = error as PipeworkError;
        expect(
          undo.filter(({ failure }) => failure !== undefined),
          `${where}: ${message}`,
        ).toEqual([]);
        expect(await awaited(rehearsal.world, before), where).toEqual(before);
        if (makesRoom(instruction)) break;
      }
      expect(await rehearsal.perform()).toBe(scenario.outcome);
    });
  });
}

/**
 * Whatever has been carried out when a run is over all of a sudden, the same command finishes the job. It is over in this
 * process here, which is quicker; that a killed process leaves no more behind is shown by the tests of test/kernel.
 */
export function killedLaw(scenarios: readonly Scenario[]): void {
  afterAll(closeWorlds);
  describe("over after any number of instructions, the same command finishes the job", () => {
    test.each(scenarios)("$name", async (scenario) => {
      const rehearsal = await Rehearsal.begin(scenario);
      const programs = await rehearsal.programs();
      const { world } = rehearsal;
      const after = await settled(world, across);
      const listed = await rehearsal.listed();
      const { length } = programs.at(-1) as NativeInstruction[];
      for (let done = 0; done <= length; done++) {
        const where = `after ${done} of ${length} instructions`;
        await rehearsal.again();
        let reached = false;
        const over = rehearsal.tampered(programs.length, (given) => {
          expect(given.length, where).toBe(length);
          reached = true;
          return given.slice(0, done);
        });
        // What it makes of answers that are missing does not matter: a killed process says nothing.
        await over.catch(() => undefined);
        expect(reached, where).toBe(true);
        await rehearsal.perform();
        expect(await awaited(world, after, across), where).toEqual(after);
        expect(await rehearsal.listed(), where).toEqual(listed);
        expect(await rehearsal.perform(), where).toBe("attach" in scenario.act ? "unchanged" : "absent");
      }
    });
  });
}
