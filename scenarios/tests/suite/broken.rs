//! Broken scenarios and their complete error messages. `broken/messages.txt` has the expected
//! messages; a new case prints the message it got.

use scenarios::overrides::Override;
use scenarios::problem::SourceText;
use scenarios::sweep::Plan;
use sim_core::LinkModels;

const BASE: &str = include_str!("broken/base.toml");
const EXPECTED: &str = include_str!("broken/messages.txt");

/// Name of the case; texts of the base and their replacements; values set on the command line.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const CASES: &[Case] = &[
    ("not toml", "duration = \"10 s\"", "duration = 10 s", &[]),
    ("unknown key at the top", "seed = 1", "sede = 1", &[]),
    (
        "unknown key in a link",
        "rate = \"100 Mbit/s\"",
        "rat = \"100 Mbit/s\"",
        &[],
    ),
    (
        "unknown key without a near one",
        "somaxconn = 128",
        "colour = \"red\"",
        &[],
    ),
    (
        "unknown key in a distribution",
        "mean = \"10 kB\"",
        "maen = \"10 kB\"",
        &[],
    ),
    ("missing name", "name = \"base\"\n", "", &[]),
    (
        "unusable name",
        "name = \"base\"",
        "name = \"../base\"",
        &[],
    ),
    ("missing duration", "duration = \"10 s\"\n", "", &[]),
    (
        "zero duration",
        "duration = \"10 s\"",
        "duration = \"0 s\"",
        &[],
    ),
    (
        "duration without unit",
        "duration = \"10 s\"",
        "duration = \"10\"",
        &[],
    ),
    (
        "duration as a number",
        "duration = \"10 s\"",
        "duration = 10",
        &[],
    ),
    (
        "negative duration",
        "duration = \"10 s\"",
        "duration = \"-10 s\"",
        &[],
    ),
    ("negative seed", "seed = 1", "seed = -1", &[]),
    ("zero replicas", "seed = 1", "replicas = 0", &[]),
    (
        "unknown event queue",
        "seed = 1",
        "engine.event_queue = \"priorityqueue\"",
        &[],
    ),
    (
        "unknown profile",
        "profile = \"linux\"",
        "profile = \"linus\"",
        &[],
    ),
    (
        "reversed port range",
        "[32768, 60999]",
        "[60999, 32768]",
        &[],
    ),
    ("port range of one number", "[32768, 60999]", "[32768]", &[]),
    ("port beyond 65535", "[32768, 60999]", "[32768, 70000]", &[]),
    ("zero TIME-WAIT", "", "", &["tcp.time_wait=0 s"]),
    (
        "unknown host group in tcp",
        "[tcp.host.web]",
        "[tcp.host.wen]",
        &[],
    ),
    (
        "unknown topology",
        "kind = \"graph\"",
        "kind = \"grpah\"",
        &[],
    ),
    (
        "key of another topology",
        "kind = \"graph\"",
        "kind = \"graph\"\npairs = 3",
        &[],
    ),
    (
        "link to nowhere",
        "between = [\"hub\", \"web\"]",
        "between = [\"hub\", \"webb\"]",
        &[],
    ),
    (
        "link to itself",
        "between = [\"hub\", \"web\"]",
        "between = [\"hub\", \"hub\"]",
        &[],
    ),
    ("link without delay", "delay = \"10 ms\"\n", "", &[]),
    (
        "link with zero delay",
        "delay = \"10 ms\"",
        "delay = \"0 ms\"",
        &[],
    ),
    (
        "negative rate",
        "rate = \"100 Mbit/s\"",
        "rate = \"-1 Mbit/s\"",
        &[],
    ),
    (
        "unknown unit",
        "rate = \"100 Mbit/s\"",
        "rate = \"100 Mbps\"",
        &[],
    ),
    ("loss beyond one", "loss = 0.01", "loss = 1.5", &[]),
    (
        "queue of nothing",
        "queue = \"100 packets\"",
        "queue = \"0 packets\"",
        &[],
    ),
    (
        "unknown queue discipline",
        "queue = \"100 packets\"",
        "queue = { kind = \"codell\", target = \"5 ms\" }",
        &[],
    ),
    (
        "unknown parameter of a queue discipline",
        "queue = \"100 packets\"",
        "queue = { kind = \"codel\", traget = \"5 ms\" }",
        &[],
    ),
    (
        "parameter of a queue discipline without its unit",
        "queue = \"100 packets\"",
        "queue = { kind = \"codel\", target = 5 }",
        &[],
    ),
    (
        "parameters of a queue discipline that do not go together",
        "queue = \"100 packets\"",
        "queue = { kind = \"codel\", interval = \"1 ms\" }",
        &[],
    ),
    (
        "queue discipline without its kind",
        "queue = \"100 packets\"",
        "queue = { target = \"5 ms\" }",
        &[],
    ),
    (
        "set parameter of a plain queue",
        "",
        "",
        &["topology.link[1].queue.target=5 ms"],
    ),
    (
        "loss model with a parameter missing",
        "loss = 0.01",
        "loss = { kind = \"gilbert-elliott\", bad_to_good = 0.3 }",
        &[],
    ),
    (
        "parameter of a loss model beyond one",
        "loss = 0.01",
        "loss = { kind = \"gilbert-elliott\", good_to_bad = 2, bad_to_good = 0.3 }",
        &[],
    ),
    (
        "rate process that is none",
        "loss = 0.01",
        "rate_process = \"fast\"",
        &[],
    ),
    ("drops in disorder", "loss = 0.01", "drop = [7, 3]", &[]),
    (
        "drop of an unknown kind of packet",
        "loss = 0.01",
        "drop = [\"client FNI 1\"]",
        &[],
    ),
    (
        "drop without an end",
        "loss = 0.01",
        "drop = [\"FIN 1\"]",
        &[],
    ),
    (
        "duplicated node name",
        "name = \"hub\"",
        "name = \"client-1\"",
        &[],
    ),
    ("too many hosts", "count = 2", "count = 4000000", &[]),
    (
        "no route",
        "[[topology.link]]\nbetween = [\"hub\", \"web\"]\ndelay = \"10 ms\"\nqueue = \"100 packets\"\nloss = 0.01\n",
        "",
        &[],
    ),
    (
        "groups that make no pairs",
        "between = [\"client\", \"hub\"]",
        "between = [\"client\", \"three\"]\ndelay = \"1 ms\"\n\n[[topology.router]]\nname = \"three\"\ncount = 3\n\n[[topology.link]]\nbetween = [\"client\", \"hub\"]",
        &[],
    ),
    (
        "unknown workload group",
        "server = \"web\"",
        "server = \"wbe\"",
        &[],
    ),
    (
        "workload talks to itself",
        "server = \"web\"",
        "server = \"client\"",
        &[],
    ),
    (
        "missing arrivals",
        "arrivals = { kind = \"fixed\", rate = \"450 /s\" }\n",
        "",
        &[],
    ),
    ("missing rate", ", rate = \"450 /s\" }", " }", &[]),
    ("zero rate", "rate = \"450 /s\"", "rate = \"0 /s\"", &[]),
    (
        "rate without unit",
        "rate = \"450 /s\"",
        "rate = \"450\"",
        &[],
    ),
    (
        "key of other arrivals",
        "kind = \"fixed\",",
        "kind = \"burst\", count = 1,",
        &[],
    ),
    (
        "key of the other workload",
        "server = \"web\"",
        "server = \"web\"\nkind = \"bulk\"",
        &[],
    ),
    (
        "unknown closer",
        "server = \"web\"",
        "server = \"web\"\nclose = \"cleint\"",
        &[],
    ),
    (
        "start after the end",
        "server = \"web\"",
        "server = \"web\"\nstart = \"20 s\"",
        &[],
    ),
    (
        "two workloads on a port",
        "[record]",
        "[[workload]]\nname = \"other\"\nserver = \"web\"\nkind = \"bulk\"\n\n[record]",
        &[],
    ),
    (
        "two workloads that disagree about their server",
        "[record]",
        "[[workload]]\nname = \"other\"\nserver = \"web\"\nworkers = 3\narrivals = { kind = \"burst\", count = 1 }\n\n[record]",
        &[],
    ),
    (
        "early response that is not followed by a close",
        "server = \"web\"",
        "server = \"web\"\nrespond_after = \"1 kB\"",
        &[],
    ),
    (
        "no word for a beginning",
        "server = \"web\"",
        "server = \"web\"\naccept_start = \"nevr\"",
        &[],
    ),
    (
        "close beside a pool",
        "server = \"web\"",
        "server = \"web\"\nclose = \"server\"\npool = { max = 3 }",
        &[],
    ),
    (
        "retries without a number",
        "server = \"web\"",
        "server = \"web\"\nretries = { backoff = \"1 s\" }",
        &[],
    ),
    (
        "flood by users",
        "server = \"web\"\narrivals = { kind = \"fixed\", rate = \"450 /s\" }\nresponse = { kind = \"exponential\", mean = \"10 kB\" }",
        "server = \"web\"\nkind = \"syn-flood\"\narrivals = { kind = \"closed\", users = 3 }",
        &[],
    ),
    (
        "capture before 1970",
        "[record]",
        "[record]\npcap_start = 1869-12-31",
        &[],
    ),
    (
        "two workloads of a name",
        "[record]",
        "[[workload]]\nname = \"page\"\nserver = \"web\"\nport = 81\narrivals = { kind = \"burst\", count = 1 }\n\n[record]",
        &[],
    ),
    (
        "census too fine",
        "census_interval = \"100 ms\"",
        "census_interval = \"1 us\"",
        &[],
    ),
    (
        "sweep of an unknown key",
        "\"tcp.time_wait\" = [",
        "\"tcp.time_wiat\" = [",
        &[],
    ),
    ("sweep of nothing", "[\"30 s\", \"60 s\"]", "[]", &[]),
    ("sweep of no list", "[\"30 s\", \"60 s\"]", "\"30 s\"", &[]),
    (
        "sweep with a bad value",
        "[\"30 s\", \"60 s\"]",
        "[\"30 s\", \"60\"]",
        &[],
    ),
    (
        "sweep with equal values",
        "[\"30 s\", \"60 s\"]",
        "[\"60 s\", \"1 min\"]",
        &[],
    ),
    (
        "figure over what is not swept",
        "x = \"tcp.time_wait\"",
        "x = \"tcp.timewait\"",
        &[],
    ),
    (
        "figure of a metric that is misspelled",
        "y = \"connects_failed_share\"",
        "y = \"connects_failed_share_stedy\"",
        &[],
    ),
    (
        "figure of a metric of a group that there is not",
        "y = \"connects_failed_share\"",
        "y = \"time_wait.wbe_peak\"",
        &[],
    ),
    (
        "figure of nothing like a metric",
        "y = \"connects_failed_share\"",
        "y = \"happiness\"",
        &[],
    ),
    (
        "two figures with one name",
        "y = \"connects_failed_share\"",
        "y = \"connects_failed\"\n\n[[figure]]\nname = \"Failures\"\nx = \"tcp.time_wait\"\ny = \"time_wait_peak\"",
        &[],
    ),
    (
        "figure of too many panels",
        "\"tcp.time_wait\" = [\"30 s\", \"60 s\"]",
        "\"tcp.time_wait\" = [\"30 s\", \"60 s\"]\n\"tcp.sack\" = [false, true]\nseed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]",
        &[],
    ),
    (
        "figure of a value that is not swept",
        "y = \"connects_failed_share\"",
        "y = \"connects_failed_share\"\nwhere = { \"tcp.sack\" = 1 }",
        &["sweep.tcp.sack=[true, false]"],
    ),
    (
        "figure that holds its x at one value",
        "y = \"connects_failed_share\"",
        "y = \"connects_failed_share\"\nwhere.tcp.time_wait = \"30 s\"",
        &[],
    ),
    ("set an unknown key", "", "", &["tcp.tw_resue=true"]),
    ("set a bad value", "", "", &["topology.link[0].rate=fast"]),
    ("set beyond a list", "", "", &["workload[3].port=81"]),
    ("set an unknown element", "", "", &["workload.pgae.port=81"]),
    ("set within a string", "", "", &["duration.unit=ms"]),
    (
        "set to a contradiction",
        "",
        "",
        &["tcp.ip_local_port_range=[5, 4]"],
    ),
    (
        "link with three ends",
        "between = [\"hub\", \"web\"]",
        "between = [\"hub\", \"web\", \"client\"]",
        &[],
    ),
    (
        "port range of three numbers",
        "[32768, 60999]",
        "[32768, 60999, 1]",
        &[],
    ),
    (
        "steps as lists",
        "{ kind = \"fixed\", rate = \"450 /s\" }",
        "{ kind = \"steps\", steps = [[\"0 s\", \"1 /s\", \"2 /s\"]] }",
        &[],
    ),
    (
        "set within a named element",
        "",
        "",
        &["workload.page.arrivals.rate=0 /s"],
    ),
    (
        "set within a host group",
        "",
        "",
        &["tcp.host.web.somaxconn=0"],
    ),
    (
        "set a sysctl by its linux name to nothing",
        "",
        "",
        &["tcp.host.web.tcp_fin_timeout=0 s"],
    ),
    (
        "set a sysctl with its prefix to what it does not take",
        "",
        "",
        &["net.ipv4.tcp_tw_reuse=3"],
    ),
    (
        "sysctl outside of tcp",
        "seed = 1",
        "\"net.ipv4.tcp_tw_reuse\" = 1",
        &[],
    ),
    (
        "two names of one parameter",
        "time_wait = \"60 s\"\n",
        "net.ipv4.tcp_sack = 1\nsack = true\n",
        &[],
    ),
    (
        "sysctl that depends on another value",
        "time_wait = \"60 s\"\n",
        "net.inet.tcp.keepidle = 1000\n",
        &[],
    ),
    (
        "timer of a picosecond",
        "time_wait = \"60 s\"\n",
        "max_rto = \"1 ps\"\n",
        &[],
    ),
    (
        "times that do not fit each other",
        "time_wait = \"60 s\"\n",
        "min_rto = \"130 s\"\n",
        &[],
    ),
    (
        "port range as words",
        "",
        "",
        &["tcp.ip_local_port_range=1024 to 65535"],
    ),
    (
        "ECN level that is none",
        "somaxconn = 128",
        "tcp_ecn = 4",
        &[],
    ),
    (
        "SYN cookies without a word for them",
        "somaxconn = 128",
        "tcp_syncookies = \"on\"",
        &[],
    ),
    (
        "Fast Open bits that mean nothing",
        "somaxconn = 128",
        "tcp_fastopen = 9",
        &[],
    ),
    (
        "path MTU below what is needed",
        "somaxconn = 128",
        "min_pmtu = 60",
        &[],
    ),
    (
        "user time-out of nothing",
        "somaxconn = 128",
        "user_timeout = \"0 s\"",
        &[],
    ),
    (
        "segments too small",
        "somaxconn = 128",
        "max_segment = 40",
        &[],
    ),
];

