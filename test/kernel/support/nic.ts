import { World } from "./world.js";

/** MAC of the NIC that nicWorld makes. */
export const NIC_MAC = "02:00:00:00:00:aa";

/**
 * A world with a veth in the place of a NIC, nic0, that has everything a NIC may have; at the far end of its wire, in a
 * namespace that is not observed, is another machine.
 */
export function nicWorld({ up = true, guest = {} }: { up?: boolean; guest?: { ipv6?: boolean } } = {}): World {
  const world = new World();
  world.guest(guest);
  const wire = world.namespace({ observed: false });
  world.ip(
    world.host,
    `link add nic0 address ${NIC_MAC} type veth peer name far netns ${wire}`,
    "link set nic0 mtu 1400 txqueuelen 500 alias the-uplink group 7",
    "link property add dev nic0 altname enp0s5 altname a-long-alternative-name",
    "address add 10.0.0.1/24 brd + dev nic0",
    "address add 10.0.0.2/24 dev nic0 label nic0:two",
    "address add 10.9.0.1/32 dev nic0",
    "address add fd00:aa::1/64 dev nic0 nodad",
  );
  world.ip(wire, "link set far up", "address add 10.0.0.9/24 dev far", "address add 192.168.1.1/24 dev far");
  world.shell(
    world.host,
    "echo 2 > /proc/sys/net/ipv4/conf/nic0/rp_filter; echo 0 > /proc/sys/net/ipv6/conf/nic0/accept_ra",
  );
  if (up) {
    world.ip(
      world.host,
      "link set nic0 up",
      "route add 10.5.0.0/16 via 10.0.0.9 dev nic0 metric 7",
      "route add 10.6.0.0/16 dev nic0 table 77",
      "route add 10.7.0.0/16 via 10.0.0.9 dev nic0 src 10.0.0.2 mtu lock 1300",
      "route add fd00:bb::/64 via fd00:aa::9 dev nic0",
    );
  }
  return world;
}
