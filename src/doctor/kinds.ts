import type { Instance } from "../instance.js";
import { assemble } from "../kernel/assemble.js";
import { errnoName, errnoText } from "../kernel/errno.js";
import { Transaction } from "../kernel/transaction.js";
import { getLinkByName, newLink } from "../plan/link-message.js";
import type { Plan, Step } from "../plan/step.js";
import type { Finding } from "./finding.js";

const none = { none: "the namespace is thrown away" } as const;

function step(id: string, label: string, message: ReturnType<typeof newLink>, capture?: string): Step {
  return {
    id,
    label,
    netns: "host",
    op: { op: "netlink", message, ...(capture === undefined ? {} : { capture: { slot: capture } }) },
    undo: none,
    optional: true,
  };
}

/** Makes one link of each kind in a throw-away namespace, which takes them along when it is closed. */
export async function kindFindings(instance: Instance): Promise<Finding[]> {
  const netns = await instance.runner.createNetns();
  try {
    const plan: Plan = {
      action: "attach",
      guest: "",
      guestId: "",
      ifname: "",
      outcome: "attached",
      warnings: [],
      steps: [
        step("bridge", "bridge", newLink({ ifname: "b0", linkinfo: { kind: "bridge" } })),
        step(
          "veth",
          "veth",
          newLink({ ifname: "v0", linkinfo: { kind: "veth", data: { peer: { attributes: { ifname: "v1" } } } } }),
        ),
        step("parent", "parent", getLinkByName("v0"), "parent"),
        step(
          "macvlan",
          "macvlan",
          newLink({ ifname: "m0", link: { slot: "parent" }, linkinfo: { kind: "macvlan", data: { mode: 4 } } }),
        ),
      ],
    };
    const { transaction } = await Transaction.begin(instance.runner, [netns], [], undefined);
    const program = assemble(plan);
    const report = await transaction.run(
      program.instructions,
      program.slots.map(() => 0),
    );
    return plan.steps.flatMap(({ id }, i): Finding[] => {
      if (id === "parent") return [];
      const { errno, text } = report.results[i] ?? { errno: 0 };
      if (errno === 0) return [{ id: `kind-${id}`, level: "ok", what: `this kernel has ${id} links` }];
      return [
        {
          id: `kind-${id}`,
          level: "problem",
          what: `this kernel refuses ${id} links: ${text ?? errnoText(errno)} (${errnoName(errno)})`,
          remedy: `load the module (modprobe ${id}) or use a kernel that has it`,
        },
      ];
    });
  } finally {
    netns.close();
  }
}
