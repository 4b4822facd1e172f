//! A set of ports, written as Linux does: `8080,9148-9150`.

use std::fmt;

use super::kind::ParamKind;
use super::value::{ParamField, ParamValue, Refusal};

/// Ports in ranges that neither touch nor overlap, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSet(Vec<(u16, u16)>);

impl PortSet {
    /// No port.
    pub const fn empty() -> PortSet {
        PortSet(Vec::new())
    }

    /// The ports of these ranges, each from its first to its last port, in any order.
    pub fn new(ranges: impl IntoIterator<Item = (u16, u16)>) -> PortSet {
        let mut sorted: Vec<(u16, u16)> = ranges.into_iter().filter(|r| r.0 <= r.1).collect();
        sorted.sort_unstable();
        let mut all: Vec<(u16, u16)> = Vec::new();
        for (low, high) in sorted {
            match all.last_mut() {
                Some(last) if u32::from(low) <= u32::from(last.1) + 1 => last.1 = last.1.max(high),
                _ => all.push((low, high)),
            }
        }
        PortSet(all)
    }

    /// Whether a port is one of them.
    pub fn contains(&self, port: u16) -> bool {
        let next = self.0.partition_point(|(low, _)| *low <= port);
        next.checked_sub(1).is_some_and(|at| port <= self.0[at].1)
    }

    /// The ports from `low` to `high` that are among them, in order.
    pub fn within(&self, (low, high): (u16, u16)) -> impl Iterator<Item = u16> {
        let parts = self.0.iter().map(move |r| r.0.max(low)..=r.1.min(high));
        parts.flatten()
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (low, high)) in self.0.iter().enumerate() {
            f.write_str(if i > 0 { "," } else { "" })?;
            match low == high {
                true => write!(f, "{low}")?,
                false => write!(f, "{low}-{high}")?,
            }
        }
        Ok(())
    }
}

/// One port or range as text.
fn range(text: &str, kind: &ParamKind) -> Result<(u16, u16), Refusal> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let port = |word: &str| match word.trim().parse::<i64>() {
        Ok(n) => in_range(n, kind),
        Err(_) => Err(Refusal::Unreadable(format!(
            "{:?} is not a port or a range of ports; write for example \"8080,9148-9150\"",
            text.trim()
        ))),
    };
    let (low, high) = (port(low)?, port(high)?);
    if low > high {
        return Err(Refusal::Unreadable(format!(
            "the range {low}-{high} is reversed; write {high}-{low}"
        )));
    }
    Ok((low, high))
}

fn in_range(n: i64, kind: &ParamKind) -> Result<u16, Refusal> {
    match u16::try_from(n) {
        Ok(port) if u64::from(port) >= kind.least => Ok(port),
        _ => Err(Refusal::range(format!("port {n}"), kind)),
    }
}

/// `"8080,9148-9150"`, one port, or a list of both: `[8080, "9148-9150"]`. An empty text is no port.
impl ParamField for PortSet {
    fn read(value: &ParamValue, kind: &ParamKind) -> Result<PortSet, Refusal> {
        let ranges = match value {
            ParamValue::Number(n) => vec![in_range(*n, kind).map(|port| (port, port))?],
            ParamValue::Text(text) => {
                let words = text.split(',').filter(|word| !word.trim().is_empty());
                words
                    .map(|word| range(word, kind))
                    .collect::<Result<_, _>>()?
            }
            ParamValue::List(list) if !list.is_empty() => {
                let each = list.iter().map(|one| match one {
                    ParamValue::Number(n) => in_range(*n, kind).map(|port| (port, port)),
                    ParamValue::Text(text) => range(text, kind),
                    other => Err(Refusal::wrong_type(other, kind)),
                });
                each.collect::<Result<Vec<_>, _>>()?
            }
            _ => return Err(Refusal::wrong_type(value, kind)),
        };
        Ok(PortSet::new(ranges))
    }

    fn write(&self, _: &ParamKind) -> ParamValue {
        ParamValue::text(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: ParamValue) -> Result<PortSet, Refusal> {
        PortSet::read(&value, &ParamKind::port_set())
    }

    #[test]
    fn ports_are_read_as_linux_writes_them() {
        let set = read(ParamValue::text("9148-9150, 8080,9151, 9149")).unwrap();
        assert_eq!(set.to_string(), "8080,9148-9151");
        for (port, is_in) in [
            (8079, false),
            (8080, true),
            (9147, false),
            (9151, true),
            (9152, false),
        ] {
            assert_eq!(set.contains(port), is_in, "{port}");
        }
        let within: Vec<u16> = set.within((8080, 9149)).collect();
        assert_eq!(within, [8080, 9148, 9149]);
        assert_eq!(set.within((1, 100)).count(), 0);
        let list = ParamValue::List(vec![
            ParamValue::Number(8080),
            ParamValue::text("9148-9151"),
        ]);
        assert_eq!(read(list).unwrap(), set);
        assert_eq!(read(ParamValue::text("")).unwrap(), PortSet::empty());
        assert_eq!(
            read(ParamValue::text("1-65535"))
                .unwrap()
                .within((1, 65_535))
                .count(),
            65_535
        );
        for wrong in ["http", "5-4", "0", "65536", "1-2-3", "-3"] {
            assert!(read(ParamValue::text(wrong)).is_err(), "{wrong}");
        }
    }
}
