//! The alternative names of TCP parameters: paths in a scenario are compared, and values replaced, by the
//! parameter that a name stands for.

use tcp_model::params::{self, Named, Param, ParamValue};
use toml::Table;

use crate::dotted_path::{DottedPath, PathStep};

/// A path to a TCP parameter, under any of its names.
#[derive(Clone, Debug)]
pub struct TcpPath {
    /// The table that holds it: `tcp`, or `tcp.host.GROUP`.
    pub table: DottedPath,
    /// What the name stands for.
    pub named: Named,
    /// The name as written, without `tcp.` and quotes.
    pub name: String,
    /// Steps into the parameter's own value.
    pub inside: Vec<PathStep>,
}

impl TcpPath {
    /// Parses the path; `None` if it does not lead to a TCP parameter. A sysctl without a table
    /// (`net.ipv4.tcp_fin_timeout`, `tcp_fin_timeout`) belongs to `tcp`.
    pub fn of(path: &DottedPath) -> Option<TcpPath> {
        let (table, rest) = match &path.0[..] {
            [PathStep::Key(tcp), PathStep::Key(host), group, rest @ ..]
                if tcp == "tcp" && host == "host" =>
            {
                let table = DottedPath::from("tcp.host");
                (table.with(group.clone()), rest)
            }
            [PathStep::Key(tcp), rest @ ..] if tcp == "tcp" => (DottedPath::from("tcp"), rest),
            [PathStep::Key(first), ..] if first == "net" || first.starts_with("tcp_") => {
                (DottedPath::from("tcp"), &path.0[..])
            }
            _ => return None,
        };
        // Sysctl names contain dots: the shortest prefix that names a parameter is the name.
        let mut name = String::new();
        for (i, step) in rest.iter().enumerate() {
            let PathStep::Key(key) = step else {
                return None;
            };
            if i > 0 {
                name.push('.');
            }
            name.push_str(key);
            if let Some(named) = params::find(&name) {
                return Some(TcpPath {
                    table,
                    named,
                    name,
                    inside: rest[i + 1..].to_vec(),
                });
            }
        }
        None
    }

    /// The path with the parameter's canonical name.
    fn canonical(&self) -> DottedPath {
        let name = match self.named {
            Named::Param(param, _) => param.key,
            Named::Sysctl(sysctl) => sysctl.name,
        };
        let mut path = self.table.key(name);
        path.0.extend(self.inside.iter().cloned());
        path
    }
}

/// Returns the path with the parameter's canonical name in place of an alias, so that paths can be compared.
pub fn canonical(path: &DottedPath) -> DottedPath {
    TcpPath::of(path).map_or_else(|| path.clone(), |found| found.canonical())
}

/// Removes the parameters that `named` stands for from a table of TCP parameters, under any of their names.
pub fn remove(table: &mut Table, named: &Named) {
    let mut left = Vec::new();
    remove_within(table, "", &named.keys(), &mut left);
    for (param, value) in left {
        if let Ok(value) = toml::Value::try_from(value) {
            table.insert(param.key.to_owned(), value);
        }
    }
}

/// Removes the entries for `keys`. Other parameters that a removed name stood for are added to `left`.
fn remove_within(
    table: &mut Table,
    prefix: &str,
    keys: &[&str],
    left: &mut Vec<(&'static Param, ParamValue)>,
) {
    let written: Vec<String> = table.keys().cloned().collect();
    for key in written {
        let name = format!("{prefix}{key}");
        if let Some(named) = params::find(&name) {
            if !named.keys().iter().any(|k| keys.contains(k)) {
                continue;
            }
            let value = table.remove(&key).map(toml::Value::try_into::<ParamValue>);
            if let Some(Ok(value)) = value
                && let Ok(values) = named.values(&value)
            {
                left.extend(values.into_iter().filter(|(p, _)| !keys.contains(&p.key)));
            }
        } else if (name == "net" || name.starts_with("net."))
            && let Some(toml::Value::Table(inner)) = table.get_mut(&key)
        {
            remove_within(inner, &format!("{name}."), keys, left);
            if inner.is_empty() {
                table.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_the_same_path() {
        for (path, own) in [
            ("tcp.fin_timeout", "tcp.fin_timeout"),
            ("tcp.tcp_fin_timeout", "tcp.fin_timeout"),
            ("tcp_fin_timeout", "tcp.fin_timeout"),
            ("net.ipv4.tcp_fin_timeout", "tcp.fin_timeout"),
            ("tcp.net.ipv4.tcp_fin_timeout", "tcp.fin_timeout"),
            ("net.inet.tcp.finwait2_timeout", "tcp.fin_timeout"),
            ("tcp.host.web.tcp_fin_timeout", "tcp.host.web.fin_timeout"),
            ("tcp.host.web.net.ipv4.tcp_sack", "tcp.host.web.sack"),
            ("tcp.congestion.beta", "tcp.congestion.beta"),
            ("tcp.tcp_congestion_control.beta", "tcp.congestion.beta"),
            ("tcp.profile", "tcp.profile"),
            ("tcp.no_such_thing", "tcp.no_such_thing"),
            ("duration", "duration"),
            ("workload.tcp.port", "workload.tcp.port"),
        ] {
            let path: DottedPath = path.parse().unwrap();
            assert_eq!(canonical(&path).to_string(), own);
        }
    }

    #[test]
    fn a_parameter_is_removed_under_any_of_its_names() {
        let named = params::find("receive_buffer").unwrap();
        for (text, left) in [
            ("receive_buffer = \"1 MiB\"", ""),
            ("mtu = 1500\nreceive_buffer = \"1 MiB\"", "mtu = 1500\n"),
            (
                "tcp_rmem = \"4096 2000 3000\"",
                "receive_buffer_start = \"2 kB\"\n",
            ),
            ("[net.inet.tcp]\nrecvbuf_max = 3000", ""),
            (
                "[net.ipv4]\ntcp_rmem = \"4096 2000 3000\"\ntcp_sack = 1",
                "receive_buffer_start = \"2 kB\"\n\n[net.ipv4]\ntcp_sack = 1\n",
            ),
        ] {
            let mut table: Table = text.parse().unwrap();
            remove(&mut table, &named);
            assert_eq!(toml::to_string(&table).unwrap(), left, "{text}");
        }
    }
}
