#!/bin/sh
# The words of the shell script, unchanged. Guests: the network namespaces "blue" and "red".
set -e
pipework br1 netns:blue 192.168.1.1/24
pipework br1 -i eth2 -l vlan-red netns:red 192.168.1.2/24@192.168.1.254 U:red
pipework br1 netns:blue 192.168.1.1/24
pipework list
pipework detach netns:blue
pipework detach netns:red -i eth2
# expect: netns:red
# expect: 192.168.1.2/24
