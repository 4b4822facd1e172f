//! Routers that translate addresses: `nat = { … }` is short for a middlebox of kind `nat` with these keys.

use sim_core::plugin::Plugin;
use tcp_model::middlebox::{BoxedMiddlebox, NatSpec};
use toml::{Table, Value as Toml};

use super::{DottedPath, Problem, middleboxes, models};
use crate::file::topology::NatFile;
use crate::file::values::ModelFile;

/// Checks a NAT as written.
///
/// # Errors
/// When a parameter is not valid for a NAT.
pub(super) fn read(file: &NatFile, at: &DottedPath) -> Result<Plugin<BoxedMiddlebox>, Problem> {
    let time = |time: Option<sim_core::SimDuration>| time.map(|t| Toml::String(t.to_string()));
    let count = |n: u32| Toml::Integer(n.into());
    let ports = |[first, last]: [u16; 2]| {
        Toml::Array([first, last].map(|p| Toml::Integer(p.into())).into())
    };
    let keys = [
        ("addresses", file.addresses.map(count)),
        ("profile", file.profile.clone().map(Toml::String)),
        ("mapping", file.mapping.clone().map(Toml::String)),
        ("keep_port", file.keep_port.map(Toml::Boolean)),
        ("block", file.block.map(count)),
        ("ports", file.ports.map(ports)),
        ("opening", time(file.opening)),
        ("established", time(file.established)),
        ("closing", time(file.closing)),
        ("closed", time(file.closed)),
        ("reset", time(file.reset)),
        ("answer_reset", file.answer_reset.map(Toml::Boolean)),
        ("forward", file.forward.clone().map(Toml::String)),
        ("hairpin", file.hairpin.clone().map(Toml::String)),
    ];
    let given = keys.into_iter();
    let parameters: Table = given
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect();
    let model = ModelFile {
        kind: "nat".to_owned(),
        parameters,
    };
    models::plugin(&model, middleboxes(), &[], at)
}

/// Converts a NAT back to a file with every value written out; `None` for another middlebox.
pub(super) fn to_file(plugin: &Plugin<BoxedMiddlebox>) -> Option<NatFile> {
    let NatSpec {
        ports,
        timeouts,
        mapping,
        keep_port,
        block,
        answer_reset,
        forward,
        hairpin,
    } = NatSpec::of_plugin(plugin)?;
    let usual = NatSpec::default();
    Some(NatFile {
        addresses: u32::try_from(plugin.values().count("addresses")).ok(),
        profile: None,
        mapping: (mapping != usual.mapping).then(|| mapping.as_str().to_owned()),
        keep_port: keep_port.then_some(true),
        block,
        ports: Some([ports.0, ports.1]),
        opening: Some(timeouts.opening),
        established: Some(timeouts.established),
        closing: Some(timeouts.closing),
        closed: Some(timeouts.closed),
        reset: Some(timeouts.reset),
        answer_reset: answer_reset.then_some(true),
        forward: (!forward.is_empty()).then(|| forward.join(", ")),
        hairpin: (!hairpin.is_empty()).then(|| hairpin.join(", ")),
    })
}