fn message(case: &Case) -> String {
    let (_, from, to, sets) = *case;
    assert!(BASE.contains(from), "the base has no {from:?}");
    let source = SourceText {
        name: "base.toml".to_owned(),
        text: BASE.replacen(from, to, 1),
    };
    let sets: Vec<Override> = sets.iter().map(|s| Override::parse(s).unwrap()).collect();
    match Plan::new(&source, &sets) {
        Ok(plan) => format!("no error, {} runs", plan.runs.len()),
        Err(refused) => short(refused.to_string().trim_end()),
    }
}

/// Replaces lists in a message that grow with each new member by a short name.
fn short(message: &str) -> String {
    let models = LinkModels::default();
    let disciplines: Vec<&str> = models.queues.iter().map(|kind| kind.name).collect();
    let shapes = scenarios::scenario::topology::kinds();
    message
        .replace(&disciplines.join(", "), "(all queue disciplines)")
        .replace(&shapes.join(", "), "(all shapes)")
}

#[test]
fn the_base_itself_is_fine() {
    assert_eq!(message(&("", "", "", &[])), "no error, 2 runs");
}

#[test]
fn a_port_range_may_be_written_as_linux_does() {
    let set = &["tcp.ip_local_port_range=1024 65535"];
    assert_eq!(message(&("", "", "", set)), "no error, 2 runs");
    let tabs = ("", "[32768, 60999]", "\"1024\\t65535\"", &[] as &[&str]);
    assert_eq!(message(&tabs), "no error, 2 runs");
}

