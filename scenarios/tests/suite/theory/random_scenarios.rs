//! Random scenarios with exchanges, some with a closed form and some without.

use std::fmt::Write as _;

use sim_core::Rng;

/// Draws a scenario.
pub(super) struct ScenarioDraw(pub(super) Rng);

impl ScenarioDraw {
    pub(super) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.0.below(of.len() as u64) as usize]
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.0.uniform())
    }

    pub(super) fn number(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    pub(super) fn time(&mut self, longest_ms: f64) -> String {
        let x = self.between(2.0, longest_ms);
        match self.number(0, 9) {
            0..=3 => format!("\"{x:.0} ms\""),
            4 => format!(
                "{{ kind = \"uniform\", min = \"{:.0} ms\", max = \"{x:.0} ms\" }}",
                x / 3.0
            ),
            5..=6 => format!("{{ kind = \"exponential\", mean = \"{x:.0} ms\" }}"),
            7..=8 => format!(
                "{{ kind = \"lognormal\", median = \"{:.0} ms\", sigma = {:.1} }}",
                x / 2.0,
                self.between(0.2, 1.5)
            ),
            _ => format!(
                "{{ kind = \"pareto\", min = \"{:.0} ms\", alpha = {:.1} }}",
                x / 4.0,
                self.between(0.8, 3.5)
            ),
        }
    }

    pub(super) fn scenario(&mut self) -> String {
        let ports = self.number(50, 500);
        let time_wait = self.between(0.5, 4.0);
        let mut tcp = format!(
            "[tcp]\nprofile = \"{}\"\ntime_wait = \"{:.0} ms\"\nip_local_port_range = [40000, {}]\n",
            self.one(&["linux", "linux", "linux", "rfc9293", "freebsd"]),
            time_wait * 1e3,
            39_999 + ports,
        );
        let mut add = |yes: bool, text: &str| {
            if yes {
                tcp.push_str(text);
                tcp.push('\n');
            }
        };
        let table = self.number(20, 400);
        add(self.0.chance(0.15), "tw_reuse = true");
        add(self.0.chance(0.1), "tw_reuse_delay = \"300 ms\"");
        add(self.0.chance(0.1), &format!("max_tw_buckets = {table}"));
        add(self.0.chance(0.2), "fin_timeout = \"3 s\"");
        add(self.0.chance(0.1), "timers = \"hz-250\"");
        let selection = self.one(&["linux", "linux", "random", "sequential"]);
        add(true, &format!("port_selection = \"{selection}\""));
        add(self.0.chance(0.2), "[tcp.host.server]\ntimestamps = false");
        let (topology, pairs) = self.topology();
        let (workload, open) = self.workload();
        let load = self.between(0.2, 2.5);
        let rate = (load * ports as f64 * pairs / (time_wait + open)).min(600.0);
        let length = (14.0 * (time_wait + open))
            .min(9_000.0 / rate)
            .max(3.0 * time_wait);
        let arrivals = match self.number(0, 9) {
            0..=3 => format!("{{ kind = \"fixed\", rate = \"{rate:.2} /s\" }}"),
            4..=7 => format!("{{ kind = \"poisson\", rate = \"{rate:.2} /s\" }}"),
            8 => format!(
                "{{ kind = \"ramp\", from = \"{:.2} /s\", to = \"{rate:.2} /s\", over = \"{:.1} s\" }}",
                rate / 5.0,
                length / 2.0
            ),
            _ => match self.number(0, 2) {
                0 => format!(
                    "{{ kind = \"steps\", steps = [{{ at = \"0 s\", rate = \"{:.2} /s\" }}, {{ at = \"{:.1} s\", rate = \"{rate:.2} /s\" }}] }}",
                    rate / 3.0,
                    length / 3.0
                ),
                1 => "{ kind = \"closed\", users = 40, think = \"100 ms\" }".to_owned(),
                _ => "{ kind = \"burst\", count = 100 }".to_owned(),
            },
        };
        format!(
            "name = \"x\"\nduration = \"{length:.2} s\"\nseed = {}\n{tcp}{topology}[[workload]]\narrivals = {arrivals}\n{workload}[record]\nstates = 1\nconnections = 1\nsegments = 0\n",
            self.number(1, 1_000_000)
        )
    }

    /// The network, and the number of pairs of client address and destination.
    pub(super) fn topology(&mut self) -> (String, f64) {
        let delay = self.between(0.2, 20.0);
        let mut link = format!("delay = \"{delay:.3} ms\"");
        if self.0.chance(0.5) {
            let _ = write!(link, ", rate = \"{} Mbit/s\"", self.number(10, 1_000));
        }
        if self.0.chance(0.05) {
            link.push_str(", loss = 0.02");
        }
        if self.0.chance(0.05) {
            link.push_str(", queue = \"3 packets\"");
        }
        let (local, remote) = (self.number(1, 2), self.number(1, 2));
        let addresses = format!("client_addresses = {local}\nserver_addresses = {remote}\n");
        if self.0.chance(0.7) {
            let single = self.0.chance(0.5);
            let text = format!("[topology]\nkind = \"pair\"\npath = {{ {link} }}\n");
            return if single {
                (text, 1.0)
            } else {
                (text + &addresses, (local * remote) as f64)
            };
        }
        let (clients, servers) = (self.number(1, 3), self.number(1, 3));
        let text = format!(
            "[topology]\nkind = \"star\"\nclients = {clients}\nservers = {servers}\naccess = {{ {link} }}\n{addresses}"
        );
        (text, (clients * local * servers * remote) as f64)
    }

    /// What a connection does, and about how long it stays open, in seconds.
    pub(super) fn workload(&mut self) -> (String, f64) {
        let close = self.one(&["client", "client", "client", "server", "both"]);
        let how = match self.number(0, 9) {
            0 => "rst",
            1 if close == "client" => "half",
            _ => "fin",
        };
        let requests = self.number(1, 3);
        let mut text = format!("close = \"{close}\"\nhow = \"{how}\"\nrequests = {requests}\n");
        let mut open = 0.1;
        for (key, chance, longest) in [("service", 0.4, 800.0), ("think", 0.3, 400.0)] {
            if self.0.chance(chance) {
                let _ = writeln!(text, "{key} = {}", self.time(longest));
                open += 0.5 * longest / 1e3;
            }
        }
        for (key, chance, longest) in [("close_after", 0.2, 500.0), ("linger", 0.3, 8_000.0)] {
            if self.0.chance(chance) {
                let s = self.between(10.0, longest) / 1e3;
                let _ = writeln!(text, "{key} = \"{s:.3} s\"");
                open += s.min(4.0);
            }
        }
        let response = self.one(&[
            "\"1000 B\"",
            "\"1000 B\"",
            "\"8 kB\"",
            "\"60 kB\"",
            "{ kind = \"exponential\", mean = \"2 kB\" }",
        ]);
        let _ = writeln!(text, "response = {response}");
        if self.0.chance(0.05) {
            text.push_str("backlog = 2\n");
        }
        if self.0.chance(0.05) {
            text.push_str("accept_rate = \"20 /s\"\n");
        }
        if self.0.chance(0.1) {
            text.push_str("start = \"500 ms\"\n");
        }
        (text, open)
    }
}
