import { ifinfomsg, link, RTNLGRP_LINK } from "../netlink/link.js";
import { type Message, NLMSG_HDRLEN } from "../netlink/message.js";
import { attributeNumbers, encode, encodeAttributeValue, headerLength } from "../netlink/nouns.js";
import { isSlot, type Relocation } from "../netlink/wire.js";
import type { Condition, NetlinkOperation, Operation, Plan, Side, UndoOperation } from "../plan/step.js";
import { errnoNumber } from "./errno.js";
import { type NativeInstruction, type NativeMatch, NativeOp } from "./native.js";

/** Position of a side among the namespaces of a transaction. */
export const sideIndex: Readonly<Record<Side, number>> = { host: 0, guest: 1 };

/** Where ifi_index lies in a link message: behind struct nlmsghdr, 4 bytes into struct ifinfomsg. */
const IFI_INDEX = NLMSG_HDRLEN + ifinfomsg.fields.index[0];

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

  #relocations(into: { relocations?: number[] }, relocations: readonly Relocation[]): void {
    if (relocations.length === 0) return;
    into.relocations = [];
    for (const { offset, slot } of relocations) into.relocations.push(offset, this.#slot(slot));
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
    const sent: { message: Uint8Array; relocations?: number[] } = { message: bytes };
    this.#relocations(sent, relocations);
    return sent;
  }

  #netlink(into: NativeInstruction, op: NetlinkOperation): void {
    const { message, capture, until, tolerate, unlessSlot, ifSlot, unlessAny } = op;
    const { noun } = message;
    const { bytes, relocations } = encode(message);
    into.message = bytes;
    this.#relocations(into, relocations);
    if (capture !== undefined) {
      into.capture = { slot: this.#slot(capture.slot), offset: IFI_INDEX };
      if (capture.where !== undefined) into.capture.where = capture.where.map((c) => this.#match(noun, c));
    }
    if (until !== undefined) into.until = { ...this.#match(noun, until), timeoutMs: until.timeoutMs };
    if (tolerate !== undefined) into.tolerate = tolerate.map(errnoNumber);
    if (unlessSlot !== undefined) into.unlessSlot = this.#slot(unlessSlot);
    if (ifSlot !== undefined) into.ifSlot = this.#slot(ifSlot);
    if (unlessAny !== undefined) into.unlessAny = this.#message(unlessAny.message);
  }

  instruction(op: Operation, netns: Side): NativeInstruction {
    const at = { netns: sideIndex[netns] };
    switch (op.op) {
      case "netlink": {
        const one: NativeInstruction = { op: NativeOp.netlink, netns: sideIndex[netns] };
        this.#netlink(one, op);
        return one;
      }
      case "sysctl":
        return {
          op: NativeOp.sysctl,
          ...at,
          path: `/proc/sys/net/${op.key}`,
          data: op.value,
          ...(op.tolerate === undefined ? {} : { tolerate: op.tolerate.map(errnoNumber) }),
          ...(op.ifSlot === undefined ? {} : { ifSlot: this.#slot(op.ifSlot) }),
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
          ...(op.ifSlot === undefined ? {} : { ifSlot: this.#slot(op.ifSlot) }),
          tolerate: [errnoNumber("ENODEV")],
          notice: { group: RTNLGRP_LINK, type: link.types.RTM_DELLINK, offset: IFI_INDEX, ...which },
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

export function assemble(plan: Pick<Plan, "steps">): Program {
  const assembler = new Assembler();
  const instructions = plan.steps.map(({ op, netns, undo, optional }) => {
    const one = assembler.instruction(op, netns);
    if ("inverse" in undo) one.undo = assembler.undo(undo.inverse);
    if (!("builtin" in undo)) one.noUndo = true;
    if (optional === true) one.optional = true;
    return one;
  });
  return { instructions, slots: assembler.slots };
}
