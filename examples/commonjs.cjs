// The library from CommonJS.
const { Pipework } = require("pipework");

async function main() {
  const pw = new Pipework();
  const at = await pw.attach({ guest: "netns:blue", to: "br1", addresses: ["192.168.1.2/24"] });
  console.log(`${at.outcome} ${at.addresses[0]}`);
  await pw.detach({ guest: "netns:blue" });
  await pw.close();
}

void main();
// expect: attached 192.168.1.2/24
