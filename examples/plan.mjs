// Shows what an attach would do, step by step with its undo, without doing it.
import { Pipework, renderPlan } from "pipework";

const pw = new Pipework();
const plan = await pw.plan({ guest: "netns:blue", to: "br9", addresses: ["10.9.0.2/16"], gateway: "10.9.0.1" });
console.log(renderPlan(plan));
console.log(
  `${plan.steps.filter((step) => step.netns === "guest").length > 0 ? "some" : "no"} steps work inside the guest`,
);
console.log(`attached: ${(await pw.list()).length}`);
await pw.close();
// expect: undo: ip link del br9
// expect: some steps work inside the guest
// expect: attached: 0
