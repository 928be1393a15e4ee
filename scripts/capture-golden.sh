#!/bin/bash
# Captures what iproute2 sends to the kernel, and what the kernel answers to its dumps, as fixtures for the unit tests of
# the netlink room. Needs root, strace, iproute2 and jq; works in throw-away namespaces and leaves nothing behind.
#   scripts/capture-golden.sh [directory]      (default: test/golden)
set -euo pipefail

if [ "${1-}" != --inside ]; then
  here=$(dirname "$(readlink -f "$0")")
  out=${1:-$here/../test/golden}
  mkdir -p "$out"
  # A private mount namespace as well: `ip netns add` mounts below /run/netns, and sysfs must be that of the namespace.
  exec unshare --net --mount -- "$0" --inside "$(readlink -f "$out")"
fi

out=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mount -t tmpfs none /run/netns 2>/dev/null || { mkdir -p /run/netns; mount -t tmpfs none /run/netns; }
ip netns add peer

# Hex of every message, one a line: strace dumps what is read and written as " | 00000  20 00 ...  text |".
hexdump_of() {
  awk -v call="$1" '
    /^(sendmsg|recvmsg|sendto|recvfrom|recv|send)\(/ { if (hex != "") print hex; hex = ""; wanted = ($0 ~ "^" call) }
    /^ \| [0-9a-f]+  / { if (wanted) { line = substr($0, 11, 49); gsub(/ /, "", line); hex = hex line } }
    END { if (hex != "") print hex }' "$2"
}

# capture <file> <words of ip...>: keeps what was sent. show <file> <words...>: keeps the answers and `ip -j` as well.
json_lines() { jq -Rn '[inputs]'; }
capture() {
  local file=$1; shift
  strace -o "$work/trace" -e trace=sendmsg,sendto,recvmsg -e write=all -e read=all ip "$@" >/dev/null
  jq -n --arg command "ip $*" --argjson sent "$(hexdump_of 'send(msg|to)' "$work/trace" | json_lines)" \
    '{command: $command, sent: $sent}' >>"$work/$file.entries"
}
# attempt: what was sent counts, also when this kernel lacks that kind of link.
attempt() {
  local file=$1; shift
  strace -o "$work/trace" -e trace=sendmsg,sendto,recvmsg -e write=all -e read=all ip "$@" >/dev/null 2>&1 || true
  jq -n --arg command "ip $*" --argjson sent "$(hexdump_of 'send(msg|to)' "$work/trace" | json_lines)" \
    '{command: $command, sent: $sent}' >>"$work/$file.entries"
}
show() {
  local file=$1; shift
  local json
  json=$(ip -j "$@")
  strace -o "$work/trace" -e trace=sendmsg,sendto,recvmsg -e write=all -e read=all ip "$@" >/dev/null
  jq -n --arg command "ip $*" --argjson json "${json:-[]}" \
    --argjson sent "$(hexdump_of 'send(msg|to)' "$work/trace" | json_lines)" \
    --argjson received "$(hexdump_of recvmsg "$work/trace" | json_lines)" \
    '{command: $command, sent: $sent, received: $received, json: $json}' >>"$work/$file.entries"
}

capture link link set dev lo up
capture link link add name br1 address 02:00:00:00:00:01 type bridge
capture link link add name br2 type bridge stp_state 0 forward_delay 400 hello_time 200 max_age 2000 ageing_time 30000 priority 4096 mcast_snooping 0 nf_call_iptables 0 nf_call_ip6tables 0 group_fwd_mask 8
capture link link set dev br1 up
capture link link add name veth1 address fe:00:00:00:00:02 mtu 1400 numtxqueues 1 numrxqueues 1 master br1 group 1886846976 up type veth peer name eth1 address 02:00:00:00:00:03 mtu 1400 numtxqueues 1 numrxqueues 1 netns peer
capture link link add name veth2 type veth peer name veth3
capture link link set dev veth1 group 0 up
capture link link set dev veth1 alias 'pipework:test of an alias'
capture link link set dev veth2 txqueuelen 17
capture link link set dev veth2 mtu 1300
capture link link set dev veth2 address 02:00:00:00:00:04
capture link link set dev veth2 master br1
capture link link set dev veth2 up
capture link link set dev veth3 up
capture link link set dev veth2 type bridge_slave state 3 cost 5 priority 7 guard on hairpin on learning off flood off fastleave on root_block on mcast_flood off bcast_flood off isolated on
capture link link set dev veth2 nomaster
capture link link set dev veth3 down
capture link link set dev veth3 name veth4
capture link link set dev veth4 netns peer
capture link link property add dev veth2 altname first-alternative-name altname second-alternative-name
for mode in private vepa bridge; do
  capture link link add link veth2 name "mv-$mode" address 02:00:00:00:01:01 type macvlan mode "$mode"
  capture link link del dev "mv-$mode"
done
capture link link add link veth2 name mv1 netns peer type macvlan mode bridge
capture link link add link br2 name mv2 type macvlan mode passthru
capture link link add link veth2 name mv3 type macvlan mode source
capture link link set dev mv3 type macvlan macaddr set 02:00:00:00:01:05 02:00:00:00:01:06
capture link link set dev mv3 type macvlan macaddr add 02:00:00:00:01:07
attempt link link add link veth2 name veth2.10 type vlan id 10
attempt link link add link veth2 name outer type vlan protocol 802.1ad id 11 reorder_hdr off
attempt link link add link veth2 name iv1 netns peer type ipvlan mode l3s
attempt link link add link veth2 name iv2 type ipvlan mode l2 private
attempt link link add link veth2 name ib0.8001 type ipoib pkey 0x8001 mode datagram umcast 0
attempt link link add name dummy0 type dummy
capture link link set dev veth2 up
# One of the kernel's array of settings that is not zero, to be found again in the dump.
echo 1 >/proc/sys/net/ipv4/conf/br1/arp_notify
capture link link show dev veth1
show link -d link show
show link -n peer -d link show

capture address addr add 192.168.1.2/24 broadcast 192.168.1.255 dev br1
capture address addr add 10.9.9.1/32 dev br1
capture address addr add 10.9.8.1/31 dev br1 label br1:second
capture address addr add fd00::2/64 dev br1 nodad
capture address addr add fd00::3/64 dev br1 nodad valid_lft 3600 preferred_lft 1800
capture address addr add fd00::4/64 dev br1 noprefixroute metric 77
capture address addr del 10.9.8.1/31 dev br1
show address addr show

capture route route add 10.1.0.0/16 dev br1
capture route route add 10.2.0.0/16 via 192.168.1.1
capture route route append default via 192.168.1.1 dev br1
capture route route replace default via 192.168.1.254 dev br1
capture route route add default via 192.168.1.1 dev br1 metric 200 src 192.168.1.2 proto static
capture route route add 10.8.0.0/16 dev br1 advmss 1200 window 65535 rtt 100 rttvar 20 ssthresh 9 cwnd lock 8 reordering 4 hoplimit 63 initcwnd 10 initrwnd 12 features ecn rto_min 300 quickack 1 congctl reno fastopen_no_cookie 1
capture route route add 10.9.0.0/16 dev br1 realms 3
capture route route add 10.3.3.3/32 dev br1 scope link
capture route route add default via 172.16.0.1 dev br1 onlink metric 300
capture route route add 10.4.0.0/16 dev br1 table 1000 mtu 1300
capture route route add 10.5.0.0/16 nexthop via 192.168.1.1 weight 1 nexthop via 192.168.1.3 weight 2
capture route route add 10.6.0.0/16 via inet6 fd00::1 dev br1
capture route route add unreachable 10.7.0.0/16
capture route -6 route add default via fd00::1 dev br1
capture route -6 route add fd01::/64 dev br1 metric 5 pref high
capture route -6 route add fd02::/64 dev br1 expires 600
capture route route del default via 172.16.0.1 dev br1 onlink metric 300
show route route show table all
show route -6 route show table all

capture rule rule add from 10.1.0.0/16 table 100 priority 1000
capture rule rule add to 10.2.0.0/16 iif br1 lookup 1000 priority 1001
capture rule rule add fwmark 0x10/0xff table 101 priority 1002
capture rule rule add not from 10.3.0.0/16 oif br1 prohibit priority 1003
capture rule rule add uidrange 1000-2000 ipproto tcp sport 1024-2048 dport 80 table 102 priority 1004
capture rule rule add from all goto 1003 priority 900
capture rule rule add from all lookup main suppress_prefixlength 0 suppress_ifgroup 5 priority 1005
capture rule rule add from all realms 7 table 103 priority 1006 protocol 9
capture rule -6 rule add from fd00::/64 table 100 priority 1000
capture rule rule del priority 1003
show rule rule show
show rule -6 rule show

capture neighbour neigh add 192.168.1.7 lladdr 02:00:00:00:02:01 dev br1
capture neighbour neigh replace 192.168.1.8 lladdr 02:00:00:00:02:02 dev br1 nud reachable
capture neighbour neigh add proxy 192.168.1.9 dev br1
capture neighbour neigh add fd00::7 lladdr 02:00:00:00:02:03 dev br1 router proto 9
capture neighbour neigh add 192.168.1.10 dev br1 managed
capture neighbour neigh del 192.168.1.8 dev br1
show neighbour neigh show nud all

for noun in link address route rule neighbour; do
  jq -s --arg iproute2 "$(ip -V | sed 's/.*iproute2-\([^,]*\).*/\1/')" --arg kernel "$(uname -r)" --arg machine "$(uname -m)" \
    '{iproute2: $iproute2, kernel: $kernel, machine: $machine, captures: .}' "$work/$noun.entries" >"$out/$noun.json"
done
