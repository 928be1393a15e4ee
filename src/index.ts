export type { DetachOutcome } from "./detach.js";
export type { Finding } from "./doctor/finding.js";
export type { ListedAttachment } from "./list.js";
export { Pipework, type PipeworkOptions } from "./pipework.js";
export type { BridgeOutcome, BridgeRequest, VxlanRequest } from "./plan/bridge-request.js";
export { renderPlan } from "./plan/render.js";
export type {
  Attachment,
  AttachRequest,
  DetachRequest,
  LinkType,
  MacvlanMode,
  Waited,
  WaitLevel,
  WaitRequest,
} from "./plan/request.js";
export type { Operation, Plan, Side, Step, Undo, UndoOperation } from "./plan/step.js";
export { type ErrorCode, PipeworkError, type UndoOutcome } from "./values/error.js";
export type { Lines, WordsOptions, WordsResult } from "./word-lines.js";
