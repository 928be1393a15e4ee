import type { Instance } from "./instance.js";
import { assemble } from "./kernel/assemble.js";
import { errnoName, errnoText } from "./kernel/errno.js";
import { addressesFrom, linksFrom, routesFrom } from "./kernel/observe.js";
import { hostRoutesAsk } from "./kernel/read-host-access.js";
import { isProbe, kindAsk } from "./kernel/read-vlan.js";
import { readRecords } from "./kernel/record.js";
import { type Ask, type LockOptions, Transaction } from "./kernel/transaction.js";
import { drawMark } from "./mark.js";
import { rtProt } from "./netlink/route.js";
import { dumpAddresses } from "./plan/address-message.js";
import { dumpLinks } from "./plan/link-message.js";
import { isOwnShim, isOwnVlan, planSweep, type ShimView, type SweepView } from "./plan/sweep.js";
import type { LinkView } from "./plan/view.js";

/** The kernel's answers that mean: something uses it. */
const USED = ["EBUSY", "EINVAL"];

async function viewsOf(transaction: Transaction, own: readonly SweepView["link"][]): Promise<SweepView[]> {
  const [dump, ...addresses] = await transaction.ask([
    { netns: "host", message: dumpLinks() },
    ...own.map(({ index }): Ask => ({ netns: "host", message: dumpAddresses(index) })),
  ]);
  const links = linksFrom(dump, "the host's links");
  return own.map((link, i) => {
    const stacked = links.filter((one) => one.link === link.index && one.linkNetnsid === undefined);
    return {
      link,
      addresses: addressesFrom(addresses[i], `the addresses of ${link.name}`, link.index),
      stacked,
      probes: stacked.filter((one) => isProbe(one, link)),
    };
  });
}

async function shimViews(transaction: Transaction, shims: readonly LinkView[]): Promise<ShimView[]> {
  if (shims.length === 0) return [];
  const answers = await transaction.ask([hostRoutesAsk("inet"), hostRoutesAsk("inet6")]);
  const routes = answers.flatMap((answer) => routesFrom(answer, "the host's routes"));
  return shims.map((link) => ({
    link,
    // A route that the kernel keeps for an address of the shim's own leads to no guest.
    routes: routes.filter(({ oif, protocol }) => oif === link.index && protocol !== rtProt.RTPROT_KERNEL).length,
  }));
}

async function swept(instance: Instance, lock: LockOptions, vlan: number | undefined): Promise<string[]> {
  const asks = [kindAsk("vlan"), kindAsk("macvlan")];
  const { transaction, answers } = await Transaction.begin(instance.runner, [instance.host], asks, lock);
  try {
    const own = linksFrom(answers[0], "the host's VLANs").filter(isOwnVlan);
    const shims = linksFrom(answers[1], "the host's macvlans").filter(isOwnShim);
    if (own.length + shims.length === 0) return [];
    const views = own.length === 0 ? [] : await viewsOf(transaction, own);
    const records = readRecords(instance.recordDir);
    const plan = planSweep(views, records, drawMark(), vlan, await shimViews(transaction, shims));
    if (plan.steps.length === 0) return [];
    const { instructions, slots } = assemble(plan);
    const report = await transaction.run(
      instructions,
      slots.map(() => 0),
    );
    const results = new Map(plan.steps.map((step, i) => [step.id, report.results[i]]));
    return plan.vlans.flatMap(({ link, probe, found, remove }) => {
      const outcomes = [probe, found, remove].map((id) => results.get(id));
      const outcome = outcomes.find((one) => one !== undefined && one.errno !== 0);
      if (outcome === undefined || USED.includes(errnoName(outcome.errno))) return [];
      const words = `${outcome.text ?? errnoText(outcome.errno)} (${errnoName(outcome.errno)})`;
      return [`the VLAN link ${link.name}, which pipework made, stays: ${words}`];
    });
  } finally {
    await transaction.end();
  }
}

/**
 * Looks at the VLAN links that we made, once what was asked for has succeeded, and removes those that nothing uses: a
 * transaction of its own. Never throws: what went wrong are warnings of that success.
 * @param vlan the one that was just left
 */
export async function sweep(instance: Instance, lock: LockOptions, vlan?: number): Promise<string[]> {
  try {
    return await swept(instance, lock, vlan);
  } catch (error) {
    return [`VLAN links that nothing uses any more may be left: ${(error as Error).message}`];
  }
}
