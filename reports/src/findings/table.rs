//! The table of findings: every sentence that a report may begin with, by name, in the order in which
//! they are told.

use super::{Finding, Known, RunFinding};

const fn row(
    name: &'static str,
    says: &'static str,
    made_of: &'static str,
    source: &'static str,
    tell: fn(&Known<'_>) -> Option<String>,
) -> RunFinding {
    RunFinding {
        about: Finding {
            name,
            says,
            made_of,
            source,
        },
        tell,
    }
}

/// What is unusual in a run.
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
        "A NAT had no free port for a new connection and dropped its SYN; from when on, and how many.",
        "nat.<name>_syns_dropped, nat.<name>_first_drop_s",
        "RFC 4787 section 4, RFC 5382",
        |known| known.exhausted_nats(),
    ),
    row(
        "full-firewall",
        "A firewall that tracks connections had no room for another, and dropped the packets that would have begun          one; from when on, and how many.",
        "conntrack_full_drops_pkts, conntrack_full_first_s, conntrack_entries_peak",
        "nf_conntrack_max and \"nf_conntrack: table full, dropping packet\" of Linux",
        |known| known.full_firewall(),
    ),
    row(
        "failed-connects",
        "Calls of connect that failed: how many, from when on, and why: no free local port, refused \
         by a reset, timed out, or given up.",
        "connects_failed, connects_addr_not_available, connects_refused, connects_timed_out, \
         connects_aborted, first_failure_s",
        "RFC 9293 section 3.9.1.1; EADDRNOTAVAIL, ECONNREFUSED, ETIMEDOUT of connect(2)",
        |known| known.failures(),
    ),
    row(
        "unsettled-connects",
        "Connects that had neither succeeded nor failed when the run ended, and had been under way for longer \
         than any that succeeded: nobody answered, or the answers were lost.",
        "connects_attempted, connects_established, connect_unsettled_max_s",
        "RFC 9293 section 3.8.3; tcp_syn_retries of Linux",
        |known| known.unsettled(),
    ),
    row(
        "dropped-by-listeners",
        "A listener dropped SYNs or final ACKs because its accept queue or SYN queue was full, or \
         answered with SYN cookies. Clients send again, so connects are slow rather than refused.",
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
        "Packets that came to a NAT from outside and belonged to no mapping: late segments, or those \
         of a connection whose mapping had timed out.",
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
        "Requests that never got their whole response: how many, what became of their connections, \
         when, and how long the longest waited.",
        "requests_unanswered and its causes, request_unanswered_wait_max_s",
        "the clients of the workload",
        |known| known.unanswered(),
    ),
    row(
        "raced-requests",
        "Requests that a client sent on a kept connection while the server was closing it: no byte of the response          came. Proxies answer 502 then. A client avoids it by closing idle connections sooner than its server does.",
        "pool_requests_raced, pool_requests_reused",
        "RFC 9112 section 9.5; idle time-outs of client and server",
        |known| known.raced(),
    ),
    row(
        "failed-for-good",
        "Exchanges of clients that may try again, and that failed all the same: their attempts or their budget for          retries were used up.",
        "exchanges_failed, exchanges_failed_last_attempt, exchanges_failed_no_budget, exchanges_begun",
        "the clients of the workload",
        |known| known.failed_for_good(),
    ),
    row(
        "retry-load",
        "Retries multiplied the load on the servers: how many attempts there were for each exchange that was asked          for.",
        "attempts_per_exchange, exchanges_begun, retries_made",
        "the clients of the workload",
        |known| known.retry_load(),
    ),
    row(
        "requests-without-connection",
        "Requests that waited for a connection of their client's pool until the run ended or the client crashed: \
         the pool was too small for them.",
        "requests_never_sent, request_never_sent_wait_max_s",
        "the clients of the workload",
        |known| known.never_sent(),
    ),
    row(
        "cut-short-connections",
        "Connections that ended between two requests, before their clients had made all. No request was without \
         an answer for that, but fewer were made than the scenario asks for. `idle_timeout` is a likely cause.",
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
        "Bulk flows of which none came to its end within the run, or that had fewer than 50 kB acknowledged \
         although they had begun a second or more before its end. The latter have no goodput in the report.",
        "flows_unfinished, flow_unfinished_max_s, flows_small, flow_small_min_bytes, blocked_by_window_end",
        "the senders of the workload",
        |known| known.unfinished_flows(),
    ),
    row(
        "broken-connections",
        "End points that timed out, were reset, aborted or told that their peer is unreachable, and \
         of which no other finding tells.",
        "ended_timed_out, ended_reset, ended_aborted, ended_unreachable, ended_crashed",
        "RFC 9293 sections 3.8.3 and 3.10.7.4",
        |known| known.broken_connections(),
    ),
    row(
        "stuck-connections",
        "The run ended with open connections and nothing scheduled: no timer was running, no segment \
         was on its way, and no application waited for a time. Nothing would ever happen to them. \
         Most likely an application never closes, or an end without keep-alive waits for a peer that \
         is gone.",
        "end_points_stuck",
        "the engine's queue of events; half-open connections: RFC 9293 section 3.5.1",
        |known| known.stuck(),
    ),
    row(
        "half-open-connections",
        "One end of these connections was lost in a crash, timed out, or was reset or aborted, and the other \
         was still open at the end of the run. It notices when it sends, or by keep-alive probes; an end that only \
         waits does so for ever. Not found, in a run that goes on elsewhere, are two ends that wait for each \
         other: whether an application will ever act is not known.",
        "half_open_end, half_open_max_s",
        "RFC 9293 section 3.5.1",
        |known| known.half_open(),
    ),
    row(
        "expired-fin-waits",
        "Sockets that had closed were given up in FIN-WAIT-2, because the FIN of the peer, which had \
         not closed, did not come in time. No application is told.",
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
         connection of the same addresses and ports that was still open, and was sent again.",
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
        "Nearly all local ports were in use towards one destination, while others had ports left: a \
         port is taken for each destination address and port on its own.",
        "ports_in_use_destination_share_peak, ports_in_use_destination_peak",
        "ip_local_port_range of Linux; RFC 6056",
        |known| known.crowded_destination(),
    ),
    row(
        "phase-effects",
        "Few flows shared a drop-tail queue very unequally while nothing in the network was random: they \
         fell into step with the queue, which then refused always the same. `topology.processing`, a random \
         time that hosts take for each packet, breaks it.",
        "jain_index",
        "Floyd and Jacobson 1992, On traffic phase effects in packet-switched gateways",
        |known| known.phase_effects(),
    ),
    row(
        "many-retransmissions",
        "One segment in twenty or more was sent again. Without losses or drops, the retransmission time-out was \
         shorter than a round trip.",
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

/// What there is to say of every run.
pub(super) const USUAL: &[RunFinding] = &[
    row(
        "established-connects",
        "No connect failed; of few connections, how long they took and what became of them.",
        "connects_attempted, connects_established, connect_latency_*_s",
        "RFC 9293 section 3.5",
        |known| known.successes(),
    ),
    row(
        "port-supply",
        "How many connections per second the local ports allow: ports divided by the time for which \
         one is held, over all pairs of addresses. Told only where the closed form holds for the run.",
        "port_limit_per_s",
        "Little's law (Little 1961); Erlang's loss formula for Poisson arrivals at one pair",
        |known| known.port_limit(),
    ),
    row(
        "time-wait-population",
        "How many sockets were in TIME-WAIT, at most and on average, and what theory says where its \
         conditions hold.",
        "time_wait_peak, time_wait_peak_at_s, time_wait_mean_steady",
        "RFC 9293 section 3.6.1; Little's law",
        |known| known.time_wait(),
    ),
    row(
        "useful-time-wait",
        "TIME-WAIT answered a FIN that came again, because its ACK was lost or late, or the network made a \
         copy: what it is for.",
        "time_wait_fins_answered",
        "RFC 9293 section 3.10.7.4",
        |known| known.useful_time_wait(),
    ),
    row(
        "connect-latency",
        "How long connecting took, and how many ports were tried for each where that is many.",
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
        "What the clients' pools of connections did: how many connections they opened for their requests, how many          requests went over a kept connection, and how long they waited for one.",
        "pool_connections_opened, pool_requests_sent, pool_reuse_share, pool_open_peak, pool_wait_*_s",
        "the clients of the workload",
        |known| known.pools(),
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
        "How long packets waited at the slowest of the recorded queues, and how much waited at most.",
        "queue_wait_*_s, queue_backlog_max_bytes",
        "the queues of links, `record.queues`",
        |known| known.queueing_delay(),
    ),
    row(
        "losses",
        "What links and queues lost, dropped or marked, and what was sent again.",
        "wire_losses_pkts, corrupted_pkts, queue_drops_pkts, early_drops_pkts, policed_drops_pkts, ce_marks_pkts, retransmissions, retransmissions_spurious",
        "counters of links and senders",
        |known| known.few_losses(),
    ),
];