/// `UPDATE=1` rewrites the expected messages.
#[test]
fn every_broken_scenario_gets_its_message() {
    let got: String = CASES
        .iter()
        .map(|case| format!("== {}\n{}\n\n", case.0, message(case)))
        .collect();
    if std::env::var_os("UPDATE").is_some() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/suite/broken/messages.txt"
        );
        return std::fs::write(path, got).unwrap();
    }
    let blocks = |text: &str| text.split("== ").map(str::to_owned).collect::<Vec<_>>();
    let (got, expected) = (blocks(&got), blocks(EXPECTED));
    for (got, expected) in got.iter().zip(&expected) {
        assert_eq!(got.trim_end(), expected.trim_end());
    }
    assert_eq!(
        got.len(),
        expected.len(),
        "unexpected from here: {:?}",
        got.get(expected.len())
    );
}

/// If a file is one long line, the line is not printed in full, and the place of the error is still shown.
#[test]
fn only_the_part_of_a_huge_line_around_the_error_is_shown() {
    let (many, wrong) = ("1, ".repeat(100_000), "# é ".repeat(100_000));
    let list = format!("seed = [{many}? {many}2]");
    for (line, shown) in [
        (list.as_str(), "1, ? 1, "),
        (&format!("sede = 1 {wrong}"), "sede = 1 # é"),
    ] {
        let source = SourceText {
            name: "huge.toml".to_owned(),
            text: BASE.replace("seed = 1", line),
        };
        let message = Plan::new(&source, &[]).unwrap_err().to_string();
        assert!(message.len() < 2_000, "{} bytes", message.len());
        assert!(message.contains(shown), "{message}");
        assert!(message.contains(" …\n"), "{message}");
    }
}
