//! The table of findings: every sentence that can appear at the head of a report, by name, in
//! order.

use super::{Finding, RunFacts, RunFinding};

const fn row(
    name: &'static str,
    says: &'static str,
    made_of: &'static str,
    source: &'static str,
    sentence: fn(&RunFacts<'_>) -> Option<String>,
) -> RunFinding {
    RunFinding {
        about: Finding {
            name,
            says,
            made_of,
            source,
        },
        sentence,
    }
}

/// Findings about what is unusual in a run.
pub(super) const UNUSUAL: &[RunFinding] = &[
    row(
        "accepted-old-data",
        "Data of an earlier connection between the same addresses and ports were accepted as data of \
         a later one: silent corruption, which TIME-WAIT exists to prevent.",
        "old_duplicate_bytes",
        "RFC 9293 section 3.6.1, RFC 1337",
        |known| known.corruption(),
    ),
    row(
        "exhausted-nat",
        "A NAT had no free port for a new connection and dropped its SYN; since when, and how many.",
        "nat.<name>_syns_dropped, nat.<name>_first_drop_s",
        "RFC 4787 section 4, RFC 5382",
        |known| known.exhausted_nats(),
    ),
    row(
        "full-firewall",
        "The connection table of a firewall was full, so that it dropped packets of new connections; since when, and how many.",
        "conntrack_full_drops_pkts, conntrack_full_first_s, conntrack_entries_peak",
        "nf_conntrack_max and \"nf_conntrack: table full, dropping packet\" of Linux",
        |known| known.full_firewall(),
    ),
    row(
        "failed-connects",
        "Calls of connect that failed: how many, since when, and why: no free local port, refused \
         by a reset, timed out, or given up.",
        "connects_failed, connects_addr_not_available, connects_refused, connects_timed_out, \
         connects_aborted, first_failure_s",
        "RFC 9293 section 3.9.1.1; EADDRNOTAVAIL, ECONNREFUSED, ETIMEDOUT of connect(2)",
        |known| known.failures(),
    ),
    row(
        "unsettled-connects",
        "Connects that had neither succeeded nor failed when the run ended, and had been pending for \
         longer than any successful one took: there was no answer, or answers were lost.",
        "connects_attempted, connects_established, connect_unsettled_max_s",
        "RFC 9293 section 3.8.3; tcp_syn_retries of Linux",
        |known| known.unsettled(),
    ),
    row(
        "dropped-by-listeners",
        "A listener dropped SYNs or final ACKs because its accept queue or SYN queue was full, or \
         answered with SYN cookies. Clients retransmit, so connects are slow rather than refused.",
        "listen_overflows, listen_drops, syn_cookies_sent",
        "listen(2); TcpExtListenOverflows and TcpExtListenDrops of Linux; RFC 4987",
        |known| known.dropped_by_listeners(),
    ),
    row(
        "no-route",
        "Packets for an address to which a node has no route.",
        "unrouted_pkts",
        "RFC 1812 section 5.2.7.1",
        |known| known.unroutable(),
    ),
    row(
        "no-nat-mapping",
        "Packets that reached a NAT from outside and matched no mapping: late segments, or those of a \
         connection whose mapping had timed out.",
        "nat_packets_unmapped",
        "RFC 5382 section 5",
        |known| known.unmapped(),
    ),
    row(
        "forgotten-by-balancer",
        "A balancer forgot connections that had been silent for its idle time-out, and packets of them came later. \
         Keep-alive, or an idle time-out of clients that is shorter than the balancer's, avoids it.",
        "balancer_idle_forgotten, balancer_strangers_pkts, balancer_resets_sent",
        "the idle time-outs of load balancers",
        |known| known.forgotten_by_balancer(),
    ),
    row(
        "unanswered-requests",
        "Requests that never got their complete response: how many, how their connections ended, when, \
         and how long the longest waited.",
        "requests_unanswered and its causes, request_unanswered_wait_max_s",
        "the clients of the workload",
        |known| known.unanswered(),
    ),
    row(
        "raced-requests",
        "Requests that a client sent on a kept connection while the server was closing it: no byte of a response came. Proxies then answer 502. A client avoids it by closing idle connections sooner than its server does.",
        "pool_requests_raced, pool_requests_reused",
        "RFC 9112 section 9.5; idle time-outs of client and server",
        |known| known.raced(),
    ),
    row(
        "failed-for-good",
        "Exchanges that failed in spite of retries: their attempts or their retry budget were used up.",
        "exchanges_failed, exchanges_failed_last_attempt, exchanges_failed_no_budget, exchanges_begun",
        "the clients of the workload",
        |known| known.failed_for_good(),
    ),
    row(
        "retry-load",
        "Retries multiplied the load on the servers: how many attempts there were per exchange.",
        "attempts_per_exchange, exchanges_begun, retries_made",
        "the clients of the workload",
        |known| known.retry_load(),
    ),
    row(
        "proxy-errors",
        "Requests that a proxy answered with an error: 502 without a port or a connection to a server, 503 without a usable server or with a full queue, 504 after a try that took too long.",
        "proxy_errors, proxy_errors_502, proxy_errors_503, proxy_errors_504, proxy_tries_failed_no_port",
        "RFC 9110 section 15.6; the proxies of the workload",
        |known| known.proxy_errors(),
    ),
    row(
        "circuit-breakers",
        "Circuit breakers of clients or proxies opened after failures of a server: how often, and how often they closed.",
        "breaker_opened, breaker_closed, breaker_rejected",
        "Nygard, \"Release It!\" (2007), chapter 5",
        |known| known.breakers(),
    ),
    row(
        "health-checks",
        "Health checks of proxies or balancers took servers out of use, and back into use.",
        "health_down, health_up, balancer_health_down, balancer_health_up",
        "the checks of HAProxy (rise, fall), which the defaults follow",
        |known| known.health(),
    ),
    row(
        "exchange-times",
        "Failed attempts, back-off and waits for a connection made exchanges much slower than answered requests alone: the times that users see, without coordinated omission.",
        "exchange_time_*_s, request_latency_p99_s",
        "G. Tene, \"How NOT to measure latency\" (2013)",
        |known| known.exchange_times(),
    ),
    row(
        "requests-without-connection",
        "Requests that waited for a pooled connection until the run ended or the client crashed: the \
         pool was too small.",
        "requests_never_sent, request_never_sent_wait_max_s",
        "the clients of the workload",
        |known| known.never_sent(),
    ),
    row(
        "cut-short-connections",
        "Connections that ended between two requests, before their clients had made all. Every request \
         was answered, but fewer were made than the scenario asks for. `idle_timeout` is a likely \
         cause.",
        "connections_cut_short",
        "the clients of the workload",
        |known| known.cut_short(),
    ),
    row(
        "broken-flows",
        "Bulk flows whose connection ended before all bytes had been acknowledged.",
        "flows_broken",
        "the senders of the workload",
        |known| known.broken_flows(),
    ),
    row(
        "unfinished-flows",
        "No bulk flow was completed within the run, or flows had fewer than 50 kB acknowledged although \
         they started at least a second before its end. The latter have no goodput in the report.",
        "flows_unfinished, flow_unfinished_max_s, flows_small, flow_small_min_bytes, blocked_by_window_end",
        "the senders of the workload",
        |known| known.unfinished_flows(),
    ),
    row(
        "broken-connections",
        "End points that timed out, were reset, aborted or found their peer unreachable, as far as no \
         other finding covers them.",
        "ended_timed_out, ended_reset, ended_aborted, ended_unreachable, ended_crashed",
        "RFC 9293 sections 3.8.3 and 3.10.7.4",
        |known| known.broken_connections(),
    ),
    row(
        "stuck-connections",
        "The run ended with open connections and nothing scheduled: no timer was running, no segment \
         was in flight, and no application had a timer. Nothing could ever happen to them. Most likely \
         an application never closes, or an end without keep-alive waits for a peer that is gone.",
        "end_points_stuck",
        "the engine's queue of events; half-open connections: RFC 9293 section 3.5.1",
        |known| known.stuck(),
    ),
    row(
        "half-open-connections",
        "One end of these connections was lost in a crash, timed out, or was reset or aborted, and the other \
         was still open at the end of the run. It notices when it sends, or by keep-alive probes; an \
         end that only waits does so for ever. Two ends that wait for each other are not found if the \
         run continues elsewhere: whether an application will ever act is unknown.",
        "half_open_end, half_open_max_s",
        "RFC 9293 section 3.5.1",
        |known| known.half_open(),
    ),
    row(
        "expired-fin-waits",
        "Sockets that had closed were given up in FIN-WAIT-2, because the peer did not close in time. \
         No application is notified.",
        "ended_fin_wait_expired",
        "tcp_fin_timeout of Linux; RFC 9293 section 3.6 knows no such limit",
        |known| known.expired_fin_waits(),
    ),
    row(
        "unsafe-time-wait",
        "TIME-WAIT was left out because its table was full, or ended early by a reset.",
        "ended_time_wait_overflow, time_wait_killed",
        "RFC 9293 section 3.6.1, RFC 1337; tcp_max_tw_buckets of Linux",
        |known| known.unsafe_time_wait(),
    ),
    row(
        "slow-connects",
        "The slowest connects took ten times as long as most, or most of them ten times as long as a \
         round trip, and at least 200 ms: a SYN or SYN-ACK was lost, dropped by a full queue, or met a \
         connection of the same addresses and ports that was still open, and was retransmitted.",
        "connect_latency_*_s",
        "the applications' calls of connect; RFC 6298",
        |known| known.slow_connects(),
    ),
    row(
        "slow-requests",
        "The slowest requests took ten times as long as most, and at least 200 ms.",
        "request_latency_*_s",
        "the clients of the workload",
        |known| known.slow_requests(),
    ),
    row(
        "waits-for-a-pool",
        "Requests waited longer for a connection of their client's pool than for their responses.",
        "request_with_connect_*_s, request_latency_*_s",
        "the clients of the workload",
        |known| known.slow_pools(),
    ),
    row(
        "crowded-destination",
        "Nearly all local ports were in use towards one destination, while others had ports left: each \
         destination address and port has its own port supply.",
        "ports_in_use_destination_share_peak, ports_in_use_destination_peak",
        "ip_local_port_range of Linux; RFC 6056",
        |known| known.crowded_destination(),
    ),
    row(
        "phase-effects",
        "Few flows shared a drop-tail queue very unequally while nothing in the network was random: they \
         fell into step with the queue, which then dropped packets of the same flows again and again. \
         `topology.processing`, a random processing time per packet, prevents it.",
        "jain_index",
        "Floyd and Jacobson 1992, On traffic phase effects in packet-switched gateways",
        |known| known.phase_effects(),
    ),
    row(
        "many-retransmissions",
        "At least one segment in twenty was retransmitted. Without losses or drops, the retransmission \
         time-out was shorter than a round trip.",
        "retransmissions, segments_sent, wire_losses_pkts, corrupted_pkts, queue_drops_pkts",
        "counters of links and senders",
        |known| known.many_retransmissions(),
    ),
    row(
        "outages",
        "Nodes and links that the scenario takes down, from when to when, and the TIME-WAIT entries that \
         hosts lost in a crash.",
        "time_wait_lost",
        "`[[fault]]` and `changes` of the scenario; quiet time: RFC 9293 section 3.4.3",
        |known| known.outages(),
    ),
];

/// Findings about every run.
pub(super) const USUAL: &[RunFinding] = &[
    row(
        "established-connects",
        "No connect failed; for few connections also how long they took and how they ended.",
        "connects_attempted, connects_established, connect_latency_*_s",
        "RFC 9293 section 3.5",
        |known| known.successes(),
    ),
    row(
        "port-supply",
        "How many connections per second the local ports allow: ports divided by the time for which one \
         is held, over all pairs of addresses. Given only where the closed form holds for the run.",
        "port_limit_per_s",
        "Little's law (Little 1961); Erlang's loss formula for Poisson arrivals at one pair",
        |known| known.port_limit(),
    ),
    row(
        "time-wait-population",
        "The maximum and mean number of sockets in TIME-WAIT, and the theoretical value where its \
         conditions hold.",
        "time_wait_peak, time_wait_peak_at_s, time_wait_mean_steady",
        "RFC 9293 section 3.6.1; Little's law",
        |known| known.time_wait(),
    ),
    row(
        "useful-time-wait",
        "TIME-WAIT answered a repeated FIN, whose ACK was lost or late or which the network duplicated: \
         this is its purpose.",
        "time_wait_fins_answered",
        "RFC 9293 section 3.10.7.4",
        |known| known.useful_time_wait(),
    ),
    row(
        "connect-latency",
        "How long connecting took, and how many ports were tried per connect if that is many.",
        "connect_latency_*_s, port_probes_mean",
        "the applications' calls of connect",
        |known| known.latency(),
    ),
    row(
        "answered-requests",
        "How many requests were answered, and how long each took.",
        "requests_done, request_latency_*_s",
        "the clients of the workload",
        |known| known.requests(),
    ),
    row(
        "pools",
        "Use of the clients' connection pools: connections opened, requests sent over a kept connection, and waits for a connection.",
        "pool_connections_opened, pool_requests_sent, pool_reuse_share, pool_open_peak, pool_wait_*_s",
        "the clients of the workload",
        |known| known.pools(),
    ),
    row(
        "proxies",
        "Requests that proxies answered, tries repeated with the next server, and how long servers took.",
        "proxy_requests, proxy_answered, proxy_next_upstream, proxy_time_*_s",
        "the proxies of the workload",
        |known| known.proxies(),
    ),
    row(
        "completed-flows",
        "How many bulk flows were completed, and how long they took.",
        "flows_completed, flow_completion_*_s, flows_unfinished",
        "the senders of the workload",
        |known| known.completed_flows(),
    ),
    row(
        "goodput",
        "Goodput of bulk flows over the time in which each was active, and how fairly they shared.",
        "flow_goodput.<flow>_bps, goodput_bps, jain_index",
        "Jain, Chiu and Hawe 1984",
        |known| known.goodput(),
    ),
    row(
        "queueing-delay",
        "How long packets waited at the slowest of the recorded queues, and its maximum length.",
        "queue_wait_*_s, queue_backlog_max_bytes",
        "the queues of links, `record.queues`",
        |known| known.queueing_delay(),
    ),
    row(
        "losses",
        "What links and queues lost, dropped or marked, and what was retransmitted.",
        "wire_losses_pkts, corrupted_pkts, queue_drops_pkts, early_drops_pkts, policed_drops_pkts, ce_marks_pkts, retransmissions, retransmissions_spurious",
        "counters of links and senders",
        |known| known.few_losses(),
    ),
];
