/**
 * The settings of an interface that people change and that a move between namespaces resets, by family: files below
 * /proc/sys/net/<family>/conf/<interface> (Documentation/networking/ip-sysctl.rst). Those that no kernel writes a plain
 * value to, or that say nothing of one interface, are left out.
 */
const keys = {
  ipv4: [
    "accept_local",
    "accept_redirects",
    "accept_source_route",
    "arp_accept",
    "arp_announce",
    "arp_filter",
    "arp_ignore",
    "arp_notify",
    "bc_forwarding",
    "forwarding",
    "ignore_routes_with_linkdown",
    "log_martians",
    "promote_secondaries",
    "proxy_arp",
    "proxy_arp_pvlan",
    "route_localnet",
    "rp_filter",
    "secure_redirects",
    "send_redirects",
    "shared_media",
    "src_valid_mark",
  ],
  ipv6: [
    "accept_dad",
    "accept_ra",
    "accept_ra_defrtr",
    "accept_ra_mtu",
    "accept_ra_pinfo",
    "accept_ra_rtr_pref",
    "accept_redirects",
    "accept_source_route",
    "addr_gen_mode",
    "autoconf",
    "dad_transmits",
    "disable_ipv6",
    "drop_unsolicited_na",
    "forwarding",
    "hop_limit",
    "keep_addr_on_down",
    "ndisc_notify",
    "proxy_ndp",
    "router_solicitations",
    "use_tempaddr",
  ],
} as const;

export const nicSysctls: readonly (readonly [family: string, key: string])[] = Object.entries(keys).flatMap(
  ([family, list]) => list.map((key) => [family, key] as const),
);
