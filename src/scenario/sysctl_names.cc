// The sysctls of Linux's network, by their names, and two of its files: what `kernel:` may set, whether the model knows
// it or not. A name that no Linux has is a mistake of the file.
#include "src/scenario/sysctl_names.hh"

#include <algorithm>
#include <array>
#include <string>

namespace wakepath::scenario {
namespace {

// Linux 6.18: net/core/sysctl_net_core.c, net/ipv4/sysctl_net_ipv4.c, net/ipv6/sysctl_net_ipv6.c and those beside them,
// as /proc/sys/net lists them.
constexpr std::string_view kCore =
    "bpf_jit_enable bpf_jit_harden bpf_jit_kallsyms bpf_jit_limit busy_poll busy_read default_qdisc "
    "dev_weight dev_weight_rx_bias dev_weight_tx_bias devconf_inherit_init_net "
    "fb_tunnels_only_for_init_net flow_limit_cpu_bitmap flow_limit_table_len gro_normal_batch "
    "high_order_alloc_disable max_skb_frags mem_pcpu_rsv message_burst message_cost netdev_budget "
    "netdev_budget_usecs netdev_max_backlog netdev_rss_key netdev_tstamp_prequeue "
    "netdev_unregister_timeout_secs optmem_max rmem_default rmem_max rps_default_mask "
    "rps_sock_flow_entries skb_defer_max somaxconn tstamp_allow_data txrehash warnings wmem_default "
    "wmem_max xfrm_acq_expires xfrm_aevent_etime xfrm_aevent_rseqth xfrm_larval_drop ";
constexpr std::string_view kIpv4 =
    "cipso_cache_bucket_size cipso_cache_enable cipso_rbm_optfmt cipso_rbm_strictvalid "
    "fib_multipath_hash_fields fib_multipath_hash_policy fib_multipath_hash_seed fib_multipath_use_neigh "
    "fib_notify_on_flag_change fib_sync_mem fwmark_reflect icmp_echo_enable_probe icmp_echo_ignore_all "
    "icmp_echo_ignore_broadcasts icmp_errors_use_inbound_ifaddr icmp_ignore_bogus_error_responses "
    "icmp_msgs_burst icmp_msgs_per_sec icmp_ratelimit icmp_ratemask igmp_link_local_mcast_reports "
    "igmp_max_memberships igmp_max_msf igmp_qrv inet_peer_maxttl inet_peer_minttl inet_peer_threshold "
    "ip_autobind_reuse ip_default_ttl ip_dynaddr ip_early_demux ip_forward ip_forward_update_priority "
    "ip_forward_use_pmtu ip_local_port_range ip_local_reserved_ports ip_no_pmtu_disc ip_nonlocal_bind "
    "ip_unprivileged_port_start ipfrag_high_thresh ipfrag_low_thresh ipfrag_max_dist "
    "ipfrag_secret_interval ipfrag_time nexthop_compat_mode ping_group_range raw_l3mdev_accept "
    "tcp_abort_on_overflow tcp_adv_win_scale tcp_allowed_congestion_control tcp_app_win tcp_autocorking "
    "tcp_available_congestion_control tcp_available_ulp tcp_backlog_ack_defer tcp_base_mss "
    "tcp_challenge_ack_limit tcp_child_ehash_entries tcp_comp_sack_delay_ns tcp_comp_sack_nr "
    "tcp_comp_sack_slack_ns tcp_congestion_control tcp_dsack tcp_early_demux tcp_early_retrans tcp_ecn "
    "tcp_ecn_fallback tcp_ecn_option tcp_ecn_option_beacon tcp_ehash_entries tcp_fack tcp_fastopen "
    "tcp_fastopen_blackhole_timeout_sec tcp_fastopen_key tcp_fin_timeout tcp_frto tcp_fwmark_accept "
    "tcp_invalid_ratelimit tcp_keepalive_intvl tcp_keepalive_probes tcp_keepalive_time tcp_l3mdev_accept "
    "tcp_limit_output_bytes tcp_low_latency tcp_max_orphans tcp_max_reordering tcp_max_syn_backlog "
    "tcp_max_tw_buckets tcp_mem tcp_migrate_req tcp_min_rtt_wlen tcp_min_snd_mss tcp_min_tso_segs "
    "tcp_moderate_rcvbuf tcp_mtu_probe_floor tcp_mtu_probing tcp_no_metrics_save "
    "tcp_no_ssthresh_metrics_save tcp_notsent_lowat tcp_orphan_retries tcp_pacing_ca_ratio "
    "tcp_pacing_ss_ratio tcp_pingpong_thresh tcp_plb_cong_thresh tcp_plb_enabled "
    "tcp_plb_idle_rehash_rounds tcp_plb_rehash_rounds tcp_plb_suspend_rto_sec tcp_probe_interval "
    "tcp_probe_threshold tcp_recovery tcp_reflect_tos tcp_reordering tcp_retrans_collapse tcp_retries1 "
    "tcp_retries2 tcp_rfc1337 tcp_rmem tcp_rto_max_ms tcp_rto_min_us tcp_sack tcp_shrink_window "
    "tcp_slow_start_after_idle tcp_stdurg tcp_syn_linear_timeouts tcp_syn_retries tcp_synack_retries "
    "tcp_syncookies tcp_thin_linear_timeouts tcp_timestamps tcp_tso_rtt_log tcp_tso_win_divisor "
    "tcp_tw_reuse tcp_tw_reuse_delay tcp_window_scaling tcp_wmem tcp_workaround_signed_windows "
    "udp_child_hash_entries udp_early_demux udp_hash_entries udp_l3mdev_accept udp_mem udp_rmem_min "
    "udp_wmem_min xfrm4_gc_thresh ";
constexpr std::string_view kIpv6 =
    "anycast_src_echo_reply auto_flowlabels bindv6only calipso_cache_bucket_size calipso_cache_enable "
    "fib_multipath_hash_fields fib_multipath_hash_policy fib_notify_on_flag_change flowlabel_consistency "
    "flowlabel_reflect flowlabel_state_ranges fwmark_reflect idgen_delay idgen_retries ioam6_id "
    "ioam6_id_wide ip6frag_high_thresh ip6frag_low_thresh ip6frag_secret_interval ip6frag_time "
    "ip_nonlocal_bind max_dst_opts_length max_dst_opts_number max_hbh_length max_hbh_opts_number "
    "mld_max_msf mld_qrv seg6_flowlabel xfrm6_gc_thresh ";

/// Whole trees: one part an interface or a table, or names of their own.
constexpr std::array<std::string_view, 13> kTrees = {
    "net.ipv4.conf.",  "net.ipv4.neigh.", "net.ipv4.route.", "net.ipv6.conf.", "net.ipv6.neigh.",
    "net.ipv6.route.", "net.ipv6.icmp.",  "net.bridge.",     "net.netfilter.", "net.mptcp.",
    "net.sctp.",       "net.vsock.",      "net.mpls."};

void add(std::vector<std::string>& out, const std::string& prefix, std::string_view names) {
  for (std::size_t space = 0; (space = names.find(' ')) != std::string_view::npos; names.remove_prefix(space + 1))
    out.push_back(prefix + std::string(names.substr(0, space)));
}

const std::vector<std::string>& all() {
  static const std::vector<std::string> kAll = [] {
    std::vector<std::string> out = {"net.unix.max_dgram_qlen", "fs.file-max", "fs.epoll.max_user_watches"};
    add(out, "net.core.", kCore);
    add(out, "net.ipv4.", kIpv4);
    add(out, "net.ipv6.", kIpv6);
    return out;
  }();
  return kAll;
}

}  // namespace

std::vector<std::string_view> sysctl_names() { return {all().begin(), all().end()}; }

bool is_sysctl(std::string_view name) {
  return std::find(all().begin(), all().end(), name) != all().end() ||
         std::any_of(kTrees.begin(), kTrees.end(),
                     [&](std::string_view tree) { return name.starts_with(tree) && name.size() > tree.size(); });
}

}  // namespace wakepath::scenario
