import type { Message } from "../netlink/message.js";
import { attributeNumbers, encode, encodeAttributeValue, headerLength } from "../netlink/nouns.js";
import { isSlot, type Relocation } from "../netlink/wire.js";
import type { Condition, NetlinkOperation, Operation, Plan, Side, UndoOperation } from "../plan/step.js";
import { errnoNumber } from "./errno.js";
import { type NativeInstruction, type NativeMatch, NativeOp } from "./native.js";

/** Position of a side among the namespaces of a transaction. */
export const sideIndex: Readonly<Record<Side, number>> = { host: 0, guest: 1 };

/** RTNLGRP_LINK and RTM_DELLINK, linux/rtnetlink.h; ifi_index lies 4 bytes into ifinfomsg. */
const RTNLGRP_LINK = 1;
const RTM_DELLINK = 17;
const IFI_INDEX = 16 + 4;

/** A plan as the addon runs it: messages as bytes, and where ifindexes go once they are known. */
export interface Program {
  readonly instructions: NativeInstruction[];
  /** Names of slots by number. */
  readonly slots: readonly string[];
}

/** Like an assembler: the one thing unknown before running is an ifindex, four bytes at a known offset. */
class Assembler {
  readonly slots: string[] = [];

  #slot(name: string): number {
    const known = this.slots.indexOf(name);
    if (known >= 0) return known;
    this.slots.push(name);
    return this.slots.length - 1;
  }

  #relocations(relocations: readonly Relocation[]): { relocations?: number[] } {
    if (relocations.length === 0) return {};
    return { relocations: relocations.flatMap(({ offset, slot }) => [offset, this.#slot(slot)]) };
  }

  #match(noun: string, condition: Condition): NativeMatch {
    return {
      header: headerLength(noun),
      path: attributeNumbers(noun, condition.path),
      value: encodeAttributeValue(noun, condition.path, condition.value),
    };
  }

  #message(message: Message): { message: Uint8Array; relocations?: number[] } {
    const { bytes, relocations } = encode(message);
    return { message: bytes, ...this.#relocations(relocations) };
  }

  #netlink(op: NetlinkOperation): Partial<NativeInstruction> {
    const { message, capture, until, tolerate, unlessSlot, ifSlot, unlessAny } = op;
    return {
      ...this.#message(message),
      ...(capture === undefined
        ? {}
        : {
            capture: {
              slot: this.#slot(capture.slot),
              offset: IFI_INDEX,
              ...(capture.where === undefined ? {} : { where: capture.where.map((c) => this.#match(message.noun, c)) }),
            },
          }),
      ...(until === undefined ? {} : { until: { ...this.#match(message.noun, until), timeoutMs: until.timeoutMs } }),
      ...(tolerate === undefined ? {} : { tolerate: tolerate.map(errnoNumber) }),
      ...(unlessSlot === undefined ? {} : { unlessSlot: this.#slot(unlessSlot) }),
      ...(ifSlot === undefined ? {} : { ifSlot: this.#slot(ifSlot) }),
      ...(unlessAny === undefined ? {} : { unlessAny: this.#message(unlessAny.message) }),
    };
  }

  instruction(op: Operation, netns: Side): NativeInstruction {
    const at = { netns: sideIndex[netns] };
    switch (op.op) {
      case "netlink":
        return { op: NativeOp.netlink, ...at, ...this.#netlink(op) };
      case "sysctl":
        return {
          op: NativeOp.sysctl,
          ...at,
          path: `/proc/sys/net/${op.key}`,
          data: op.value,
          ...(op.tolerate === undefined ? {} : { tolerate: op.tolerate.map(errnoNumber) }),
        };
      case "file":
        return { op: NativeOp.file, ...at, path: op.path, data: op.content };
      case "identity":
        return { op: NativeOp.identity, ...at, path: op.path, ino: op.ino };
      case "reap": {
        const which = isSlot(op.ifindex) ? { slot: this.#slot(op.ifindex.slot) } : { value: op.ifindex };
        return {
          op: NativeOp.reap,
          ...at,
          ...this.#message(op.message),
          tolerate: [errnoNumber("ENODEV")],
          notice: { group: RTNLGRP_LINK, type: RTM_DELLINK, offset: IFI_INDEX, ...which },
        };
      }
    }
  }

  undo(operations: readonly UndoOperation[]): NativeInstruction[] {
    return operations.map(({ netns, op }) => ({
      ...this.instruction(op, netns),
      // Looking for what a step may have made whose ack was lost: that there is nothing is an answer too.
      ...(op.op === "netlink" && op.capture !== undefined ? { optional: true } : {}),
    }));
  }
}

export function assemble(plan: Plan): Program {
  const assembler = new Assembler();
  const instructions = plan.steps.map(({ op, netns, undo, optional }) => ({
    ...assembler.instruction(op, netns),
    ...("inverse" in undo ? { undo: assembler.undo(undo.inverse) } : {}),
    ...("builtin" in undo ? {} : { noUndo: true }),
    ...(optional === true ? { optional: true } : {}),
  }));
  return { instructions, slots: assembler.slots };
}
