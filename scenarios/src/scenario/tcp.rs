//! TCP parameters of the host groups, checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use tcp_model::TcpParams;

use crate::dotted_path::DottedPath;
use crate::file::tcp::TcpFile;
use crate::problem::Problem;
use crate::suggest;

/// A complete set of parameters and the profile it started from.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpSet {
    /// Name of the profile.
    pub profile: String,
    /// The parameters.
    pub params: Arc<TcpParams>,
}

/// The parameters of all hosts.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpSets {
    /// Parameters of hosts in groups without their own.
    pub base: TcpSet,
    /// Parameters of hosts by group.
    pub groups: BTreeMap<String, TcpSet>,
}

const DEFAULT_PROFILE: &str = "linux";

impl TcpSets {
    /// Starts from the profile, applies `[tcp]`, then `[tcp.host.GROUP]`. A group with its own profile starts
    /// from that instead of from `[tcp]`.
    ///
    /// # Errors
    /// When a profile or group is unknown, or values do not fit together.
    pub fn new(file: &TcpFile, groups: &[String]) -> Result<TcpSets, Problem> {
        let at = DottedPath::from("tcp");
        let profile = file.profile.as_deref().unwrap_or(DEFAULT_PROFILE);
        let base = set(profile, profile_params(profile, &at)?, file, &at)?;
        let mut own = BTreeMap::new();
        for (group, differs) in &file.host {
            let at = at.key("host").key(group);
            if !groups.contains(group) {
                let all = groups.iter().map(String::as_str);
                return Err(Problem::new(at, suggest::unknown("host group", group, all))
                    .help("the name after tcp.host. is a host's `group`, or else its `name`"));
            }
            if !differs.host.is_empty() {
                return Err(Problem::new(
                    at.key("host"),
                    "a host group has no host groups of its own",
                )
                .help("write all groups as [tcp.host.GROUP]"));
            }
            let (name, start) = match differs.profile.as_deref() {
                Some(name) => (name, profile_params(name, &at)?),
                None => (base.profile.as_str(), TcpParams::clone(&base.params)),
            };
            own.insert(group.clone(), set(name, start, differs, &at)?);
        }
        Ok(TcpSets { base, groups: own })
    }

    /// The parameters of the hosts of `group`.
    pub fn of(&self, group: &str) -> &Arc<TcpParams> {
        &self.groups.get(group).unwrap_or(&self.base).params
    }

    /// All sets of parameters.
    pub fn all(&self) -> impl Iterator<Item = &TcpParams> {
        let groups = self.groups.values();
        std::iter::once(&self.base)
            .chain(groups)
            .map(|set| &*set.params)
    }

    /// Converts back to a file with every value written out.
    pub fn to_file(&self) -> TcpFile {
        let complete = |s: &TcpSet| TcpFile::complete(&s.profile, &s.params);
        TcpFile {
            host: self
                .groups
                .iter()
                .map(|(g, s)| (g.clone(), complete(s)))
                .collect(),
            ..complete(&self.base)
        }
    }
}

fn profile_params(name: &str, at: &DottedPath) -> Result<TcpParams, Problem> {
    TcpParams::profile(name).ok_or_else(|| {
        Problem::new(
            at.key("profile"),
            suggest::unknown("profile", name, TcpParams::PROFILES),
        )
    })
}

fn set(
    profile: &str,
    mut params: TcpParams,
    file: &TcpFile,
    at: &DottedPath,
) -> Result<TcpSet, Problem> {
    file.apply(&mut params)
        .map_err(|(key, e)| Problem::new(at.key(key), format!("{}: {e}", at.key(key))))?;
    params
        .check()
        .map_err(|c| Problem::new(at.key(c.key), c.message).help(c.help))?;
    Ok(TcpSet {
        profile: profile.to_owned(),
        params: Arc::new(params),
    })
}
