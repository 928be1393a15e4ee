// Attaches a guest to a bridge, looks at it, and takes it back. Guest: the network namespace "blue".
import { Pipework } from "pipework";

const pw = new Pipework();
const at = await pw.attach({
  guest: "netns:blue",
  to: "br1",
  ifname: "eth1",
  addresses: ["192.168.1.2/24", "2001:db8:1::2/64"],
  gateway: "192.168.1.1",
});
console.log(`${at.ifname} is interface ${at.ifindex} of ${at.guest}, its host end ${at.hostIfname} is on ${at.to}`);

const again = await pw.attach({ guest: "netns:blue", to: "br1", ifname: "eth1", addresses: ["192.168.1.2/24"] });
console.log(`the same once more: ${again.outcome}`);

for (const { guest, ifname, addresses, state } of await pw.list())
  console.log(`${guest} ${ifname} ${addresses.join(" ")} ${state}`);

const [{ outcome }] = await pw.detach({ guest: "netns:blue", ifname: "eth1" });
console.log(outcome);
await pw.close();
// expect: the same once more: unchanged
// expect: netns:blue eth1 192.168.1.2/24 2001:db8:1::2/64 up
// expect: detached
