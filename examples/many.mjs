// Attaches many interfaces at once; with `atomic`, one failure undoes all of them.
import { Pipework } from "pipework";

const pw = new Pipework();
const requests = Array.from({ length: 20 }, (_, i) => ({
  guest: "netns:blue",
  to: "br1",
  ifname: `lab${i}`,
  addresses: [`10.${i}.0.2/24`],
}));

const settled = await pw.attachAll(requests);
console.log(`${settled.filter((one) => one.status === "fulfilled").length} attached`);
await pw.detach({ guest: "netns:blue", all: true });

try {
  await pw.attachAll([...requests, { guest: "netns:blue", to: "br1", ifname: "bad", mac: "01:00:5e:00:00:01" }], {
    atomic: true,
  });
} catch (error) {
  console.log(`none attached: ${error.code}`);
}
console.log(`${(await pw.list()).length} left`);
await pw.close();
// expect: 20 attached
// expect: none attached: invalid-request
// expect: 0 left
