/** What `pipework` alone says, on stderr. */
export const usageText = `Syntax:
  pipework <hostif> [-i ifname] [-l hostname] [-a 4|6] <guest> <addr/len[@gateway]|0/0> [mac][@vlan]
  pipework attach <guest> --to IF [--address A]... [--gateway G] [options]
  pipework detach <guest> [-i ifname | --all]
  pipework list [guest]
  pipework wait <guest> [-i ifname] [level]
  pipework --wait [-i ifname] [level]
Try pipework --help.
`;

/** `pipework --help`. */
export const helpText = `pipework puts network interfaces into running containers: natively over netlink, all or nothing.

Usage:
  pipework <hostif> [-i ifname] [-l hostname] [-a 4|6] <guest> <addr/len[@gateway]|0/0> [mac][@vlan]
                       the words of the 2013 shell script
  pipework --wait [-i ifname] [level]
                       wait until an interface of this very namespace is up (default: eth1)
  pipework attach <guest> --to IF [options]
  pipework detach <guest> [-i ifname | --all]
  pipework list [guest]
  pipework wait <guest> [-i ifname] [level]
                       wait until an interface of a guest is up
  pipework bridge <bridge> --uplink IF | --release
                       a NIC becomes the bridge's port, which takes over its addresses and routes
  pipework doctor      what on this machine stands in the way, and the remedy
  pipework demo        two namespaces wired over a bridge, and a ping between them
  pipework help <command>

<hostif>   a bridge (made when it is missing and its name begins with br), or an Ethernet interface,
           on which a macvlan is made, with @vlan on that VLAN of it; br63@bond0 (and @63): a bridge over
           VLAN 63 of bond0; dummy: an interface that hangs on nothing
<guest>    a container's name, id or unique beginning of its id (Docker's, else Podman's, else LXC's);
           or docker:X, podman:X, lxc:X, pid:N, netns:NAME, netns:/path
0/0        no address
<level>    exists; up (default); address: one that can be used; route: a default route through the interface

Options, in any place:
  -i NAME         interface name inside the guest (default: eth1)
  -l NAME         name of the host end (bridges only)
  -a 4|6          address family; it follows from the address anyway
  --replace       replace an interface of that name that has another configuration
  --dry-run       show the plan, change nothing
  --no-announce   do not tell the neighbours
  --timeout S     how long to wait for the engine, for a starting guest, for the lock
  --json          the result on stdout, errors on stderr, both as JSON
  -q, --quiet     no warnings
  -v, --verbose   one line on stderr about what was done
  -V, --version   -h, --help

Examples:
  pipework br1 web1 192.168.1.2/24@192.168.1.1
  pipework eth0 -i lan0 web1 10.1.1.7/24 U:web1
  pipework attach web1 --to br1 --address 192.168.1.2/24 --address fd00::2/64 --gateway 192.168.1.1
  pipework attach netns:blue --to br1 --address 10.0.0.2/24 --dry-run
  pipework detach web1

Exit status: 0 done (or it was so already); 1 refused or failed, and nothing is changed; 130, 143 after
SIGINT, SIGTERM: what was under way has run to its end or is undone.
`;
