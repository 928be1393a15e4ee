import { PipeworkError } from "../values/error.js";
import { isHalfBuilt, isOurs } from "./attach.js";
import { inverse, PlanBuilder } from "./builder.js";
import { describeLink } from "./compare.js";
import { isMark, type PlanContext } from "./context.js";
import { releaseHostAccess } from "./host-access.js";
import { clearDebris } from "./host-end.js";
import { deleteLink, setLink } from "./link-message.js";
import { parseAlias, recordName } from "./memory.js";
import { isPhys } from "./nic.js";
import { awayError, forgetNic, homeSteps, isLost, lostWarning, type NicReturn } from "./nic-home.js";
import { releaseDefaults } from "./release.js";
import { clearAside } from "./replace.js";
import type { Plan, Side } from "./step.js";
import type { GuestView, LinkView } from "./view.js";

/**
 * Takes an attachment back: displaced routes first, then the link, in whose wake everything on it goes. An interface
 * that is not there is success; one that is not ours is refused.
 */
export function planDetach(ifname: string, whole: GuestView, context: PlanContext): Plan {
  const b = new PlanBuilder();
  const finish = (outcome: Plan["outcome"]) =>
    b.finish({ action: "detach", guest: context.guest, guestId: context.guestId, ifname, outcome });
  const forget = (name: string) =>
    b.add({
      id: "forget",
      label: `record of ${ifname} removed`,
      netns: "host",
      op: { op: "file", path: `${context.recordDir}/${name}`, content: null },
      undo: { builtin: "what was there before is written back" },
    });
  const { nic } = whole;
  if (nic !== undefined && (isPhys(whole.memory) || whole.memory === undefined)) {
    // Whatever else has its name in the guest by now: the NIC is to come home.
    return finish(giveBack(b, context, whole, nic));
  }
  const { link, peer, temporary } = whole;
  const halfBuilt = link !== undefined && isHalfBuilt(whole, link);
  const memory = isOurs(whole, context, ifname);
  if (link !== undefined && !halfBuilt && memory === undefined) {
    throw new PipeworkError({
      code: "interface-unsuitable",
      message: `${ifname} of ${context.guest} was not made by pipework: it is ${describeLink(link, whole.addresses, peer)}`,
      hint: "only what pipework attached is detached; `pipework list` shows that",
      guest: context.guest,
      ifname,
    });
  }
  if (temporary !== undefined && isMark(temporary.group)) {
    clearDebris(b, "debris.temporary", temporary, "guest", "left half built by a killed run");
  }
  const view = clearAside(b, context, whole);
  /** The last steps: the record goes, then the link by the end that is given. */
  const remove = (end: LinkView, side: Side, record: string | undefined, marked: boolean, label: string) => {
    if (record !== undefined) {
      // Without its record nothing would tell a killed run's successor that the link is ours; the mark does.
      if (!marked) {
        b.add({
          id: "link.mark",
          label: `${end.name} marked as ours and going`,
          netns: side,
          op: { op: "netlink", message: setLink(end.index, { group: context.mark }) },
          undo: inverse(side, { op: "netlink", message: setLink(end.index, { group: end.group }) }),
        });
      }
      forget(record);
    }
    b.add({
      id: "link.delete",
      label,
      netns: side,
      op: { op: "reap", message: deleteLink(end.index), ifindex: end.index },
      undo: { none: "the last step" },
    });
    return finish("detached");
  };
  if (link === undefined && whole.stray !== undefined) {
    const { hostEnd, memory: remembered, displacers } = whole.stray;
    // What the guest made of its end is its own affair; as an index it still stands in what others remember.
    const lost = { ...hostEnd, index: hostEnd.link ?? 0, name: ifname };
    releaseDefaults(b, context, view, { link: lost, memory: remembered, displacers });
    const label = `${hostEnd.name} deleted, whose end in the guest is no ${ifname} any more`;
    return remove(hostEnd, "host", recordBehind(hostEnd.alias), false, label);
  }
  if (link === undefined) {
    const cleared = b.steps.length > 0;
    if (view.record) forget(recordName(context.guestId, ifname));
    return finish(cleared ? "detached" : "absent");
  }
  if (memory !== undefined) releaseDefaults(b, context, view, { ...view, link, memory });
  if (memory?.hostAccess !== undefined) releaseHostAccess(b, memory.hostAccess);
  const [end, side] = peer === undefined ? ([link, "guest"] as const) : ([peer, "host"] as const);
  // A kind that is recorded alone may have been recorded under another name of the same guest.
  const own =
    memory?.type === undefined
      ? view.record
        ? recordName(context.guestId, ifname)
        : undefined
      : recordName(memory.guest, ifname);
  const label = `${end.name} deleted${peer === undefined ? "" : `, and with it ${ifname} in the guest`}`;
  return remove(end, side, recordBehind(peer?.alias) ?? own, halfBuilt, label);
}

/**
 * Brings a NIC home, from this guest or from where the kernel put it when the guest died.
 * @throws PipeworkError "interface-away" where it is neither here nor there
 */
function giveBack(b: PlanBuilder, context: PlanContext, view: GuestView, nic: NicReturn): Plan["outcome"] {
  const { guest, host, memory } = nic;
  if (guest === undefined && host === undefined) {
    if (!isLost(nic)) throw awayError(nic, context);
    b.warn(lostWarning(nic));
    forgetNic(b, context, memory, "forget", false);
    return "absent";
  }
  const { displacers } = view;
  if (guest !== undefined) releaseDefaults(b, context, view, { link: guest.link, memory, displacers });
  homeSteps(b, nic, "");
  forgetNic(b, context, memory, "forget", true);
  return "detached";
}

/** The record that an alias names. */
function recordBehind(alias: string | undefined): string | undefined {
  const parsed = parseAlias(alias);
  return parsed !== undefined && "record" in parsed ? parsed.record : undefined;
}
