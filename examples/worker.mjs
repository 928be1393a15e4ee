// Four worker threads, each with an instance of its own.
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Pipework } from "pipework";

if (isMainThread) {
  const outcomes = await Promise.all(
    [0, 1, 2, 3].map(
      (n) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url), { workerData: n });
          worker.once("message", resolve);
          worker.once("error", reject);
        }),
    ),
  );
  console.log(outcomes.join(" "));
} else {
  const pw = new Pipework();
  const at = await pw.attach({
    guest: "netns:blue",
    to: "br1",
    ifname: `eth${workerData}`,
    addresses: [`10.0.${workerData}.2/24`],
  });
  await pw.detach({ guest: "netns:blue", ifname: at.ifname });
  parentPort.postMessage(`${at.ifname}:${at.outcome}`);
  await pw.close();
}
// expect: eth0:attached eth1:attached eth2:attached eth3:attached
