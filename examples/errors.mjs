// Every failure is a PipeworkError, and leaves everything as it was.
import { Pipework, PipeworkError } from "pipework";

const pw = new Pipework();
for (const request of [
  { guest: "netns:nowhere", to: "br1", addresses: ["192.168.1.2/24"] },
  { guest: "netns:blue", to: "br1", addresses: ["192.168.1.300/24"] },
  { guest: "netns:blue", to: "lan0", addresses: ["192.168.1.2/24"] },
  { guest: "netns:blue", to: "br1", addresses: ["192.168.1.2/24"], routes: ["10.0.0.0/8 via 172.16.0.1"] },
]) {
  try {
    await pw.attach(request);
  } catch (error) {
    if (!(error instanceof PipeworkError)) throw error;
    console.log(`${error.code}: ${error.message}`);
    if (error.hint !== undefined) console.log(`  ${error.hint}`);
  }
}
await pw.close();
// expect: guest-not-found:
// expect: invalid-request:
// expect: interface-not-found: there is no interface lan0 on the host
// expect: kernel-refused: eth1 of netns:blue could not be attached
