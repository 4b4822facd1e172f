//! What the table in `CONTRIBUTING.md` must say: the kinds of components, where their members are listed,
//! and which files each row names.

/// A kind of component to which members are added from time to time.
pub(super) struct Sort {
    /// How its row in the table begins.
    pub(super) row: &'static str,
    /// The list of its members: the file, the text with which the list begins, and the text after its end.
    pub(super) list: (&'static str, &'static str, &'static str),
    /// How the list names its members.
    pub(super) members: Members,
    /// The file of a member, with `NAME` for its name; a folder of that name also belongs to the member.
    pub(super) own: Option<&'static str>,
    /// Other files that mention every member.
    pub(super) also: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Members {
    /// Modules: `scalable::ALGORITHM`.
    Modules,
    /// Quoted names.
    Quoted,
}

pub(super) const SORTS: &[Sort] = &[
    Sort {
        row: "a congestion control",
        list: ("tcp-model/src/congestion/built_in.rs", "BUILT_IN: &[", "];"),
        members: Members::Modules,
        own: Some("tcp-model/src/congestion/NAME.rs"),
        also: &["tcp-model/src/congestion.rs"],
    },
    Sort {
        row: "a queue discipline",
        list: ("sim-core/src/queue_disc.rs", "pub fn built_in", "\n}"),
        members: Members::Modules,
        own: Some("sim-core/src/queue_disc/NAME.rs"),
        also: &[],
    },
    Sort {
        row: "a loss, delay or rate model",
        list: ("sim-core/src/impairments/loss.rs", "pub fn built_in", "\n}"),
        members: Members::Modules,
        own: Some("sim-core/src/impairments/loss/NAME.rs"),
        also: &[],
    },
    Sort {
        row: "a loss, delay or rate model",
        list: (
            "sim-core/src/impairments/delay.rs",
            "pub fn built_in",
            "\n}",
        ),
        members: Members::Modules,
        own: Some("sim-core/src/impairments/delay/NAME.rs"),
        also: &[],
    },
    Sort {
        row: "a loss, delay or rate model",
        list: ("sim-core/src/impairments/rate.rs", "pub fn built_in", "\n}"),
        members: Members::Modules,
        own: Some("sim-core/src/impairments/rate/NAME.rs"),
        also: &[],
    },
    Sort {
        row: "a figure of a run",
        list: (
            "reports/src/figures.rs",
            "const POPULATION",
            "pub(crate) fn",
        ),
        members: Members::Modules,
        own: Some("reports/src/figures/NAME.rs"),
        also: &[],
    },
    Sort {
        row: "a topology shape",
        list: (
            "scenarios/src/scenario/topology/shapes.rs",
            "const SHAPES",
            "];",
        ),
        members: Members::Modules,
        own: Some("scenarios/src/scenario/topology/shapes/NAME.rs"),
        also: &[],
    },
    Sort {
        row: "an application",
        list: ("tcp-model/src/app/built_in.rs", "pub fn built_in", "\n}"),
        members: Members::Modules,
        own: Some("tcp-model/src/app/NAME.rs"),
        also: &[],
    },
    Sort {
        row: "a node on the way",
        list: ("tcp-model/src/middlebox.rs", "pub fn built_in", "\n}"),
        members: Members::Modules,
        own: Some("tcp-model/src/middlebox/NAME.rs"),
        also: &[],
    },
    Sort {
        row: "a packetdrill call",
        list: (
            "tcp-model/src/packetdrill/run/calls.rs",
            "\ncalls! {",
            "\n}",
        ),
        members: Members::Quoted,
        own: None,
        also: &[],
    },
    Sort {
        row: "a ready-made scenario",
        list: ("scenarios/src/library.rs", "\nlibrary!(", ");"),
        members: Members::Quoted,
        own: Some("scenarios/library/NAME.toml"),
        also: &["scenarios/tests/suite/golden/hashes.txt"],
    },
];

/// Modules of members that other modules use: the member, the user, and what is used.
pub(super) const SHARED: &[(&str, &str, &str)] = &[
    (
        "congestion/cubic",
        "congestion/cubic_linux",
        "its constants",
    ),
    (
        "congestion/cubic_linux",
        "congestion/any",
        "it needs no box before use",
    ),
    (
        "congestion/dctcp",
        "congestion/prague",
        "the share of marks",
    ),
    (
        "congestion/ledbat",
        "congestion/ledbat_pp",
        "the delays it measures",
    ),
    ("congestion/newreno", "congestion/any", "it needs no box"),
    ("figures/bulk", "figures/shares", "curves of goodput"),
    (
        "impairments/loss/gilbert_elliott",
        "impairments",
        "public by its name",
    ),
    (
        "impairments/rate/two_state",
        "impairments",
        "public by its name",
    ),
    ("queue_disc/codel", "queue_disc/cobalt", "its schedule"),
    (
        "queue_disc/codel",
        "queue_disc/fq_codel",
        "one for each queue",
    ),
    ("queue_disc/pie", "queue_disc/fq_pie", "one for each queue"),
    (
        "scenario/topology/shapes/sites",
        "scenario/topology/shapes/fat_tree",
        "links of a level",
    ),
    (
        "scenario/topology/shapes/sites",
        "scenario/topology/shapes/torus",
        "links of a level",
    ),
];

/// Rows about components without a module of their own, and the files that each row must name.
pub(super) const ROWS: &[(&str, &[&str])] = &[
    (
        "a TCP parameter",
        &["tcp-model/src/params/table/options.rs"],
    ),
    (
        "a metric",
        &[
            "reports/src/metrics/table/end_points.rs",
            "reports/src/recorders/connections.rs",
            "reports/src/batch/derived.rs",
            "tcp-model/src/host/stats.rs",
            "scenarios/src/run/host_metrics.rs",
        ],
    ),
];

pub(super) const PARAMETER_TABLE: &str = "tcp-model/src/params/table/";

pub(super) const METRIC_TABLE: &str = "reports/src/metrics/table/";

/// Where metrics are computed, as the row about metrics says.
pub(super) const METRIC_SOURCES: [&str; 7] = [
    "reports/src/recorders.rs",
    "reports/src/recorders/",
    "reports/src/batch/derived.rs",
    "reports/src/metrics/long_run.rs",
    "tcp-model/src/host/stats.rs",
    "tcp-model/src/middlebox/",
    "scenarios/src/run/host_metrics.rs",
];
