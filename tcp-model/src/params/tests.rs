//! The table: every field is reachable, every name resolves, every range holds.

use super::*;

fn profiles() -> impl Iterator<Item = TcpParams> {
    TcpParams::PROFILES
        .iter()
        .filter_map(|name| TcpParams::profile(name))
}

#[test]
fn every_field_has_a_row_and_every_row_a_description() {
    assert_eq!(table::count_fields(TcpParams::linux()), PARAMS.len());
    for p in PARAMS {
        assert!(p.text().ends_with('.'), "{}: {:?}", p.key, p.doc);
        assert!(p.kind.least <= p.kind.most, "{}", p.key);
        assert!(param(p.key).is_some_and(|found| found.key == p.key));
    }
}

#[test]
fn defaults_of_every_profile_are_within_range_and_read_as_they_are_written() {
    for profile in profiles() {
        let mut copy = TcpParams::rfc9293();
        for param in PARAMS {
            param.set(&mut copy, &param.get(&profile)).unwrap();
        }
        assert_eq!(copy, profile);
        profile.check().unwrap();
    }
    let scripts = TcpParams::of_scripts();
    for param in PARAMS {
        param.normal(&param.get(&scripts)).unwrap();
    }
    scripts.check().unwrap();
}

#[test]
fn every_profile_has_the_congestion_control_of_its_system() {
    let named = |name| TcpParams::profile(name).map(|p| p.congestion.algorithm().name);
    assert_eq!(named("rfc9293"), Some("newreno"));
    assert_eq!(named("linux"), Some("cubic-linux"));
    assert_eq!(named("freebsd"), Some("cubic"));
    assert_eq!(named("windows"), Some("cubic"));
    assert_eq!(named("macos"), Some("cubic"));
    assert_eq!(named("solaris"), Some("newreno"));
}

