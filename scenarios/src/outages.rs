//! The outages of nodes and links of a scenario, for reports.

use reports::{OutageKind, OutageSpan};
use sim_core::network::LinkChange;

use crate::scenario::{FaultKind, Scenario};

use crate::scenario::topology::Link;

/// Start and end of an outage, seconds; `None` if it never ends.
type Times = (f64, Option<f64>);

/// The outages during a run, by name and in order of time.
pub(crate) fn named(scenario: &Scenario) -> Vec<OutageSpan> {
    let faults = scenario.faults.iter();
    let nodes = faults.flat_map(|fault| {
        let kind = match fault.kind {
            FaultKind::Crash => OutageKind::Down,
            FaultKind::Pause => OutageKind::Paused,
            FaultKind::ClockWrap => OutageKind::ClockWrapped,
        };
        let named = fault.named(&scenario.topology).into_iter();
        named.map(move |(name, down, up)| {
            let to_s = up.map(|up| up.as_secs_f64());
            OutageSpan {
                kind,
                ..outage(name, (down.as_secs_f64(), to_s))
            }
        })
    });
    let links = scenario.topology.links.iter().flat_map(of_link);
    let end_s = scenario.duration.as_secs_f64();
    let mut all: Vec<OutageSpan> = nodes.chain(links).filter(|o| o.from_s < end_s).collect();
    for outage in &mut all {
        outage.to_s = outage.to_s.filter(|to_s| *to_s < end_s);
    }
    all.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
    all
}

fn outage(of: String, (from_s, to_s): Times) -> OutageSpan {
    let kind = OutageKind::Down;
    OutageSpan {
        of,
        kind,
        from_s,
        to_s,
    }
}

/// The outages of a link, with one entry for both directions if these are the same.
fn of_link(link: &Link) -> Vec<OutageSpan> {
    let [a, b] = &link.between;
    let [there, back] = [&link.there, &link.back].map(|direction| times(&direction.changes));
    let all = |name: String, times: Vec<Times>| -> Vec<OutageSpan> {
        times.into_iter().map(|t| outage(name.clone(), t)).collect()
    };
    if there == back {
        return all(format!("the link between {a} and {b}"), there);
    }
    let mut both = all(format!("the link from {a} to {b}"), there);
    both.extend(all(format!("the link from {b} to {a}"), back));
    both
}

/// The times at which a direction of a link goes down and comes up again.
fn times(changes: &[LinkChange]) -> Vec<Times> {
    let mut all: Vec<Times> = Vec::new();
    for change in changes {
        let at_s = change.at.as_secs_f64();
        let down = all.last_mut().filter(|(_, end)| end.is_none());
        match (change.up, down) {
            (Some(false), None) => all.push((at_s, None)),
            (Some(true), Some((_, end))) => *end = Some(at_s),
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::SourceText;
    use crate::sweep::Plan;

    fn outages(changes: &str, faults: &str) -> Vec<(String, Times)> {
        let text = format!(
            "name = \"x\"\nduration = \"100 s\"\n{faults}\n[topology]\nkind = \"pair\"\n\
             path = {{ delay = \"1 ms\", {changes} }}\n[[workload]]\n\
             arrivals = {{ kind = \"burst\", count = 1 }}\n"
        );
        let source = SourceText {
            name: "x.toml".to_owned(),
            text,
        };
        let plan = Plan::new(&source, &[]).unwrap_or_else(|e| panic!("{e}"));
        let named = named(&plan.runs[0].scenario);
        named
            .into_iter()
            .map(|o| (o.of, (o.from_s, o.to_s)))
            .collect()
    }

    #[test]
    fn both_directions_of_a_link_are_down_at_once() {
        let twice = "changes = [{ at = \"10 s\", up = false }, { at = \"20 s\", up = true }, \
                     { at = \"90 s\", up = false }, { at = \"100 s\", up = true }]";
        let link = || "the link between client and server".to_owned();
        assert_eq!(
            outages(twice, ""),
            [(link(), (10.0, Some(20.0))), (link(), (90.0, None))]
        );
        let one_way = "reverse = { changes = [{ at = \"10 s\", up = false }] }";
        assert_eq!(
            outages(one_way, ""),
            [("the link from server to client".to_owned(), (10.0, None))]
        );
        assert_eq!(outages("loss = 0.1", ""), []);
    }

    #[test]
    fn faults_and_links_are_named_in_order_of_time() {
        let faults = "fault = [{ node = \"server\", at = \"30 s\", for = \"5 s\" }, \
                      { node = \"client\", at = \"5 s\", for = \"1 s\" }, { node = \"client\", at = \"200 s\" }]";
        let found = outages("changes = [{ at = \"10 s\", up = false }]", faults);
        let names: Vec<&str> = found.iter().map(|(of, _)| of.as_str()).collect();
        assert_eq!(
            names,
            ["client", "the link between client and server", "server"]
        );
        assert_eq!(found[2].1, (30.0, Some(35.0)));
    }
}