#[test]
fn every_name_stands_for_its_parameter() {
    for param in PARAMS {
        for name in param
            .names
            .iter()
            .filter(|n| n.system != NameSystem::Socket)
        {
            for spelling in [
                name.name.to_owned(),
                name.short().to_owned(),
                format!("tcp.{}", name.name),
                format!("/proc/sys/{}", name.name.replace('.', "/")),
            ] {
                let found = find(&spelling).map(|n| n.keys());
                assert_eq!(found, Some(vec![param.key]), "{spelling}");
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    let names = PARAMS.iter().flat_map(|p| p.names).map(|n| n.name);
    for name in names.chain(SYSCTLS.iter().map(|s| s.name)) {
        assert!(seen.insert(name), "{name} stands twice");
    }
    for sysctl in SYSCTLS {
        assert!(sysctl.keys().iter().all(|key| param(key).is_some()));
    }
    assert!(find("tcp_no_such_thing").is_none() && find("").is_none());
}

/// Values at the ends of a parameter's range, and outside it.
fn ends(param: &Param) -> (Vec<ParamValue>, Vec<ParamValue>) {
    let (least, most) = (param.kind.least, param.kind.most);
    let time = |ps| ParamValue::text(SimDuration::from_ps(ps));
    let bytes = |n| ParamValue::text(sim_core::Bytes(n));
    let number = ParamValue::number;
    match param.kind.shape {
        ParamType::Count => (
            vec![number(least), number(most)],
            vec![ParamValue::Number(least as i64 - 1), number(most + 1)],
        ),
        ParamType::Size => (
            vec![bytes(least), bytes(most)],
            vec![bytes(least - 1), bytes(most + 1)],
        ),
        ParamType::Time => {
            let mut beyond = vec![time(most + 1)];
            beyond.extend(least.checked_sub(1).map(time));
            (vec![time(least), time(most)], beyond)
        }
        ParamType::GiveUp => (
            vec![number(least), number(most), time(LONGEST.as_ps())],
            vec![
                ParamValue::Number(-1),
                number(most + 1),
                ParamValue::text("1 us"),
            ],
        ),
        ParamType::Ports => (
            vec![ParamValue::List(vec![number(least), number(most)])],
            vec![
                ParamValue::List(vec![number(0), number(most)]),
                ParamValue::List(vec![number(1), number(most + 1)]),
            ],
        ),
        ParamType::PortSet => (
            vec![
                number(least),
                number(most),
                ParamValue::text("8080,9148-9150"),
                ParamValue::text(""),
            ],
            vec![number(0), number(most + 1), ParamValue::text("1-65536")],
        ),
        ParamType::Bits(bits) => (
            bits.iter().map(|b| ParamValue::Number(b.number)).collect(),
            vec![ParamValue::Number(8), ParamValue::Number(-1)],
        ),
        ParamType::Model => (vec![ParamValue::text("full")], vec![]),
        ParamType::Control => (
            crate::congestion::BUILT_IN
                .iter()
                .map(|a| ParamValue::text(a.name))
                .collect(),
            vec![],
        ),
        ParamType::Flag => (vec![ParamValue::Flag(true), ParamValue::Number(0)], vec![]),
        ParamType::Words(words) => (
            words.iter().map(|w| ParamValue::text(w.word)).collect(),
            vec![],
        ),
    }
}

#[test]
fn values_at_the_ends_of_a_range_are_taken_and_those_beyond_refused_with_the_range() {
    for param in PARAMS {
        let (within, beyond) = ends(param);
        for value in within.iter().chain(&param.kind.none.map(ParamValue::text)) {
            let normal = param.normal(value);
            let normal = normal.unwrap_or_else(|e| panic!("{} = {value}: {e}", param.key));
            assert_eq!(param.normal(&normal).as_ref(), Ok(&normal), "{}", param.key);
        }
        for value in &beyond {
            match param.normal(value) {
                Err(Refusal::Range { range, .. }) => {
                    assert_eq!(range, param.kind.range_with_reason(), "{}", param.key);
                }
                other => panic!("{} = {value}: {other:?}", param.key),
            }
        }
        for wrong in [
            ParamValue::text("nonsense"),
            ParamValue::Decimal(0.5),
            ParamValue::List(vec![]),
            ParamValue::Table(Default::default()),
        ] {
            assert!(param.normal(&wrong).is_err(), "{} = {wrong}", param.key);
        }
    }
}

#[test]
fn a_bare_number_under_another_name_is_in_the_unit_it_has_there() {
    for (name, n, written) in [
        ("tcp_fin_timeout", 30, ParamValue::text("30 s")),
        (
            "net.inet.tcp.finwait2_timeout",
            30,
            ParamValue::text("30 ms"),
        ),
        ("net.inet.tcp.msl", 30_000, ParamValue::text("60 s")),
        ("tcp_rto_min_us", 5, ParamValue::text("5 us")),
        ("ip_no_pmtu_disc", 1, ParamValue::Flag(false)),
        ("net.inet.tcp.recvspace", 65_536, ParamValue::text("64 KiB")),
        ("tcp_orphan_retries", 0, ParamValue::Number(8)),
        ("tcp_ecn", 1, ParamValue::text("active")),
        ("tcp_timestamps", 2, ParamValue::Flag(true)),
        ("tcp_challenge_ack_limit", 1000, ParamValue::Number(1000)),
        (
            "tcp_challenge_ack_limit",
            i32::MAX.into(),
            ParamValue::text("unlimited"),
        ),
    ] {
        let values = find(name).unwrap().values(&ParamValue::Number(n)).unwrap();
        assert_eq!(values[0].1, written, "{name} = {n}");
    }
    let own = find("fin_timeout").unwrap();
    assert!(
        own.values(&ParamValue::Number(30)).is_err(),
        "needs its unit"
    );
    let msl = find("net.inet.tcp.msl").unwrap();
    assert_eq!(
        msl.values(&ParamValue::text("1 s")).unwrap()[0].1,
        ParamValue::text("2 s")
    );
}

#[test]
fn values_that_do_not_fit_each_other_are_refused() {
    let check = |change: fn(&mut TcpParams)| {
        let mut params = TcpParams::linux();
        change(&mut params);
        params.check().unwrap_err().key
    };
    assert_eq!(check(|p| p.port_range = (2, 1)), "ip_local_port_range");
    assert_eq!(check(|p| p.mtu = 300), "min_path_mtu");
    assert_eq!(
        check(|p| p.max_rto = SimDuration::from_millis(1)),
        "min_rto"
    );
}

#[test]
fn the_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/parameters.md");
    let made = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == made,
        "docs/parameters.md is not what the table says: UPDATE=1 cargo test -p synfin-tcp-model --lib params"
    );
}

#[test]
fn a_parameter_is_explained_under_each_of_its_names() {
    let text = explain("tcp.tw_reuse").unwrap();
    for name in ["tw_reuse", "tcp_tw_reuse", "net.ipv4.tcp_tw_reuse"] {
        assert_eq!(explain(name).as_ref(), Some(&text));
    }
    assert!(
        text.contains("default  false (rfc9293), 2 (linux)"),
        "{text}"
    );
    assert!(
        explain("TCP_USER_TIMEOUT")
            .unwrap()
            .starts_with("tcp.user_timeout")
    );
    assert!(
        explain("net.ipv4.tcp_rmem")
            .unwrap()
            .contains("tcp.receive_buffer")
    );
    assert!(explain("nothing").is_none());
}
